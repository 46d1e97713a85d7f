"""The proof: whether the pairs that pairwright builds teach a model anything.

    design ─> sets ─> train ─> answers ─> intervals ─> report
               │        └ TRL, in .venv-trainers
               └ one store: answers and judgments are bought once

`design` says which sets are built, what is trained on them, and what is compared; `run` does all of
it and writes `report.md` and `report.json`:

    python -m tools.proof.run --out DIR

What is done is kept in DIR: the same command goes on where another stopped.
"""
