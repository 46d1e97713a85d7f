"""Pairwise: two responses are compared, always in both orders.

Judges favour a position (methods: FastChat, JudgeBench, PairS), so a comparison counts only where
both orders agree. Both are published; `comparisons.py` makes one verdict of them.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from pipelines.judging.fence import Fence
from pipelines.judging.model_judge import Heard, ModelJudge, judgeable
from pipelines.judging.reading import Shown, read_verdict
from pipelines.part import Where
from pipelines.unit import gather
from schemas.canonical import make_id
from schemas.rows import Judgment, Order, Response, Verdict, judgment_id

if TYPE_CHECKING:
    from pipelines.unit import Unit

Pair = tuple[Response, Response]
"""Two responses, the one with the smaller id first: `a` and `b`."""

ORDERS: tuple[Order, Order] = ("AB", "BA")


class Pairwise(ModelJudge):
    """Asks a model which of two responses is better."""

    own_template: ClassVar[Path] = Path(__file__).with_suffix(".jinja")
    candidates: ClassVar[tuple[str, ...]] = ("response_a", "response_b")

    pairs: Literal["all", "adjacent"] = "all"
    """Which responses of a prompt are compared: every two of them, or each with the next one in
    the samplers' order."""
    max_pairs: int | None = Field(default=None, ge=1)
    """Most comparisons for one prompt: a seeded draw of the pairs."""

    def check(self, where: Where) -> None:
        """As `ModelJudge.check`, and for a scale, which verdicts do not have."""
        super().check(where)
        if self.scale is not None:
            raise where.error("this judge gives verdicts and has no scale", "scale")

    def form(self) -> dict[str, str]:
        """The wanted last line."""
        return {"form": "Verdict: X\n(X: A, B or tie)"}

    def specimen(self) -> str:
        """A verdict."""
        return "Verdict: A"

    async def judge(self, unit: "Unit", responses: Sequence[Response]) -> list[Judgment]:
        """One judgment for each sample of each order of each comparison."""
        shown = [(pair, order) for pair in self._pairs(unit, responses) for order in ORDERS]
        heard = await gather(self.ask(unit, _texts(*one), _read) for one in shown)
        identity = self.judge_identity(unit)
        return [
            self._judgment(pair, order, identity, sample)
            for (pair, order), samples in zip(shown, heard, strict=True)
            for sample in samples
        ]

    def _pairs(self, unit: "Unit", responses: Sequence[Response]) -> list[Pair]:
        """The comparisons, in the responses' order. Equal texts are never compared."""
        judged = judgeable(responses)
        chosen = combinations(judged, 2) if self.pairs == "all" else pairwise(judged)
        pairs = [_sorted(*pair) for pair in chosen if pair[0].text != pair[1].text]
        if self.max_pairs is None:
            return pairs
        drawn = sorted(pairs, key=lambda pair: unit.draw(self.name, *_ids(pair)))
        kept = set(map(_ids, drawn[: self.max_pairs]))
        return [pair for pair in pairs if _ids(pair) in kept]

    def _judgment(self, pair: Pair, order: Order, identity: str, heard: Heard[Shown]) -> Judgment:
        a, b = _ids(pair)
        prompt = pair[0].prompt_id
        comparison = make_id("comparison", prompt, a, b, self.name)
        return Judgment(
            judgment_id=judgment_id(
                target=comparison,
                judge_identity=identity,
                judge=self.name,
                order=order,
                annotator=None,
                index=heard.index,
            ),
            prompt_id=prompt,
            judge=self.name,
            judge_identity=identity,
            response_a_id=a,
            response_b_id=b,
            comparison_id=comparison,
            order=order,
            sample_index=heard.index,
            verdict=None if heard.value is None else verdict_of(heard.value, order),
            raw=heard.raw,
            reasoning=heard.reasoning,
            error=heard.error,
        )


def verdict_of(shown: Shown, order: Order) -> Verdict:
    """A verdict on `a` and `b`, from the letters under which they were shown.

    >>> verdict_of("A", "AB"), verdict_of("A", "BA"), verdict_of("tie", "BA")
    ('a', 'b', 'tie')
    """
    if shown == "tie":
        return "tie"
    return "a" if (shown == "A") == (order == "AB") else "b"


def _read(reply: str, fence: Fence, truncated: bool) -> Shown:
    return read_verdict(reply, fence=fence, truncated=truncated)


def _sorted(one: Response, other: Response) -> Pair:
    return (one, other) if one.response_id < other.response_id else (other, one)


def _ids(pair: Pair) -> tuple[str, str]:
    return pair[0].response_id, pair[1].response_id


def _texts(pair: Pair, order: Order) -> list[str]:
    texts = [str(response.text) for response in pair]
    return texts if order == "AB" else texts[::-1]
