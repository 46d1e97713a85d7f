"""PairS: a ranking by merge sort with a model as the comparator (arXiv 2403.16950).

    draw an order ─> merge sort ─> ranks
                        └ comparisons, each in both orders: rows of their own
    after it: of three neighbours a > b > c that the sort compared, is a better than c too?

K responses take at most K ceil(log2 K) comparisons, the further looks among them, where `pairwise`
takes K (K - 1) / 2. Each is a call in both orders, or one call uncalibrated.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from pipelines.judging.comparator import ORDERS, Comparator
from pipelines.judging.equal_texts import in_drawn_order, one_of_each_text, shared_by_text
from pipelines.judging.merge_sort import EVEN, MergeSort, is_even, most_comparisons, ranks_of
from pipelines.judging.response_row import response_row
from pipelines.judging.tie_rule import RECHECK
from pipelines.part import Threshold, Where, identity_of
from pipelines.unit import gather
from schemas.rows import Judgment, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

UNCONNECTED = "no comparison that could be read connects it with those that are ranked"


class PairsSearch(Comparator):
    """Ranks the responses of a prompt by comparing few of them."""

    read: Literal["verdict", "probability"] = "probability"
    """What of a reply counts. "probability": the log-probabilities of A and B (and of C, neither,
    which counts half for each) at the verdict's token, over their sum, which is the judgment's
    `mass`; below 0.5 it is not read. One token is asked for, or a reason first where
    sampling.max_tokens is above 1. The model must give log-probabilities. "verdict": what the reply
    says, 1, 1/2 or 0."""
    calibrate: bool = True
    """Whether each comparison is shown in both orders, and their probabilities averaged. Without
    it takes one call, in an order drawn by the seed, and a favoured position is part of the rank."""
    beam_size: int = Field(default=1, ge=1)
    """Paths that a merge follows. With more than 1, both outcomes of an unsure comparison are gone
    into, and the path with the highest mean log-probability wins: at most so many times the
    comparisons, and never more than there are pairs."""
    prob_gap: Threshold = Field(default=Decimal("0.1"), ge=0, le=Decimal("0.5"))
    """With a beam: a comparison is unsure whose probability is so far from 0.5 or nearer."""
    recheck: int = Field(default=1, ge=0)
    """How many times, for one prompt, of three neighbours in the ranking the first and the last are
    compared where the sort did not need to: how often it agrees is the judge's transitivity."""

    def check(self, where: Where) -> None:
        """As `Comparator.check`, and for a gap that nothing is made of."""
        super().check(where)
        if self.beam_size == 1 and "prob_gap" in self.model_fields_set:
            raise where.error("needs beam_size above 1", "prob_gap")

    def decisive(self) -> dict[str, Any]:
        """As `Comparator.decisive`, and how a rank comes of the comparisons."""
        searched = {
            "samples": self.samples,
            "calibrate": self.calibrate,
            "beam": [self.beam_size, identity_of(self.prob_gap)],
            "band": identity_of(self.band),
        }
        return super().decisive() | {"search": searched}

    async def judge(self, unit: "Unit", responses: Sequence[Response]) -> list[Judgment]:
        """A rank for each response that has a text (equal texts share theirs); all comparisons.

        Neighbours whose comparison is even share a rank. What no readable comparison connects with
        the others has none, and says so.
        """
        different = one_of_each_text(responses)
        if len(different) < 2:
            return []
        search = _Search(self, unit)
        if unit.at_worst:
            await gather(search.ask(*pair) for pair in self._at_worst(different))
            return []
        sort = MergeSort(search.ask, search.toss, self.beam_size, float(self.prob_gap))
        order = await sort.sort(in_drawn_order(unit, self.name, different))
        await gather(search.ask(*pair, RECHECK) for pair in search.open_triples(order, sort))
        ranks = ranks_of(order, sort.probability, float(self.band))
        found = shared_by_text({one: ranks.get(one) for one in order}, responses)
        return [
            *(_ranked(self, unit, response, rank) for response, rank in found),
            *sorted(search.rows, key=_place),
        ]

    def _at_worst(self, different: Sequence[Response]) -> list[tuple[Response, Response]]:
        """As many pairs as a search may take: those with most to read."""
        pairs = sorted(combinations(different, 2), key=lambda pair: -_chars(pair))
        return pairs[: most_comparisons(len(different), self.beam_size) + self.recheck]


def _chars(pair: tuple[Response, Response]) -> int:
    return sum(len(one.text or "") for one in pair)


def _ranked(judge: PairsSearch, unit: "Unit", response: Response, rank: int | None) -> Judgment:
    error = UNCONNECTED if rank is None else None
    return response_row(judge, unit, response, rank=rank, error=error)


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for one prompt's ranking."""

    judge: PairsSearch
    unit: "Unit"
    rows: list[Judgment] = field(default_factory=list)
    """All comparisons, in the order in which they were answered."""

    async def ask(
        self, one: Response, other: Response, dimension: str | None = None
    ) -> float | None:
        """The probability that `one` is better; None where it could not be read."""
        orders = ORDERS
        if not self.judge.calibrate:
            orders = ORDERS[:1] if self._draw("order", one, other) < EVEN else ORDERS[1:]
        compared = await self.judge.compare(
            self.unit, one, other, orders=orders, dimension=dimension
        )
        self.rows.extend(compared.rows)
        return compared.probability(one, other)

    def toss(self, one: Response, other: Response) -> bool:
        """Whether `one` goes first, where the judge does not say; of both ways about the same."""
        return (self._draw("toss", one, other) < EVEN) == (one.response_id < other.response_id)

    def open_triples(
        self, order: Sequence[Response], sort: MergeSort[Response]
    ) -> list[tuple[Response, Response]]:
        """First and last of some neighbours in the ranking that only the one between them connects.

        Of three of which each was found better than the next, `recheck` drawn ones.
        """
        found = [
            (one, three)
            for one, two, three in zip(order, order[1:], order[2:], strict=False)
            if all(self._is_better(sort.probability(*pair)) for pair in ((one, two), (two, three)))
            and not sort.was_asked(one, three)
        ]
        found.sort(key=lambda pair: self._draw(RECHECK, *pair))
        return found[: self.judge.recheck]

    def _is_better(self, p: float | None) -> bool:
        return p is not None and p > EVEN and not is_even(p, float(self.judge.band))

    def _draw(self, purpose: str, one: Response, other: Response) -> float:
        ids = sorted((one.response_id, other.response_id))
        return self.unit.draw(self.judge.name, purpose, *ids)


def _place(row: Judgment) -> tuple[str | int | None, ...]:
    """The place of a comparison's row: replies arrive in any order."""
    return row.response_a_id, row.response_b_id, row.order, row.sample_index
