"""Tool call: the calls of a response are compared with those of the gold answer. It asks no model."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.errors import JudgmentError
from pipelines.judge import Judge
from pipelines.judging.response_row import response_row
from pipelines.part import Threshold, Where
from pipelines.toolcalls.calls import Call, same_calls
from pipelines.toolcalls.reading import calls_of, read_calls
from schemas.canonical import canonical_json, make_id
from schemas.rows import Judgment, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

NO_CALL = "no call is made"
NO_ANSWER = "the response is empty"


class ToolCall(Judge):
    """Scores 1 where a response makes the calls of the prompt's reference, else 0.

    Names and arguments are compared as JSON: the order of keys and of calls, and how a number is
    written, do not count. Where the reference makes no call, a response with a text and without a
    call is right. A call that cannot be read is wrong, and its `error` says why.
    """

    scale: tuple[Threshold, Threshold] = (Decimal(0), Decimal(1))
    """Always 0 to 1."""

    def check(self, where: Where) -> None:
        """Raises RecipeError for another scale."""
        if self.scale != (Decimal(0), Decimal(1)):
            raise where.error("a tool call is right or wrong: 1 or 0", "scale")

    async def judge(self, unit: "Unit", responses: Sequence[Response]) -> list[Judgment]:
        """One judgment for each response with a text or calls; `raw` is the calls as JSON."""
        judged = [one for one in responses if one.text is not None or one.tool_calls]
        try:
            gold = _gold(unit.prompt.reference)
        except JudgmentError as unread:
            return [response_row(self, unit, one, error=str(unread)) for one in judged]
        return [self._judgment(unit, one, gold) for one in judged]

    def _judgment(self, unit: "Unit", response: Response, gold: tuple[Call, ...]) -> Judgment:
        try:
            calls = calls_of(response.text, response.tool_calls)
        except JudgmentError as broken:
            return response_row(self, unit, response, score=0.0, error=str(broken))
        if not calls:
            error = NO_CALL if gold else None if (response.text or "").strip() else NO_ANSWER
            return response_row(self, unit, response, score=float(error is None), error=error)
        score = float(same_calls(calls, gold))
        return response_row(self, unit, response, score=score, raw=_written(calls))

    def judge_identity(self, _: "Unit") -> str:
        """What decides a judgment: there is nothing to choose."""
        return f"tool_call#{make_id('tool_call')}"


def _gold(reference: str | None) -> tuple[Call, ...]:
    """The calls of the reference. Raises JudgmentError."""
    if not (reference or "").strip():
        raise JudgmentError("no reference")
    try:
        return read_calls(str(reference))
    except JudgmentError as broken:
        raise JudgmentError(f"the reference cannot be read: {broken}") from broken


def _written(calls: Sequence[Call]) -> str:
    """The calls as JSON; numbers as texts, with all of their digits."""
    plain = [{"name": call.name, "arguments": _plain(call.arguments)} for call in calls]
    return canonical_json(plain).decode(errors="replace")


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return str(value) if isinstance(value, Decimal) else value
