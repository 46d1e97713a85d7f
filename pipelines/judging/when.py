"""When: a judge that is asked only where another one is unsure, or about its extremes alone.

cheap judge ─> marks ─> unsure? ─ yes ─> strong judge
                           └ no: passed over, and counted
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from operator import gt, le, lt
from typing import Any, Literal

from pydantic import Field

from pipelines.judging.marks import Marks, marks_of
from pipelines.part import Table, Threshold, micro
from schemas.rows import Judgment, Response


class When(Table):
    """The condition on which a judge is asked, by what another judge said of the same responses.

    A prompt is unsure if any of the given conditions holds. A judge of comparisons gives each
    response the mean probability, in [0, 1], that it is the better one (a verdict: 1, 1/2 or 0).
    """

    judge: str
    """Name of the judge that is asked first."""
    of: Literal["prompts", "extremes"] = "prompts"
    """What is asked about where the first judge is unsure: all responses, or only its best and its
    worst (TS-Align). With "extremes" and no condition it is asked about those of every prompt."""
    margin_below: Threshold | None = Field(default=None, gt=0)
    """Unsure where the best and the next best response, of different texts, are less than this
    apart, in score units of the first judge."""
    spread_above: Threshold | None = Field(default=None, ge=0)
    """Unsure where two of its votes on one response (samples, annotators), or on one comparison
    (orders too), are more than this apart. 0: where they differ at all."""
    even_within: Threshold | None = Field(default=None, ge=0, lt=Decimal("0.5"))
    """Unsure where the mean probability of a comparison is so far from 1/2 or nearer. 0: a tie, or
    orders that contradict each other."""
    mass_below: Threshold | None = Field(default=None, gt=0, le=1)
    """Unsure where less probability than this was on valid answers."""
    unread: bool = True
    """Unsure where it could not be read: no score of a response, or a reply on a comparison."""

    def choose(self, judgments: Sequence[Judgment], responses: Sequence[Response]) -> "Choice":
        """The responses to ask about, from what the first judge said of them."""
        marks = marks_of(judgments, (one.response_id for one in responses))
        extremes = _extremes(marks.means(), responses)
        doubt = self._doubt(marks, responses)
        if doubt is None and not (self.of == "extremes" and self._unconditional()):
            return Choice((), None)
        return Choice(tuple(responses) if self.of == "prompts" else extremes, doubt)

    def _unconditional(self) -> bool:
        bounds = (self.margin_below, self.spread_above, self.even_within, self.mass_below)
        return all(bound is None for bound in bounds)

    def _doubt(self, marks: Marks, responses: Sequence[Response]) -> str | None:
        """The first condition that holds, an unread reply before all."""
        conditions = {
            "unread": self.unread and marks.unread,
            "margin": _holds(_margin(marks.means(), responses), lt, self.margin_below),
            "spread": _holds(marks.spread(), gt, self.spread_above),
            "even": _holds(marks.from_even(), le, self.even_within),
            "mass": _holds(min(marks.masses, default=None), lt, self.mass_below),
        }
        return next((name for name, holds in conditions.items() if holds), None)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a judge is asked about, and why."""

    responses: tuple[Response, ...]
    """In their order; for extremes the best, then the worst. Empty: it is passed over."""
    doubt: str | None
    """The condition that held: the name of its field, less "_below", "_above" or "_within"."""


def _holds(
    value: Fraction | int | None, relation: Callable[[Any, Any], bool], bound: Threshold | None
) -> bool:
    """Whether `value` (micro-units) is in `relation` to a bound; not without either of them."""
    return value is not None and bound is not None and relation(value, micro(bound))


def _extremes(means: dict[str, Fraction], responses: Sequence[Response]) -> tuple[Response, ...]:
    """The best and the worst of different texts; of equal ones the smaller id, as in a pairing."""
    marked = [one for one in responses if one.response_id in means]
    if not marked:
        return ()
    best = min(marked, key=lambda one: (-means[one.response_id], one.response_id))
    others = [one for one in marked if one.text != best.text]
    if not others:
        return ()
    return best, min(others, key=lambda one: (means[one.response_id], one.response_id))


def _margin(means: dict[str, Fraction], responses: Sequence[Response]) -> Fraction | None:
    """How far the best text is ahead of the next; None where fewer than two are marked."""
    of_texts: dict[str | None, Fraction] = {}
    for one in responses:
        if one.response_id in means:
            mean = means[one.response_id]
            of_texts[one.text] = max(mean, of_texts.get(one.text, mean))
    highest = sorted(of_texts.values(), reverse=True)[:2]
    return highest[0] - highest[1] if len(highest) == 2 else None
