"""Votes: for how many judges (annotators, samples) the chosen response is the better one."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.scoring.comparisons import votes_on_comparisons
from pipelines.selection.frames import Frames
from schemas.canonical import MICRO

VOTER = ("judge", "annotator", "sample_index")
"""Judgments of two responses that agree on these are one voter's opinion of the pair."""

READS = frozenset((*VOTER, "dimension", "score", "rank"))
"""The columns of judgments that are read here; those of comparisons only if a judge is named."""

Numbers = npt.NDArray[Any]


class Votes(NamedTuple):
    """Votes on pairs, in any order."""

    pair: Numbers
    """The rows of the pairs."""
    opinion: Numbers
    """1 for the chosen, -1 for the rejected, 0 for a tie."""


class Opinions(NamedTuple):
    """What voters scored responses, in the order of `key`."""

    key: Numbers
    """The number of the response above that of the voter, in 32 bits each."""
    total: Numbers
    """The voter's scores in micro-units, added up."""
    n: Numbers


def count_votes(pairs: pl.DataFrame, frames: Frames) -> pl.DataFrame:
    """`pairs` with `n_votes`, `n_votes_chosen`, `n_votes_rejected`, in the same order.

    Every voter who scored (or ranked) both responses has a vote; where one scored a response several
    times, the mean speaks. Judges of comparisons that `[score]` names have one for each comparison
    of the two, unless they rank or score responses by them. Equal scores are a tie, which counts in `n_votes` alone.
    """
    said = (_by_scores(pairs, _opinions(frames.judgments)), _by_comparisons(pairs, frames))
    pair, opinion = (np.concatenate(column) for column in zip(*said, strict=True))
    votes = {
        "n_votes": pair,
        "n_votes_chosen": pair[opinion == 1],
        "n_votes_rejected": pair[opinion == -1],
    }
    counts = {name: np.bincount(rows, minlength=pairs.height) for name, rows in votes.items()}
    return pairs.with_columns(pl.Series(name, count, pl.Int64) for name, count in counts.items())


def _by_scores(pairs: pl.DataFrame, opinions: Opinions) -> Votes:
    """By the voters who scored both responses."""
    key, total, n = opinions
    chosen, rejected = (
        pairs[side].to_numpy().astype(np.uint64) << 32 for side in ("chosen", "rejected")
    )
    pair, mine = _between(*np.searchsorted(key, (chosen, chosen + 2**32)))
    wanted = rejected[pair] + key[mine] % 2**32
    other = np.searchsorted(key, wanted)
    both = key.take(other, mode="clip") == wanted
    pair, mine, other = pair[both], mine[both], other[both]
    # means compared by their products: sum / n > sum' / n' without a division
    return Votes(pair, np.sign(total[mine] * n[other] - total[other] * n[mine]))


def _between(begin: Numbers, end: Numbers) -> tuple[Numbers, Numbers]:
    """Every place from `begin` up to `end`, row by row: the row, and the place.

    >>> [numbers.tolist() for numbers in _between(np.array([5, 0, 7]), np.array([7, 0, 8]))]
    [[0, 0, 2], [5, 6, 7]]
    """
    counts = end - begin
    row = np.repeat(np.arange(len(counts)), counts)
    before = counts.cumsum() - counts
    return row, np.arange(len(row)) + (begin - before)[row]


def _opinions(judgments: pl.DataFrame) -> Opinions:
    of_whole_responses = judgments.filter(pl.col("dimension").is_null())
    scored = of_whole_responses.select(
        "response", *VOTER, score=pl.coalesce("score", -MICRO * pl.col("rank"))
    ).drop_nulls(["response", "score"])
    key = pl.col("response").cast(pl.UInt64) * 2**32 + pl.col("voter")
    in_order = _with_voters(scored).select("score", key=key).sort("key")
    keys = in_order["key"].to_numpy()
    first = np.flatnonzero(np.diff(keys, prepend=keys[:1] + 1))
    n = np.diff(first, append=len(keys))
    return Opinions(keys[first], np.add.reduceat(in_order["score"].to_numpy(), first), n)


def _with_voters(scored: pl.DataFrame) -> pl.DataFrame:
    """`scored` with the number of its `voter`, in any order."""
    alike = pl.col(VOTER).eq_missing(pl.col(VOTER).first()).all()
    if scored.select(pl.all_horizontal(alike)).item():
        return scored.with_columns(voter=pl.lit(0, pl.UInt32))
    voters = scored.select(VOTER).unique().with_row_index("voter")
    return scored.join(voters, on=VOTER, nulls_equal=True)


def unrated(judgments: pl.DataFrame) -> pl.DataFrame:
    """The comparisons of each prompt by judges who rate or rank none of its responses.

    Who does has said it all by that. Prompts are looked at one by one, as they are selected.
    """
    compared = judgments.filter(pl.col("comparison_id").is_not_null())
    if compared.is_empty():
        return compared
    rating = judgments.filter(pl.col("response").is_not_null())
    return compared.join(rating, on=["prompt", "judge"], how="anti", nulls_equal=True)


def _by_comparisons(pairs: pl.DataFrame, frames: Frames) -> Votes:
    """By the votes on comparisons of both responses, in whichever order they stand."""
    if not frames.named:
        return Votes(np.arange(0), np.arange(0))
    votes = votes_on_comparisons(unrated(frames.judgments), frames.named, frames.tie_rules)
    votes = votes.select("response_a_id", "response_b_id", "opinion").drop_nulls("opinion")
    for side in ("a", "b"):
        numbers = frames.responses.select(
            pl.col("response").alias(side), pl.col("response_id").alias(f"response_{side}_id")
        )
        votes = votes.join(numbers, on=f"response_{side}_id")
    turned = votes.select(a="b", b="a", opinion=-pl.col("opinion"))
    either = pl.concat([votes.select("a", "b", "opinion"), turned])
    sides = pairs.select("chosen", "rejected").with_row_index("pair")
    of_pairs = sides.join(either, left_on=["chosen", "rejected"], right_on=["a", "b"])
    return Votes(of_pairs["pair"].to_numpy(), of_pairs["opinion"].to_numpy())
