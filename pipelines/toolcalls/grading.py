"""Grades: how good a policy finds the beginning of its own answer (iTool, arXiv 2501.09766)."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pipelines.backend import Completion, Sampling
from pipelines.errors import JudgmentError
from pipelines.judging.odds import read_odds
from pipelines.toolcalls.rewards import GRADES

LETTERS = tuple(GRADES)

VOTING = Sampling(temperature=1.0, max_tokens=4)
"""How grades are drawn where a model tells no log-probabilities."""


def graded_by_odds(reply: Completion) -> Mapping[str, float] | None:
    """The probabilities of the four grades; None where the reply does not tell them."""
    try:
        return read_odds(reply, LETTERS).of
    except JudgmentError:
        return None


def graded_by_votes(replies: Sequence[Completion]) -> Mapping[str, float] | None:
    """The shares of the four grades among replies that begin with one; None where none does.

    >>> graded_by_votes([Completion("A"), Completion(" b."), Completion("Well"), Completion("A: it")])
    {'A': 0.6666666666666666, 'B': 0.3333333333333333}
    """
    texts = ((reply.text or "").strip().upper() for reply in replies)
    votes = Counter(text[0] for text in texts if text[:1] in LETTERS and not text[1:2].isalpha())
    return {grade: count / votes.total() for grade, count in votes.items()} or None
