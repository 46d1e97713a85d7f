"""How chosen answers compare with what the policy gives by itself, and which objective that advises.

APO (arXiv 2408.06266): where chosen answers are better than the policy's own, raise them (APO-zero);
where they are worse, lower both, the rejected ones more (APO-down).
"""

from collections.abc import Collection, Iterator
from typing import Literal

import polars as pl

from pipelines.bias.figure import figure, ratio
from pipelines.publishing.own_answers import own_answers
from pipelines.publishing.versions import Version
from pipelines.report.estimates import rows
from schemas.version import Figure

ABOVE_POLICY = "chosen_above_policy"

LEAST_PROMPTS = 200
"""Of fewer prompts nothing is advised."""

Objective = Literal["apo_zero", "apo_down", "undecided"]


def policy_figures(version: Version) -> Iterator[Figure]:
    """By how much the chosen answers of a prompt score above the policy's own, in score units.

    The policy's own are its scored answers as they were sampled: neither revisions nor steps. What
    was drawn to be paired counts too, the chosen ones among them.
    """
    if not version.manifest.rows("pairs"):
        return
    pairs = pl.scan_parquet(version.files("pairs"), glob=False)
    responses = own_answers(version)
    if responses is None:
        return
    own = pl.col("policy").eq("on") & pl.col("score").is_not_null()
    policy = responses.filter(own).group_by("prompt_id").agg(policy=pl.col("score").mean())
    chosen = pairs.drop_nulls("score_chosen").group_by("prompt_id")
    both = chosen.agg(chosen=pl.col("score_chosen").mean()).join(policy, on="prompt_id")
    above = pl.col("chosen") - pl.col("policy")
    by_prompt = both.select(prompt="prompt_id", above=above, n=pl.lit(1)).collect()
    if by_prompt.height:
        yield from rows(ABOVE_POLICY, figure(by_prompt, ratio, "n"))


def objective(figures: Collection[Figure]) -> Objective | None:
    """What the figure advises: by the 95 % interval, of `LEAST_PROMPTS` and more; None without it."""
    for one in figures:
        if one.figure == ABOVE_POLICY:
            if one.prompts < LEAST_PROMPTS or one.low is None or one.high is None:
                return "undecided"
            return "apo_zero" if one.low > 0 else "apo_down" if one.high < 0 else "undecided"
    return None
