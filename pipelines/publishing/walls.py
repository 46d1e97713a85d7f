"""Walls: what can never be published, whatever went wrong before."""

import polars as pl

from pipelines.errors import StoreError
from pipelines.selection.selected import Selected


def refuse(wrong: str, ids: pl.Series) -> None:
    """Raises StoreError where there are `ids`: how many, what is wrong with them, and some."""
    if ids.len():
        some = ", ".join(ids.sort().head(5))
        raise StoreError(f"{ids.len()} {wrong}, so nothing is published: {some}")


def refuse_repeated(ids: pl.Series, table: str) -> None:
    """Raises StoreError where equal ids lie side by side: the rows were staged twice."""
    repeated = ids.filter((ids == ids.shift()).fill_null(False))
    refuse(f"{table} are staged twice", repeated.unique())


def check_pairs(selected: Selected) -> None:
    """Raises StoreError where pairs are there twice, or kept of what cannot be a pair."""
    pairs, responses = selected.pairs, selected.responses
    ids = pl.concat([pairs["pair_id"], selected.dropped_pairs.collect()["pair_id"]])
    if ids.hash().n_unique() < ids.len():  # of hashes that differ the ids differ too
        refuse("pairs are there twice", ids.filter(ids.is_duplicated()).unique())
    staged = pairs["prompt"].is_in(selected.prompts["prompt"].implode())
    refuse("kept pairs have a prompt that is not staged", _ids(pairs, ~staged.fill_null(False)))
    for side in ("chosen", "rejected"):
        its_own = responses["prompt"].gather(pairs[side]) == pairs["prompt"]
        wrong = f"kept pairs have a {side} response that is not staged for their prompt"
        refuse(wrong, _ids(pairs, ~its_own.fill_null(False)))
    itself = pairs["chosen"] == pairs["rejected"]
    refuse("kept pairs set a response against itself", _ids(pairs, itself))


def _ids(pairs: pl.DataFrame, wrong: pl.Series) -> pl.Series:
    return pairs["pair_id"].filter(wrong)
