"""Verifiable instructions: a program checks which of its prompt's instructions a response keeps to.

    reference [{"id": "no_comma"}, {"id": "title"}] ─> 1, 0 ─> the whole response: 1/2, or 0 for "all"

It makes no call. What no program can check is for a `checklist`, which asks a model.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from pipelines.errors import JudgmentError
from pipelines.instructions.instruction import Instruction, read_instructions
from pipelines.judge import Judge
from pipelines.judging.model_judge import judgeable
from pipelines.judging.response_row import response_row
from pipelines.part import Threshold, Where
from schemas.canonical import make_id
from schemas.rows import Judgment, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit


class Verifiable(Judge):
    """Checks the instructions that stand in each prompt's reference.

    The reference is a JSON list of tables: `id`, which is one of IFEval's (arXiv 2311.07911), its
    arguments, and `opposite = true` where the opposite is asked for. Each instruction is a judgment
    of its own, whose `dimension` is the id after its colon and whose score is 1 or 0; a second one
    of a kind is called KIND_2. The judgment of the whole response has the aggregate.
    """

    aggregate: Literal["share", "all"] = "share"
    """The score of the whole response. "share": instructions kept to, over all of them. "all": 1
    where it keeps to all, else 0. It has none where one of them cannot be checked."""
    scale: tuple[Threshold, Threshold] = (Decimal(0), Decimal(1))
    """Always 0 to 1."""

    def check(self, where: Where) -> None:
        """Raises RecipeError for another scale."""
        if self.scale != (Decimal(0), Decimal(1)):
            raise where.error("its scores lie between 0 and 1", "scale")

    def judge_identity(self, _: "Unit") -> str:
        """What decides a judgment: how instructions make the score."""
        return f"verifiable#{make_id('verifiable', self.aggregate)}"

    async def judge(self, unit: "Unit", responses: Sequence[Response]) -> list[Judgment]:
        """For each response with a text: a judgment of each instruction, and one of the whole."""
        judged = judgeable(responses)
        try:
            instructions = read_instructions(unit.prompt.reference)
        except JudgmentError as error:
            return [response_row(self, unit, one, error=str(error)) for one in judged]
        return [row for one in judged for row in self._rows(unit, one, instructions)]

    def _rows(
        self, unit: "Unit", response: Response, instructions: dict[str, Instruction]
    ) -> Iterator[Judgment]:
        kept: list[bool] = []
        for name, instruction in instructions.items():
            try:
                kept.append(instruction.holds(str(response.text)))
            except JudgmentError as error:
                yield response_row(self, unit, response, dimension=name, error=str(error))
            else:
                yield response_row(self, unit, response, dimension=name, score=float(kept[-1]))
        if len(kept) < len(instructions):
            yield response_row(self, unit, response, error="not every instruction can be checked")
            return
        share = sum(kept) / len(kept) if self.aggregate == "share" else float(all(kept))
        yield response_row(self, unit, response, score=share)
