"""Recorded judgments: one row of a source as a `Judgment`.

What cannot be read (no number, not finite, outside the scale, no known verdict) gives no score
and no verdict: the row keeps what was there as `raw`, and `error` says why.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from math import isfinite
from typing import Any, cast

from pipelines.intake.cells import (
    as_text,
    is_missing,
    key_cell,
    needed_text,
    number_of,
    optional_text,
)
from pipelines.judges.recorded import Recorded
from pipelines.source import Row
from schemas.canonical import make_id
from schemas.rows import Judgment, Verdict, judgment_id

Scale = tuple[Decimal, Decimal]


def read_judgment(
    judge: Recorded,
    row: Row,
    prompt_id: str,
    response_ids: Sequence[str],
    occurrence: Callable[[str], int],
) -> Judgment:
    """The judgment in one row, of one response or of a comparison of two. Raises UnusableRow.

    Without a key of its own, a row is told from its equals by `occurrence`: how many rows with
    this content came before.
    """
    key = key_cell(row, judge.key) if judge.key else None
    said = Said(judge, row).fields()
    if key is None and list(response_ids) != sorted(response_ids):
        # without a key it is the comparison of these two, whichever the row names first
        response_ids, said = sorted(response_ids), turned_round(said)
    name = judge.name if judge.judged_by is None else needed_text(row, judge.judged_by)
    annotator = optional_text(row, judge.annotator)
    reasoning = optional_text(row, judge.reasoning)
    target = _target(prompt_id, response_ids, key)
    if key is None:
        content = make_id("record", target, name, annotator, said, reasoning)
        key = f"{content}#{occurrence(content)}"
    return Judgment(
        judgment_id=judgment_id(
            target=next(iter(target.values())),
            judge_identity=f"recorded:{name}",
            judge=name,
            order=None,
            annotator=annotator,
            index=key,
        ),
        prompt_id=prompt_id,
        judge=name,
        judge_identity=f"recorded:{name}",
        annotator=annotator,
        record_key=key,
        reasoning=reasoning,
        **target,
        **said,
    )


def _target(prompt_id: str, response_ids: Sequence[str], key: str | None) -> dict[str, Any]:
    """What is judged. All votes on one recorded comparison share its `comparison_id`."""
    if len(response_ids) == 1:
        return {"response_id": response_ids[0]}
    a, b = response_ids
    comparison_id = make_id("comparison", prompt_id, a, b, key)
    return {"comparison_id": comparison_id, "response_a_id": a, "response_b_id": b}


def turned_round(said: dict[str, Any]) -> dict[str, Any]:
    """What a row says of (a, b), said of (b, a).

    >>> turned_round({"score_a": 3.0, "score_b": 1.0, "verdict": "a", "p_a": 0.25, "raw": "x"})
    {'score_a': 1.0, 'score_b': 3.0, 'verdict': 'b', 'p_a': 0.75, 'raw': 'x'}
    """
    p_a = said["p_a"]
    return said | {
        "score_a": said["score_b"],
        "score_b": said["score_a"],
        "verdict": {"a": "b", "b": "a"}.get(said["verdict"], said["verdict"]),
        "p_a": None if p_a is None else 1.0 - p_a,
    }


class Said:
    """What one row says: scores, a rank, a verdict; and why some of it cannot be read."""

    def __init__(self, judge: Recorded, row: Row) -> None:
        self._judge = judge
        self._row = row
        self._unread: dict[str, str] = {}
        self._why: list[str] = []
        self.score = self._score(judge.score)
        self.rank = self._rank()
        self.score_a, self.score_b = self._both_scores()
        self.verdict = self._verdict()
        self.p_a = self._number(judge.p_a, (Decimal(0), Decimal(1)))

    def fields(self) -> dict[str, Any]:
        """The fields of a `Judgment` that say something."""
        return {
            "score": self.score,
            "rank": self.rank,
            "score_a": self.score_a,
            "score_b": self.score_b,
            "verdict": self.verdict,
            "p_a": self.p_a,
            "raw": optional_text(self._row, self._judge.raw) or self._unread_text(),
            "error": "; ".join(self._why) or None,
        }

    def _score(self, column: str | None) -> float | None:
        return self._number(column, self._judge.scale)

    def _both_scores(self) -> tuple[float | None, float | None]:
        a, b = self._score(self._judge.score_a), self._score(self._judge.score_b)
        return (None, None) if a is None or b is None else (a, b)

    def _rank(self) -> int | None:
        column = self._judge.rank
        rank = self._number(column)
        if column is None or rank is None:
            return None
        if not rank.is_integer():
            self._cannot_read(column, "not a whole number")
            return None
        return int(rank)

    def _number(self, column: str | None, scale: Scale | None = None) -> float | None:
        if column is None:
            return None
        value = self._row.get(column)
        number = number_of(value)
        if number is None:
            self._cannot_read(column, "nothing" if is_missing(value) else "not a number")
        elif scale is not None and not scale[0] <= number <= scale[1]:
            self._cannot_read(column, f"outside the scale {scale[0]:f} to {scale[1]:f}")
            return None
        return number

    def _verdict(self) -> Verdict | None:
        column = self._judge.verdict
        if column is None:
            return None
        value = self._row.get(column)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # whole numbers beside nulls come as floats
        text = "" if is_missing(value) else as_text(value).strip()
        for verdict, texts in self._judge.verdicts.items():
            if text in texts:
                return cast("Verdict", verdict)
        self._cannot_read(column, "no verdict" if text else "nothing")
        return None

    def _cannot_read(self, column: str, why: str) -> None:
        value = self._row.get(column)
        finite = not isinstance(value, float) or isfinite(value)
        self._unread[column] = as_text(value) if finite else str(value)
        self._why.append(f"{column}: {why}")

    def _unread_text(self) -> str | None:
        """The cells that cannot be read: the text of one, or several with their columns."""
        texts = list(self._unread.values())
        return texts[0] if len(texts) == 1 else as_text(self._unread) if texts else None
