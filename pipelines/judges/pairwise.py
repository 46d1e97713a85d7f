"""Pairwise: two responses are compared, always in both orders.

Both are published; `scoring.comparisons` makes one verdict of them, by the judge's tie rule.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from pipelines.judging.comparator import Comparator
from pipelines.judging.model_judge import judgeable
from pipelines.judging.tie_rule import Inconsistent, TieRule
from pipelines.part import Threshold, micro
from pipelines.unit import gather
from schemas.rows import Judgment, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

Pair = tuple[Response, Response]


class Pairwise(Comparator):
    """Asks a model which of two responses is better."""

    pairs: Literal["all", "adjacent"] = "all"
    """Which responses of a prompt are compared: every two of them, or each with the next one in
    the samplers' order."""
    max_pairs: int | None = Field(default=None, ge=1)
    """Most comparisons for one prompt: a seeded draw of the pairs."""
    inconsistent: Inconsistent | None = None
    """What two orders mean that disagree: a "tie" (FastChat, DOVE); "drop", no vote; or their
    "average" (JudgeBench, PairS), by which a verdict and a tie are a verdict. Default: "average"
    for probabilities, "tie" for verdicts. Changing it costs no call."""

    def score_scale(self) -> tuple[Threshold, Threshold]:
        """That of a win rate."""
        return (Decimal(0), Decimal(1))

    def rates(self) -> bool:
        """It only compares."""
        return False

    def tie_rule(self) -> TieRule:
        """As `inconsistent` and `band` say."""
        return TieRule(self.inconsistent, micro(self.band))

    async def judge(self, unit: "Unit", responses: Sequence[Response]) -> list[Judgment]:
        """One judgment for each sample of each order of each comparison."""
        compared = await gather(self.compare(unit, *pair) for pair in self._pairs(unit, responses))
        return [row for one in compared for row in one.rows]

    def _pairs(self, unit: "Unit", responses: Sequence[Response]) -> list[Pair]:
        """The comparisons, in the responses' order. Equal texts are never compared."""
        judged = judgeable(responses)
        chosen = combinations(judged, 2) if self.pairs == "all" else pairwise(judged)
        pairs = [pair for pair in chosen if pair[0].text != pair[1].text]
        if self.max_pairs is None:
            return pairs
        drawn = sorted(pairs, key=lambda pair: unit.draw(self.name, *_ids(pair)))
        kept = set(map(_ids, drawn[: self.max_pairs]))
        return [pair for pair in pairs if _ids(pair) in kept]


def _ids(pair: Pair) -> tuple[str, ...]:
    return tuple(sorted(response.response_id for response in pair))
