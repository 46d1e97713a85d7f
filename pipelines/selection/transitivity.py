"""Transitivity: whether a second look agrees with a ranking (`judges.pairs_search`).

Of three neighbours a > b > c in a ranking, of which a, b and b, c were compared and a, c were not, a
and c are compared after the ranking is made. Its transitivity is the share of those looks that also
find a better than c, of those that find one better; the view `transitivity` has it by prompt.
"""

import polars as pl

from pipelines.judging.tie_rule import PAIRS, RECHECK
from pipelines.scoring.comparisons import consolidate
from schemas.canonical import MICRO


def transitivity(judgments: pl.DataFrame, judge: str) -> dict[str, int | float]:
    """`rechecks` of a judge, and `transitivity`, in [0, 1]; nothing without a look.

    `judgments` are all of a build, columns `frames.JUDGMENTS`.
    """
    name = f"{judge}.{RECHECK}"
    looks = consolidate(judgments, [name], {name: PAIRS})
    if not looks.height:
        return {}
    ranks = judgments.filter(judge=judge).select("response_id", "rank").drop_nulls()
    ranked = looks.join(ranks, left_on="response_a_id", right_on="response_id").join(
        ranks, left_on="response_b_id", right_on="response_id", suffix="_b"
    )
    decided = ranked.filter(pl.col("p_a") != MICRO // 2)
    agreed = (pl.col("p_a") > MICRO // 2) == (pl.col("rank") < pl.col("rank_b"))
    figures: dict[str, int | float] = {"rechecks": looks.height}
    if decided.height:
        figures["transitivity"] = round(decided.filter(agreed).height / decided.height, 6)
    return figures
