"""The embedded language models: their language, tokenizer, training and evaluation.

    problems ─┬─> prompts ──> examples ──> train ──> data/models/{policy,teacher}
    mistakes ─┘      │                       └─────> evaluate ──> figures.json ──> card
                     └─> prompt_sets ──> data/prompts/sums_*.jsonl

Nothing is downloaded. What needs torch runs in `.venv-trainers`, which `tools/trainer_env.sh`
makes. All of it again, from the repository root, in about an hour on one core:

    .venv-trainers/bin/python -m tools.embedded_lm.train policy
    .venv-trainers/bin/python -m tools.embedded_lm.train teacher
    .venv-trainers/bin/python -m tools.embedded_lm.evaluate
    .venv-trainers/bin/python -m tools.embedded_lm.card
    .venv-trainers/bin/python -m tools.embedded_lm.prompt_sets
"""
