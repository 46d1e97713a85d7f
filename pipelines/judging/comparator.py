"""The comparator: which of two responses a model finds better, shown in both orders.

    AB ─> "A" or P(A)   ┐
    BA ─> "B" or P(B)   ┴─> p_a = (P(A|AB) + P(B|BA)) / 2

Judges favour a position (methods: FastChat, JudgeBench, PairS). `pairwise`, `pairs_search` and
`tournament` compare by it; each order is a row of its own, and selection makes one of them by the
judge's tie rule.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial
from math import fsum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from pipelines.backend import Completion, Sampling
from pipelines.errors import JudgmentError
from pipelines.judging.fence import Fence
from pipelines.judging.marks import P_A
from pipelines.judging.model_judge import GREEDY, Heard, ModelJudge
from pipelines.judging.odds import LIKELIEST, Odds, check_odds, hear_odds
from pipelines.judging.reading import Shown, read_verdict
from pipelines.judging.stated_token import stated_token
from pipelines.judging.tie_rule import TieRule
from pipelines.part import Threshold, Where, micro
from pipelines.unit import gather
from schemas.canonical import MICRO, make_id
from schemas.rows import Judgment, Order, Response, Verdict, judgment_id

if TYPE_CHECKING:
    from pipelines.unit import Unit

Pair = tuple[Response, Response]
"""Two responses, the one with the smaller id first: `a` and `b`."""

ORDERS: tuple[Order, ...] = ("AB", "BA")

NEITHER = "C"
"""The letter of a tie: "tie" may be several tokens."""

BEGINNINGS_OF_TIE = ("t", "ti", "tie")
"""What the first of them may be, where a judge reasons first."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What was said of two responses."""

    rows: tuple[Judgment, ...]
    """One for each sample of each order."""
    p_a: float | None
    """Probability that `a` is better: the mean over the orders, then over the samples of which all
    orders could be read (a verdict counts 1, 1/2 or 0). None where there is no such sample."""

    def probability(self, one: Response, other: Response) -> float | None:
        """That `one` of the two is better."""
        if self.p_a is None or one.response_id < other.response_id:
            return self.p_a
        return 1 - self.p_a


