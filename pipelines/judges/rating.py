"""Rating: each response is judged by itself, on a declared scale.

AIR (arXiv 2504.03612) found point-wise judging, greedy and with a short guideline, to align
better than pairwise, fine-grained or averaged judging: these are the defaults.
"""

from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property, partial
from math import fsum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pipelines.backend import Completion, Sampling
from pipelines.errors import JudgmentError
from pipelines.judging.fence import Fence
from pipelines.judging.model_judge import GREEDY, Asked, Heard, judgeable
from pipelines.judging.odds import LIKELIEST, Odds, check_odds, hear_odds
from pipelines.judging.point_judge import PointJudge
from pipelines.judging.reading import Scale, read_rating
from pipelines.judging.response_row import response_row
from pipelines.judging.stated_token import stated_token
from pipelines.part import Threshold, Where
from pipelines.unit import gather
from schemas.rows import Judgment, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

SEVERAL = Sampling(temperature=1.0)
SAMPLES = 5
"""How many replies `scorer = "mean"` draws (AIR's comparison of scorers)."""
LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"
"""Not I, with which a judge would begin a sentence."""


class Rating(PointJudge):
    """Asks a model to rate one response at a time."""

    own_template: ClassVar[Path] = Path(__file__).with_suffix(".jinja")

    scale: tuple[Threshold, Threshold] = (Decimal(1), Decimal(10))
    """Lowest and highest rating. A reply outside it is not read."""
    integers: bool = True
    """Whether ratings are whole numbers."""
    scorer: Literal["greedy", "mean", "expected"] = "greedy"
    """How a response is scored. "greedy": by what the judge says, at temperature 0. "mean": the
    same with samples = 5 at temperature 1, unless `samples` and `sampling` say otherwise; [score]
    takes their mean. "expected": by the probability of each rating at the rating's token, as in
    G-Eval (arXiv 2303.16634): sum of rating x probability over the sum of probabilities, which is
    the judgment's `mass`; below 0.5 it is not read. One token is asked for, or a reason first where
    sampling.max_tokens is above 1. The model must give log-probabilities: "mean" does without."""
    letters: bool = False
    """For "expected": the judge answers with a letter, A for the highest rating, and never I. Ratings
    must be one token each, and "10" is two with some models."""

    def model_post_init(self, context: Any) -> None:
        """Sets the samples of a mean where the recipe leaves them open."""
        super().model_post_init(context)
        if self.scorer == "mean" and "samples" not in self.model_fields_set:
            object.__setattr__(self, "samples", SAMPLES)

    def check(self, where: Where) -> None:
        """As `PointJudge.check`, and for a scale on which no rating can lie, or no token."""
        low, high = self.scale
        if low >= high:
            raise where.error(f"{low} is not below {high}", "scale")
        if self.integers and (low % 1 or high % 1):
            raise where.error("whole bounds are needed, or integers = false", "scale")
        if self.scorer == "expected":
            self._check_tokens(where)
        elif self.letters:
            raise where.error('letters need scorer = "expected"', "letters")
        super().check(where)

    def _check_tokens(self, where: Where) -> None:
        """Raises RecipeError where a rating is not one token, or is asked for in vain."""
        low, high = self.scale
        if not self.integers:
            raise where.error('scorer = "expected" needs whole ratings', "integers")
        if self.letters and high - low >= len(LETTERS):
            raise where.error(f"there are {len(LETTERS)} letters", "scale")
        if not self.letters and not 0 <= low < high <= 9:
            raise where.error(
                f'with scorer = "expected" each rating must be one token, and '
                f'"{high if high > 9 else low}" is two with some models: scale = [0, 9] does, or '
                "letters = true",
                "scale",
            )
        if self.letters and not self.alone:
            raise where.error(
                "letters are answered alone: leave sampling.max_tokens out", "letters"
            )
        check_odds(self, where, setting='scorer = "expected"', alone=self.alone)

    @cached_property
    def decoding(self) -> Sampling:
        """The sampling asked for: the scorer's where the recipe leaves it open."""
        presets = {"greedy": GREEDY, "mean": SEVERAL, "expected": LIKELIEST}
        return self.sampling.over(presets[self.scorer])

    @property
    def alone(self) -> bool:
        """Whether the rating is all of the reply."""
        return self.scorer == "expected" and self.decoding.max_tokens == 1

    def form(self) -> dict[str, Any]:
        """The wanted reply or last line, and the ends of the scale."""
        return self._form

    @cached_property
    def _form(self) -> dict[str, Any]:
        low, high = (format(bound.normalize(), "f") for bound in self.scale)
        wanted, letter = str(self._scale), "N"
        if self.letters:
            low, high, letter = self._answers[0], self._answers[-1], "X"
            besides = ", I left out" if low > "I" else ""
            wanted = f"a letter from {high}, the best, to {low}, the worst{besides}"
        form = wanted if self.alone else f"Rating: {letter}\n({letter}: {wanted})"
        return {"form": form, "low": low, "high": high, "alone": self.alone}

    def decisive(self) -> dict[str, Any]:
        """As `PointJudge.decisive`, and whether odds are read rather than words."""
        odds = {"reads": "odds"} if self.scorer == "expected" else {}
        return super().decisive() | odds

    def specimen(self) -> str:
        """The lowest rating."""
        low = str(self.form()["low"])
        return low if self.alone else f"Rating: {low}"

    async def judge(self, unit: "Unit", responses: Sequence[Response]) -> list[Judgment]:
        """One judgment for each sample of each response that has a text."""
        judged = judgeable(responses)
        why = self.unasked(unit.prompt)
        if why is not None:
            return self.unasked_rows(unit, judged, why)
        heard = await gather(self._heard(unit, response) for response in judged)
        return [
            response_row(
                self,
                unit,
                response,
                sample.index,
                score=sample.value,
                mass=sample.mass,
                raw=sample.raw,
                reasoning=sample.reasoning,
                error=sample.error,
            )
            for response, samples in zip(judged, heard, strict=True)
            for sample in samples
        ]

    async def _heard(self, unit: "Unit", response: Response) -> list[Heard[float]]:
        text = str(response.text)
        if self.scorer != "expected":
            return await self.ask(unit, [text], self._read)
        asked = await self.put(unit, {"response": text}, self.form())
        return [self._expected(asked, index) for index in range(self.samples)]

    @cached_property
    def _scale(self) -> Scale:
        low, high = self.scale
        return Scale(low.normalize(), high.normalize(), whole=self.integers)

    def _read(self, reply: str, fence: Fence, truncated: bool) -> float:
        return float(read_rating(reply, self._scale, fence=fence, truncated=truncated))

    @cached_property
    def _answers(self) -> tuple[str, ...]:
        """The ratings from the lowest to the highest, as the judge answers them."""
        ratings = range(int(self.scale[0]), int(self.scale[1]) + 1)
        if self.letters:
            return tuple(LETTERS[: len(ratings)])[::-1]
        return tuple(map(str, ratings))

    def _expected(self, asked: Asked, index: int) -> Heard[float]:
        """The expected rating of one reply."""
        place = partial(self._place, fence=asked.fence)
        return hear_odds(asked, index, self._answers, place, self._mean)

    def _place(self, reply: Completion, fence: Fence) -> int:
        """The token that is the rating."""
        if not reply.logprobs:
            raise JudgmentError('the reply has no log-probabilities; scorer = "mean" needs none')
        if self.alone:
            return 0
        read = partial(read_rating, scale=self._scale)
        return stated_token(reply, fence, read, lambda token, rating: token == f"{int(rating)}")

    def _mean(self, odds: Odds) -> float:
        """G-Eval's expectation: s = sum of k p_k, as the p_k sum to 1."""
        low = int(self.scale[0])
        return fsum(rating * odds.of[answer] for rating, answer in enumerate(self._answers, low))
