"""Judgments for tests, written down as what they say, and numbered by the real code."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pipelines.bias.judged import JUDGMENTS, LATER, Judged, judged
from pipelines.selection.frames import JUDGMENTS as KINDS
from schemas.canonical import MICRO

Rows = Sequence[Mapping[str, Any]]


def known(answers: Mapping[str, Mapping[str, Any]], said: Rows) -> Judged:
    """`known({"p/1": {"n_chars": 9}}, [{"response_id": "p/1", "score": 7}])`.

    The prompt of an answer is what stands before "/" in its id; scores are in score units.
    """
    responses = pl.DataFrame(
        [{"prompt_id": _prompt(id_), "response_id": id_, **facts} for id_, facts in answers.items()]
    )
    kinds = {name: KINDS.get(name, pl.String) for name in JUDGMENTS} | LATER
    judgments = pl.DataFrame([_judgment(row) for row in said], schema=kinds)
    return judged(responses.lazy(), judgments.lazy())


def compared(
    a: str, b: str, says: str | float | None, order: str | None = "AB", **more: Any
) -> Any:
    """One comparison: `says` is a verdict, or the probability of `a`, or nothing."""
    field = {"p_a": says} if isinstance(says, float) else {"verdict": says}
    ids = {"response_a_id": a, "response_b_id": b, "comparison_id": f"{a}:{b}"}
    return {**ids, "order": order, **field, **more}


def _judgment(row: Mapping[str, Any]) -> dict[str, Any]:
    id_ = row.get("response_id") or row["response_a_id"]
    plain = {"judge": "judge", "judge_identity": "judge#1", "prompt_id": _prompt(id_)}
    scores = {name: round(row[name] * MICRO) for name in row if name.startswith("score")}
    return {**plain, **row, **scores}


def _prompt(id_: str) -> str:
    return id_.partition("/")[0]
