"""Examples of dropped rows: what they were, and why they went no further."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.published.tables import PublishedTables

if TYPE_CHECKING:
    from flows.published.figures import DropCount
    from pipelines.publishing.versions import Version

FIRST = """
    SELECT min(id, $wanted) FROM drops
    WHERE level = $level AND step = $step AND reason = $reason
"""
EXAMPLES = """
    WITH dropped AS (
        SELECT id, any_value(prompt_id) AS prompt_id, any_value(detail) AS detail,
            any_value(score_chosen) AS score_chosen, any_value(score_rejected) AS score_rejected
        FROM drops WHERE level = $level AND step = $step AND reason = $reason AND id IN ids
        GROUP BY id
    )
    SELECT d.id, coalesce(d.detail, r.text, p.messages[-1].content, ''),
        d.score_chosen, d.score_rejected
    FROM dropped d
    LEFT JOIN prompts p ON p.prompt_id = d.prompt_id
    LEFT JOIN responses r ON r.response_id = d.id
    ORDER BY d.id
"""


@dataclass(frozen=True, slots=True)
class DropExample:
    """One dropped row."""

    id: str
    text: str
    """Why in detail; else the text of the response, or the last message of its prompt."""
    score_chosen: float | None = None
    score_rejected: float | None = None
    """Of a pair, in score units."""


def examples_in(version: "Version") -> "Callable[[DropCount, int], list[DropExample]]":
    """What finds in `version` the first so many rows, by id, that were dropped for one reason."""
    tables = PublishedTables(version, "drops", "prompts", "responses")

    def find(of: "DropCount", wanted: int) -> list[DropExample]:
        where = {"level": of.level, "step": of.step, "reason": of.reason}
        ((ids,),) = tables.rows(FIRST, wanted=wanted, **where)
        ids = list(dict.fromkeys(ids or ()))
        return [DropExample(*row) for row in tables.rows_of(EXAMPLES, ids, **where)]

    return find
