"""The embedded language models: their language, tokenizer, training and evaluation.

    problems  ─> prompts ─> examples ─> train ─> data/models/{policy,teacher}
    mistakes  ─┘    │                     └────> evaluate ─> figures.json ─> card
                    └─> prompt_sets ─> data/prompts/sums_*.jsonl

Nothing is downloaded. What needs torch (`model`, `train`, `sampling`, `evaluate`) runs in
`.venv-trainers`, which `tools/trainer_env.sh` makes; the rest needs the standard library only, and
`tokenizer` the `tokenizers` library. Run any of them from the repository root:

    .venv-trainers/bin/python -m tools.embedded_lm.train policy
"""
