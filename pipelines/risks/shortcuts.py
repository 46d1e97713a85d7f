"""Shortcuts: how often a rule that reads nothing would choose as the pairs do."""

import polars as pl

from pipelines.bias.figure import Figure, figure, ratio

RULES = {"longer": "n_chars", "denser": "markdown"}
"""Rule -> what there is more of in the answer that it chooses: characters, structured lines."""


def shortcuts(pairs: pl.DataFrame) -> dict[str, Figure | None]:
    """Rule -> the share of pairs whose chosen answer it chooses; 0.5: it does not help.

    Pairs between whose answers it cannot decide are left out. `pairs` are `Compared.pairs`.
    """
    return {rule: _accuracy(pairs, trait) for rule, trait in RULES.items()}


def _accuracy(pairs: pl.DataFrame, trait: str) -> Figure | None:
    chosen, rejected = pl.col(f"{trait}_chosen"), pl.col(f"{trait}_rejected")
    decided = pairs.filter(chosen != rejected).group_by(prompt="prompt_id")
    return figure(decided.agg(won=(chosen > rejected).sum(), pairs=pl.len()), ratio, "pairs")
