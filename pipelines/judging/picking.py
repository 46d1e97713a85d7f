"""Picking: a prompt's best or worst response, as a judge of the recipe scores them while it runs."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from pipelines.judging.marks import marks_of
from schemas.rows import Response

if TYPE_CHECKING:
    from pipelines.unit import Unit


async def scores_of(
    unit: "Unit", judge: str, responses: Sequence[Response]
) -> Mapping[str, Fraction]:
    """Response -> the mean of what the judge says of it; without those that it does not score."""
    judgments = await unit.judge(judge, responses)
    return marks_of(judgments, [one.response_id for one in responses]).means()


async def picked(
    unit: "Unit", judge: str, responses: Sequence[Response], which: Literal["best", "worst"]
) -> list[Response]:
    """The one; of equal ones, that with the smallest id. None where nothing is scored."""
    if not responses:
        return []
    scores = await scores_of(unit, judge, responses)
    scored = sorted(
        (one for one in responses if one.response_id in scores), key=lambda one: one.response_id
    )
    pick = max if which == "best" else min
    return [pick(scored, key=lambda one: scores[one.response_id])] if scored else []
