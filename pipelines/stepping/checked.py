"""Checked answers: what a judge of the recipe says of answers, told as right or wrong."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from schemas.rows import Judgment, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit


async def check_answers(
    unit: "Unit", judge: str, answers: Sequence[Response], right_from: Decimal
) -> list[bool | None]:
    """Whether each answer is right: its mean score is at least `right_from`.

    None where the judge gave it no score: there is no gold answer, or the judge could not be read.
    """
    judged = await unit.judge(judge, answers)
    return [_is_right(judged, answer.response_id, right_from) for answer in answers]


def _is_right(judged: Sequence[Judgment], response_id: str, right_from: Decimal) -> bool | None:
    scores = [
        Decimal(repr(row.score))
        for row in judged
        if row.response_id == response_id and row.score is not None and row.dimension is None
    ]
    return sum(scores) >= right_from * len(scores) if scores else None
