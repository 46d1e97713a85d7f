"""Self-consistency: how many of a prompt's responses come to the same answer. It makes no call."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Literal

from pipelines.judge import Judge
from pipelines.judges.verifier import NO_ANSWER
from pipelines.judging.answers import equal_answers, find_answer
from pipelines.judging.response_row import response_row
from pipelines.part import Threshold, Where
from schemas.canonical import make_id
from schemas.rows import Judgment, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit


class SelfConsistency(Judge):
    """Scores a response by the share of the prompt's responses whose answer equals its own.

    What a model says often it is surer of, be it right or wrong: one of the ways in which Varying
    Shades of Wrong (arXiv 2410.11055) tells a wrong answer from a worse one. It needs no reference.
    """

    relative: ClassVar[bool] = True

    answer: Literal["number", "choice", "exact"]
    """How answers are read and compared, as the verifier does."""
    scale: tuple[Threshold, Threshold] = (Decimal(0), Decimal(1))
    """Always 0 to 1."""

    def check(self, where: Where) -> None:
        """Raises RecipeError for another scale."""
        if self.scale != (Decimal(0), Decimal(1)):
            raise where.error("shares are from 0 to 1", "scale")

    def judge_identity(self, _: "Unit") -> str:
        """What decides a judgment: the kind of answer."""
        return f"self_consistency#{make_id('self_consistency', self.answer)}"

    async def judge(self, unit: "Unit", responses: Sequence[Response]) -> list[Judgment]:
        """One judgment for each response with a text; `raw` is the answer that was found.

        A response without an answer has no score, and counts among the others' all the same.
        """
        judged = [response for response in responses if response.text is not None]
        answers = [find_answer(self.answer, str(response.text)) for response in judged]
        return [
            response_row(self, unit, response, error=NO_ANSWER)
            if answer is None
            else response_row(self, unit, response, score=self._share(answer, answers), raw=answer)
            for response, answer in zip(judged, answers, strict=True)
        ]

    def _share(self, answer: str, answers: Sequence[str | None]) -> float:
        equal = [one is not None and equal_answers(self.answer, one, answer) for one in answers]
        return sum(equal) / len(equal)