class Comparator(ModelJudge):
    """Asks a model which of two responses is better."""

    own_template: ClassVar[Path] = Path(__file__).parents[1] / "judges" / "pairwise.jinja"
    candidates: ClassVar[tuple[str, ...]] = ("response_a", "response_b")
    relative: ClassVar[bool] = True

    template: str | None = None
    """Path of your own template, relative to the recipe: a Jinja file that gives the one message
    the judge reads. It may use `conversation` (a list of messages with `role` and `text`), `tools`,
    `reference` (either may be none), `response_a` and `response_b`, `form`, the reply or last line
    that is asked for, `ties` and `alone` (whether neither may be better; whether the verdict is all
    of the reply), and `mark`, between which texts come. Default: the judge's own."""
    read: Literal["verdict", "probability"] = "verdict"
    """What of a reply counts. "verdict": what it says. "probability": the log-probabilities of A
    and B (and of C, neither, which counts half for each) at the verdict's token, over their sum,
    which is the judgment's `mass`; below 0.5 it is not read. One token is asked for, or a reason
    first where sampling.max_tokens is above 1. The model must give log-probabilities."""
    ties: bool = True
    """Whether the judge may say that neither is better."""
    band: Threshold = Field(default=Decimal(0), ge=0, lt=Decimal("0.5"))
    """A probability so far from 0.5 or nearer is a tie, in [0, 0.5). With 0.25 a verdict and a tie
    in the other order are one, too."""

    def check(self, where: Where) -> None:
        """As `ModelJudge.check`, and for a scale, which comparisons do not have."""
        if "scale" in self.model_fields_set:
            raise where.error("this judge compares and has no scale of its own", "scale")
        if self.read == "probability":
            check_odds(self, where, setting='read = "probability"', alone=self.alone)
        super().check(where)

    def decisive(self) -> dict[str, Any]:
        """As `ModelJudge.decisive`, and whether odds are read rather than words."""
        return super().decisive() | ({"reads": "odds"} if self.read == "probability" else {})

    def tie_rule(self) -> TieRule:
        """The orders are averaged, as in PairS."""
        return TieRule("average", micro(self.band))

    @cached_property
    def decoding(self) -> Sampling:
        """The sampling asked for: greedy, or one likeliest token, where the recipe leaves it open."""
        return self.sampling.over(LIKELIEST if self.read == "probability" else GREEDY)

    @property
    def alone(self) -> bool:
        """Whether the verdict is all of the reply."""
        return self.read == "probability" and self.decoding.max_tokens == 1

    @cached_property
    def answers(self) -> tuple[str, ...]:
        """The verdicts that the judge may give, as the tokens that they begin with."""
        neither = (NEITHER,) if self.alone else BEGINNINGS_OF_TIE
        return ("A", "B", *(neither if self.ties else ()))

    def form(self) -> dict[str, Any]:
        """The wanted reply or last line, and what it may say."""
        if self.alone:
            neither = f", or {NEITHER} if neither is better" if self.ties else ""
            form = f"X\n(X: A or B{neither})"
        else:
            form = f"Verdict: X\n(X: {'A, B or tie' if self.ties else 'A or B'})"
        return {"form": form, "ties": self.ties, "alone": self.alone}

    def specimen(self) -> str:
        """A verdict."""
        return "A" if self.alone else "Verdict: A"

    async def compare(
        self,
        unit: "Unit",
        one: Response,
        other: Response,
        *,
        orders: Sequence[Order] = ORDERS,
        dimension: str | None = None,
    ) -> Compared:
        """What is said of two responses with different texts: a call for each order and sample."""
        pair = _sorted(one, other)
        said = await gather(self._rows(unit, pair, order, dimension) for order in orders)
        rows = tuple(row for of_order in said for row in of_order)
        return Compared(rows, _p_a(rows))

    async def _rows(
        self, unit: "Unit", pair: Pair, order: Order, dimension: str | None
    ) -> list[Judgment]:
        texts = dict(zip(self.candidates, _texts(pair, order), strict=True))
        asked = await self.put(unit, texts, self.form())
        if self.read == "probability":
            place = partial(self._place, fence=asked.fence)
            said = [
                hear_odds(asked, at, self.answers, place, self._p_first)
                for at in range(self.samples)
            ]
            return [
                self._row(unit, pair, order, dimension, one, p_a=_turned(one.value, order))
                for one in said
            ]
        heard = await gather(self.hear(unit, asked, at, self._read) for at in range(self.samples))
        return [
            self._row(unit, pair, order, dimension, one, verdict=verdict_of(one.value, order))
            for one in heard
        ]

    def _read(self, reply: str, fence: Fence, truncated: bool) -> Shown:
        shown = read_verdict(reply, fence=fence, truncated=truncated)
        if shown not in self.answers:
            raise JudgmentError("a tie is no verdict here: it must be A or B")
        return shown

    def _p_first(self, odds: Odds) -> float:
        """The probability that A, as shown, is better; neither counts half."""
        return odds.of["A"] + fsum(odds.of[answer] for answer in self.answers[2:]) / 2

    def _place(self, reply: Completion, fence: Fence) -> int:
        """The token that is the verdict."""
        if not reply.logprobs:
            raise JudgmentError('the reply has no log-probabilities; read = "verdict" needs none')
        return 0 if self.alone else stated_token(reply, fence, read_verdict, _begins)

    def _row(
        self,
        unit: "Unit",
        pair: Pair,
        order: Order,
        dimension: str | None,
        heard: Heard[Any],
        **said: Any,
    ) -> Judgment:
        a, b = (response.response_id for response in pair)
        prompt, identity = pair[0].prompt_id, self.judge_identity(unit)
        comparison = make_id("comparison", prompt, a, b, self.name)
        return Judgment(
            judgment_id=judgment_id(
                target=comparison,
                judge_identity=identity,
                judge=self.name,
                order=order,
                annotator=None,
                index=heard.index,
                dimension=dimension,
            ),
            prompt_id=prompt,
            judge=self.name,
            judge_identity=identity,
            response_a_id=a,
            response_b_id=b,
            comparison_id=comparison,
            order=order,
            sample_index=heard.index,
            dimension=dimension,
            mass=heard.mass,
            raw=heard.raw,
            reasoning=heard.reasoning,
            error=heard.error,
            **said,
        )


def verdict_of(shown: Shown | None, order: Order) -> Verdict | None:
    """A verdict on `a` and `b`, from the letters under which they were shown.

    >>> verdict_of("A", "AB"), verdict_of("A", "BA"), verdict_of("tie", "BA")
    ('a', 'b', 'tie')
    """
    if shown is None or shown == "tie":
        return shown
    return "a" if (shown == "A") == (order == "AB") else "b"


def _begins(token: str, verdict: Shown) -> bool:
    return token.lower() in (BEGINNINGS_OF_TIE if verdict == "tie" else (verdict.lower(),))


def _p_a(rows: Iterable[Judgment]) -> float | None:
    """See `Compared.p_a`. In micro-units, so that P and 1 - P are exactly even."""
    votes: dict[int | None, list[int | None]] = defaultdict(list)
    for row in rows:
        votes[row.sample_index].append(_micro(row))
    read = [[p for p in vote if p is not None] for vote in votes.values() if None not in vote]
    if not read:
        return None
    return fsum(sum(vote) / (MICRO * len(vote)) for vote in read) / len(read)


def _micro(row: Judgment) -> int | None:
    if row.verdict is not None:
        return P_A[row.verdict]
    return None if row.p_a is None else round(row.p_a * MICRO)


def _turned(p: float | None, order: Order) -> float | None:
    """The probability that `a` is better, from that of what was shown as A."""
    return p if p is None or order == "AB" else round(1 - p, 6)


def _sorted(one: Response, other: Response) -> Pair:
    return (one, other) if one.response_id < other.response_id else (other, one)


def _texts(pair: Pair, order: Order) -> list[str]:
    texts = [str(response.text) for response in pair]
    return texts if order == "AB" else texts[::-1]
