"""Rankings: "Ranking: B > A = C", the best first."""

import re
from collections.abc import Sequence
from functools import partial

from pipelines.judging.fence import Fence
from pipelines.judging.reading.said import Form, hear

_PREFIX = re.compile(r"\bresponse\s+|[()]", re.IGNORECASE)


def read_ranking(
    reply: str, letters: Sequence[str], *, fence: Fence | None = None, truncated: bool = False
) -> list[list[str]]:
    """The ranks of the last own line that starts with "Ranking:", the best first.

    `letters` stand for what was shown; those of equal rank share a list. Raises JudgmentError
    unless each is named once, or "tie" stands for all of them.

    >>> read_ranking("Ranking: B > A = C", "ABC"), read_ranking("**Ranking:** [c] > [B] > [a].", "ABC")
    ([['B'], ['A', 'C']], [['C'], ['B'], ['A']])
    >>> read_ranking("Ranking: tie", "ABC")
    [['A', 'B', 'C']]
    >>> read_ranking("Ranking: B > A", "ABC")
    Traceback (most recent call last):
    pipelines.errors.JudgmentError: "Ranking: B > A" is not a ranking of A, B, C, each once, with > and =
    """
    wanted = f"a ranking of {', '.join(letters)}, each once, with > and ="
    form = Form(wanted, partial(_ranking, tuple(letters)), _blank(letters))
    return hear(reply, fence, truncated).last("Ranking", form)


def _ranking(letters: Sequence[str], stated: str) -> list[list[str]] | None:
    if stated.removesuffix(".").casefold() == "tie":
        return [list(letters)]
    known = {letter.casefold(): letter for letter in letters}
    ranks = [
        [known.get(letter.strip().casefold()) for letter in rank.split("=")]
        for rank in _PREFIX.sub("", stated).removesuffix(".").split(">")
    ]
    named = [letter for rank in ranks for letter in rank if letter is not None]
    if sorted(named) != sorted(letters) or any(None in rank for rank in ranks):
        return None
    return [[letter for letter in rank if letter is not None] for rank in ranks]


def _blank(letters: Sequence[str]) -> re.Pattern[str]:
    """X, Y and Z, where they stand for no response."""
    letter = f"[{''.join(sorted({'X', 'Y', 'Z'} - set(letters))) or '…'}]"
    return re.compile(rf"{letter}(?:\s*[>=]\s*{letter})*|<.*>|\.{{3}}|…")
