"""Marks: what one judge said of one prompt's responses, in whole micro-units, while units run.

A response is marked by its scores; in a comparison it is marked by the probability that it is the
better one (1, 1/2 or 0 for a verdict). So judges of either kind can be asked the same: how sure
are you? Selection does its own sums over tables (`scoring.score`, `scoring.comparisons`).
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction

from schemas.canonical import MICRO
from schemas.rows import Judgment

P_A = {"a": MICRO, "tie": MICRO // 2, "b": 0}
"""The probability that a verdict stands for."""


@dataclass(slots=True)
class Marks:
    """What one judge said of some responses."""

    scores: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Response -> its scores."""
    p_a: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(list))
    """Two responses -> the probabilities that the first is better, one for each order and vote."""
    masses: list[int] = field(default_factory=list)
    """Probabilities of valid answers."""
    unread: bool = False
    """Whether a response has no readable score, or a comparison a reply that cannot be read."""

    def means(self) -> dict[str, Fraction]:
        """Response -> the mean of its marks: of its scores, where the judge gives any."""
        marks: dict[str, list[int]] = defaultdict(list)
        for response, scores in self.scores.items():
            marks[response] += scores
        compared = {} if any(self.scores.values()) else self.p_a  # what a ranking came from
        for (a, b), probabilities in compared.items():
            marks[a] += probabilities
            marks[b] += [MICRO - p for p in probabilities]
        return {response: Fraction(sum(own), len(own)) for response, own in marks.items() if own}

    def spread(self) -> int:
        """The largest distance of two marks of one response, or of one comparison."""
        votes = (own for own in (*self.scores.values(), *self.p_a.values()) if own)
        return max((max(own) - min(own) for own in votes), default=0)

    def from_even(self) -> Fraction | None:
        """How far the most even comparison's mean is from 1/2; None without comparisons."""
        means = (Fraction(sum(own), len(own)) for own in self.p_a.values() if own)
        return min((abs(mean - MICRO // 2) for mean in means), default=None)


def marks_of(judgments: Iterable[Judgment], responses: Iterable[str]) -> Marks:
    """What `judgments` say of `responses`, by their ids; rows about one dimension do not count."""
    marks, known = Marks(), set(responses)
    for one in judgments:
        targets = {one.response_id, one.response_a_id, one.response_b_id} - {None}
        if one.dimension is None and targets <= known:
            _add(marks, one)
    marks.unread = marks.unread or not all(marks.scores.values())
    return marks


def _add(marks: Marks, one: Judgment) -> None:
    if one.mass is not None:
        marks.masses.append(_micro(one.mass))
    if one.response_id is not None:
        own, mark = marks.scores[one.response_id], score_of(one)
    else:
        assert one.response_a_id is not None and one.response_b_id is not None
        own, mark = marks.p_a[one.response_a_id, one.response_b_id], p_a_of(one)
        marks.unread = marks.unread or mark is None
    if mark is not None:
        own.append(mark)


def score_of(one: Judgment) -> int | None:
    """The score of a response, in micro-units; a rank counts as the score -rank."""
    if one.score is not None:
        return _micro(one.score)
    return None if one.rank is None else -MICRO * one.rank


def p_a_of(one: Judgment) -> int | None:
    """The probability that `a` is better, in micro-units, as selection reads it.

    By the scores, else the verdict, else the probability itself.
    """
    if one.score_a is not None and one.score_b is not None:
        apart = _micro(one.score_a) - _micro(one.score_b)
        return P_A["a" if apart > 0 else "b" if apart < 0 else "tie"]
    if one.verdict is not None:
        return P_A[one.verdict]
    return None if one.p_a is None else _micro(one.p_a)


def _micro(value: float) -> int:
    return round(value * MICRO)
