"""Rating: each response is judged by itself, on a declared scale.

AIR (arXiv 2504.03612) found point-wise judging, greedy and with a short guideline, to align
better than pairwise, fine-grained or averaged judging: these are the defaults.
"""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pipelines.judging.fence import Fence
from pipelines.judging.model_judge import Heard, ModelJudge, judgeable
from pipelines.judging.reading import Scale, read_rating
from pipelines.part import Threshold, Where
from pipelines.unit import gather
from schemas.rows import Judgment, Response, judgment_id

if TYPE_CHECKING:
    from pipelines.unit import Unit


class Rating(ModelJudge):
    """Asks a model to rate one response at a time."""

    own_template: ClassVar[Path] = Path(__file__).with_suffix(".jinja")
    candidates: ClassVar[tuple[str, ...]] = ("response",)

    scale: tuple[Threshold, Threshold] = (Decimal(1), Decimal(10))
    """Lowest and highest rating. A reply outside it is not read."""
    integers: bool = True
    """Whether ratings are whole numbers."""

    def check(self, where: Where) -> None:
        """As `ModelJudge.check`, and for a scale on which no rating can lie."""
        super().check(where)
        low, high = self.scale
        if low >= high:
            raise where.error(f"{low} is not below {high}", "scale")
        if self.integers and (low % 1 or high % 1):
            raise where.error("whole bounds are needed, or integers = false", "scale")

    def form(self) -> dict[str, str]:
        """The wanted last line, and the ends of the scale."""
        low, high = (format(bound.normalize(), "f") for bound in self.scale)
        return {"form": f"Rating: N\n(N: {self._scale()})", "low": low, "high": high}

    def specimen(self) -> str:
        """The lowest rating."""
        return f"Rating: {self.form()['low']}"

    async def judge(self, unit: "Unit", responses: Sequence[Response]) -> list[Judgment]:
        """One judgment for each sample of each response that has a text."""
        judged = judgeable(responses)
        heard = await gather(
            self.ask(unit, [str(response.text)], self._read) for response in judged
        )
        identity = self.judge_identity(unit)
        return [
            self._judgment(response, identity, sample)
            for response, samples in zip(judged, heard, strict=True)
            for sample in samples
        ]

    def _scale(self) -> Scale:
        low, high = self.scale
        return Scale(low.normalize(), high.normalize(), whole=self.integers)

    def _read(self, reply: str, fence: Fence, truncated: bool) -> Decimal:
        return read_rating(reply, self._scale(), fence=fence, truncated=truncated)

    def _judgment(self, response: Response, identity: str, heard: Heard[Decimal]) -> Judgment:
        return Judgment(
            judgment_id=judgment_id(
                target=response.response_id,
                judge_identity=identity,
                judge=self.name,
                order=None,
                annotator=None,
                index=heard.index,
            ),
            prompt_id=response.prompt_id,
            judge=self.name,
            judge_identity=identity,
            response_id=response.response_id,
            sample_index=heard.index,
            score=None if heard.value is None else float(heard.value),
            raw=heard.raw,
            reasoning=heard.reasoning,
            error=heard.error,
        )
