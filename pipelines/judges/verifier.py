"""Verifier: the answer in a response is compared with the prompt's reference. It makes no call."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pipelines.errors import JudgmentError
from pipelines.judge import Judge
from pipelines.judging.answers import AnswerKind, answer_field, equal_answers, find_answer
from pipelines.judging.response_row import response_row
from pipelines.judging.symbolic import as_math, compare, is_installed
from pipelines.part import Threshold, Where
from pipelines.unit import gather
from schemas.canonical import make_id
from schemas.rows import Judgment, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

NO_ANSWER = "no answer found"


class Verifier(Judge):
    """Scores 1 where the answer equals the reference, else 0."""

    answer: Literal["number", "choice", "exact", "symbolic"]
    """How answers are read and compared. "number": exactly, as fractions; signs of currency, "%"
    and units do not count. "choice": the letter. "exact": the text, less white space around it.
    "symbolic": as mathematics, which needs `pip install "pairwright[math]"`."""
    on_missing: Literal["wrong", "unread"] = "wrong"
    """What a response without an answer is. "wrong": 0, as in GSM8K's accuracy, and its `error`
    says so. "unread": it has no score."""
    scale: tuple[Threshold, Threshold] = (Decimal(0), Decimal(1))
    """Always 0 to 1."""

    def check(self, where: Where) -> None:
        """Raises RecipeError where math-verify is needed and missing, or the scale is another."""
        if self.scale != (Decimal(0), Decimal(1)):
            raise where.error("a verifier's scores are 0 and 1", "scale")
        if self.answer == "symbolic" and not is_installed():
            raise where.error(
                '"symbolic" needs math-verify: pip install "pairwright[math]"', "answer"
            )

    async def judge(self, unit: "Unit", responses: Sequence[Response]) -> list[Judgment]:
        """One judgment for each response with a text, a blank one included.

        `raw` is the answer that was found. Without a reference there is no score.
        """
        judged = [response for response in responses if response.text is not None]
        return await gather(self._judgment(unit, response) for response in judged)

    async def _judgment(self, unit: "Unit", response: Response) -> Judgment:
        try:
            answer, right = await self._verified(str(response.text), unit.prompt.reference)
        except JudgmentError as unread:
            return response_row(self, unit, response, error=str(unread))
        if answer is None:
            missing = 0.0 if self.on_missing == "wrong" else None
            return response_row(self, unit, response, score=missing, error=NO_ANSWER)
        return response_row(self, unit, response, score=float(right), raw=answer)

    def judge_identity(self, _: "Unit") -> str:
        """What decides a judgment: the kind of answer, and what a missing one means."""
        return f"verifier#{make_id('verifier', self.answer, self.on_missing)}"

    async def _verified(self, text: str, reference: str | None) -> tuple[str | None, bool]:
        """The answer in `text`, and whether it is right. Raises JudgmentError."""
        if reference is None:
            raise JudgmentError("no reference")
        if self.answer == "symbolic":
            field = answer_field(text)
            compared = await compare(reference, text if field is None else as_math(field))
            return compared.answer, compared.equal
        return _compared(self.answer, text, reference)


def _compared(kind: AnswerKind, text: str, reference: str) -> tuple[str | None, bool]:
    gold = find_answer(kind, reference)
    if gold is None:
        raise JudgmentError(f"the reference holds no {kind}")
    answer = find_answer(kind, text)
    return answer, answer is not None and equal_answers(kind, answer, gold)
