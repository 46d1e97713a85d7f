"""Opinion: what a judge said of one labelled pair, in each order and in all.

In between, a verdict is a number: 1 for a, -1 for b, 0 for a tie, None for unread.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log

from pipelines.calibration.labelled import Winners
from pipelines.judging.marks import p_a_of, score_of
from schemas.canonical import MICRO
from schemas.rows import Judgment, Verdict

Sign = int | None

SIGNS: dict[Verdict, int] = {"a": 1, "b": -1, "tie": 0}

SUREST = 1e-6
"""Probabilities are kept so far from 0 and 1: their log-odds shall be finite."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one judge said of a and b."""

    orders: tuple[Sign, Sign] = (None, None)
    """Its verdict with a shown first, and with b shown first."""
    asked: tuple[bool, bool] = (False, False)
    """Whether these orders were asked for; neither, where responses are judged one by one."""
    verdict: Sign = None
    """All of it together; None: nothing could be read."""
    evidence: float | None = None
    """Log-odds that a is better, or the difference of the scores; None for mere verdicts."""
    is_probability: bool = False
    """Whether `evidence` are log-odds."""
    replies: int = 0
    read: int = 0
    """Replies that could be read."""
    unread: tuple[str, ...] = ()
    """Why the others could not, as far as it is known."""


def vote(orders: Iterable[Sign]) -> Sign:
    """One verdict of those in both orders, as JudgeBench has it: the sign of their sum.

    An order that is a tie or unread adds 0; None where no order could be read.

    >>> vote([1, 1]), vote([1, 0]), vote([1, -1]), vote([1, None]), vote([None, None])
    (1, 1, 0, 1, None)
    """
    known = [one for one in orders if one is not None]
    return _sign(sum(known)) if known else None


def recorded_opinion(winners: Winners) -> Opinion:
    """The opinion in a row of recorded judgments."""
    ab, ba = (None if said is None else SIGNS[said] for said in (winners.ab, winners.ba))
    return Opinion(
        orders=(ab, ba),
        asked=winners.asked,
        verdict=vote((ab, ba)),
        replies=sum(winners.asked),
        read=sum(one is not None for one in (ab, ba)),
        unread=winners.unread,
    )


def opinion_of(judgments: Sequence[Judgment], a: str, b: str, band: int = 0) -> Opinion:
    """The opinion in one judge's judgments of the responses with ids `a` and `b`.

    Comparisons count where there are any, else scores (or ranks) of the two. A probability within
    `band` micro-units of 1/2 is a tie (`TieRule.band`).
    """
    comparisons = [one for one in judgments if one.response_a_id is not None]
    return _compared(comparisons, a, band) if comparisons else _scored(judgments, a, b)


def _scored(judgments: Sequence[Judgment], a: str, b: str) -> Opinion:
    """Of each response the mean of its scores, exactly, as selection takes it."""
    marks = [(one.response_id, mark) for one in judgments if (mark := score_of(one)) is not None]
    first, second = (_mean([mark for of, mark in marks if of == side]) for side in (a, b))
    apart = None if first is None or second is None else first - second
    return Opinion(
        verdict=None if apart is None else _sign(apart),
        evidence=None if apart is None else float(apart / MICRO),
        replies=len(judgments),
        read=len(marks),
        unread=tuple(one.error for one in judgments if one.error and score_of(one) is None),
    )


def _compared(comparisons: Sequence[Judgment], a: str, band: int) -> Opinion:
    """Samples of one order make one verdict of it, then both orders one.

    Where probabilities alone are given, the mean over both orders decides (PairS), as in a build.
    """
    orders = [_order_shown(one, a) for one in comparisons]
    said = [_said(one, a, band) for one in comparisons]
    of_orders = {
        order: vote([sign for own, sign in zip(orders, said, strict=True) if own == order])
        for order in dict.fromkeys(orders)
    }
    mean = _mean_p([_p(one, a) for one in comparisons])
    evidence = None if mean is None else _log_odds(mean)
    outright = any(one.verdict is not None or one.score_a is not None for one in comparisons)
    averaged = None if mean is None or outright else _leaning(mean, band)
    return Opinion(
        orders=(of_orders.get("AB"), of_orders.get("BA")),
        asked=("AB" in of_orders, "BA" in of_orders),
        verdict=vote(of_orders.values()) if averaged is None else averaged,
        evidence=evidence,
        is_probability=evidence is not None,
        replies=len(comparisons),
        read=sum(sign is not None for sign in said),
        unread=tuple(one.error for one in comparisons if one.error and p_a_of(one) is None),
    )


def _order_shown(judgment: Judgment, a: str) -> str | None:
    """The order in terms of the labelled sides: a judgment's own `a` may be the labelled b."""
    if judgment.order is None or judgment.response_a_id == a:
        return judgment.order
    return "BA" if judgment.order == "AB" else "AB"


def _said(judgment: Judgment, a: str, band: int) -> Sign:
    """The verdict of one judgment: its scores, else its verdict, else its probability."""
    p = p_a_of(judgment)
    if p is None:
        return None
    own = _leaning(Fraction(p), band)
    return own if judgment.response_a_id == a else -own


def _p(judgment: Judgment, a: str) -> float | None:
    if judgment.p_a is None:
        return None
    return judgment.p_a if judgment.response_a_id == a else 1.0 - judgment.p_a


def _mean_p(probabilities: Sequence[float | None]) -> Fraction | None:
    """The mean, exactly, in micro-units; None where one is missing: the others lean to one side."""
    known = [_micro(p) for p in probabilities if p is not None]
    return _mean(known) if len(known) == len(probabilities) else None


def _leaning(p: Fraction, band: int) -> int:
    """The verdict of a probability in micro-units."""
    apart = p - Fraction(MICRO, 2)
    return 0 if abs(apart) <= band else _sign(apart)


def _log_odds(mean: Fraction) -> float:
    p = min(max(float(mean / MICRO), SUREST), 1 - SUREST)
    return log(p / (1 - p))


def _mean(marks: Sequence[int]) -> Fraction | None:
    return Fraction(sum(marks), len(marks)) if marks else None


def _micro(value: float) -> int:
    return round(value * MICRO)


def _sign(value: float | Fraction) -> int:
    return (value > 0) - (value < 0)
