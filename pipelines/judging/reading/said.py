r"""What a judge says of its own in a reply: not what it thinks, quotes or repeats.

    thoughts </think>   only what follows the tag counts
    cut off             of a truncated reply only whole lines count: "Rating: 1" may begin a 10
    quoted, repeated    what stands in the judged texts is not the judge's own (`fence.py`)
    the form itself     "Rating: N" states nothing

Of what remains the last statement counts, and counts as it stands.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

from pipelines.errors import JudgmentError
from pipelines.judging.fence import Fence
from pipelines.judging.plain import plain

StatedT = TypeVar("StatedT")

LONGEST_QUOTE = 80
"""Characters of a judge's line that an error quotes."""

REMARK = r"""(?:[.!]?|\s*(?:[-–—]+|[,;:.!(])\s*(?P<remark>["'(]*[^\W\d_].*))"""
"""What may follow a statement: nothing, or a remark that is set off by a mark."""

_THOUGHT = "</think>"
_WRAPPED = re.compile(r"""[<({"'「【](.*)[>)}"'」】]\.?""")


@dataclass(frozen=True)
class Form(Generic[StatedT]):
    """How a statement is written."""

    wanted: str
    """What it must be, for messages."""
    read: Callable[[str], StatedT | None]
    """Its value; None where it is not what is wanted."""
    blank: re.Pattern[str]
    """The form that was never filled in."""


@dataclass(frozen=True)
class Said:
    """The part of a reply that may count."""

    text: str
    fence: Fence | None
    is_cut: bool

    def is_own(self, start: int, end: int) -> bool:
        """Whether `text[start:end]` is the judge's own."""
        return self.fence is None or self.fence.is_own(self.text, start, end)

    def last(self, label: str, form: Form[StatedT]) -> StatedT:
        """What the last own line states that starts with `label` and a colon.

        Raises JudgmentError where there is none, or it is not what is wanted.
        """
        doubtful = None
        for start, end, stated in self._lines(label):
            if form.blank.fullmatch(stated):
                continue
            if not self.is_own(start, end):
                doubtful = doubtful or self.quote(start, end)
                continue
            wrapped = _WRAPPED.fullmatch(stated)
            value = form.read(wrapped[1].strip() if wrapped else stated)
            if value is None:
                raise JudgmentError(f"{self.quote(start, end)} is not {form.wanted}")
            return value
        raise self.unread(f'no line starts with "{label}:"', doubtful)

    def unread(self, missing: str, doubtful: str | None) -> JudgmentError:
        """Why there is nothing of the judge's own; `doubtful` is what might have been."""
        cut = "the reply was cut off: " if self.is_cut else ""
        if doubtful is None or self.fence is None:
            return JudgmentError(f"{cut}{missing}")
        return JudgmentError(
            f"{cut}{doubtful} stands in the judged texts too; if it is your own, write "
            f"{self.fence.token} after it"
        )

    def quote(self, start: int, end: int) -> str:
        """`text[start:end]` for a message."""
        return f'"{" ".join(self.text[start:end].split())[:LONGEST_QUOTE]}"'

    def _lines(self, label: str) -> Iterator[tuple[int, int, str]]:
        """Start and end of each line that starts with `label`, and what it states; last first."""
        start, end = _start_of(label), len(self.text)
        while end >= 0:
            first = self.text.rfind("\n", 0, end) + 1
            line = self.text[first:end]
            if self.fence is not None:
                line = self.fence.unmarked(line)
            match = start.match(plain(line))
            if match:
                yield first, end, match[1].strip()
            end = first - 1


def hear(reply: str, fence: Fence | None, truncated: bool) -> Said:
    r"""The part of `reply` that may count.

    A closing tag that stands in a judged text may be repeated from there, and cuts nothing off.

    >>> hear("7 or 8?</think>Rating: 8\nIt is", None, True).text
    'Rating: 8'
    """
    text = reply.rpartition("\n")[0] if truncated else reply
    if _THOUGHT in text and not (fence and any(_THOUGHT in shown for shown in fence.texts)):
        text = text.rpartition(_THOUGHT)[2]
    return Said(text, fence, truncated)


@cache
def _start_of(label: str) -> re.Pattern[str]:
    words = r"[\s-]*".join(re.escape(plain(word)) for word in re.split(r"[\s_-]+", label))
    return re.compile(rf"[-+•·#\s]*(?:[0-9]{{1,3}}[.)]\s*)?{words}\s*:(.*)", re.IGNORECASE)
