"""What a reviser replies: its reasoning, then a marker on a line, then the revised answer.

A marker may be bold, a heading, in braces, with a colon or without. The last one that starts a line
counts, since a reviser may quote it while it reasons; one with the fence's token counts before all
others, and where what the reviser was shown holds a marker too, it alone. A marker with text before it
on its line is none.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Direction = Literal["better", "worse"]

MARKERS: dict[Direction, str] = {"better": "corrected", "worse": "worsened"}
"""The first word of the marker, by the direction of the revision."""

_DECORATION = r"[ \t]*(?:[#>*_{]+[ \t]*)*"
_END = r"(?:[*_}]+[ \t]*:?[*_}]*|[ \t]*:[*_}]*|(?=[ \t]*$))[ \t]*"
"""Closing decoration or a colon, unless the line ends: "Corrected answers..." is a sentence."""


@dataclass(frozen=True, slots=True)
class Revised:
    """A reply, read."""

    text: str
    """The revised answer, without white space around it; never blank."""
    rationale: str
    """What stands before the marker; "" if nothing does."""


def read_revision(
    reply: str, direction: Direction = "better", token: str = "", shown: Iterable[str] = ()
) -> Revised | str:
    r"""The revised answer, or why there is none: "no_marker" or "empty_revision".

    `shown` is what the reviser was shown: the prompt, and the answer that is revised.

    >>> read_revision("It is short.\n**Corrected Student Solution:**\nFour.")
    Revised(text='Four.', rationale='It is short.')
    >>> read_revision("{corrected_student_solution}: Four.").text
    'Four.'
    >>> read_revision("The line {corrected_student_solution} follows.\nCorrected answer\nFour.").text
    'Four.'
    >>> read_revision("Four.")
    'no_marker'
    >>> read_revision("Corrected answer:\n")
    'empty_revision'
    >>> read_revision("Corrected answer 5c1f:\nA\nCorrected answer:\nB", token="5c1f").text
    'A\nCorrected answer:\nB'
    >>> read_revision("Corrected answer:\nA", token="5c1f", shown=["Corrected answer:\nB"])
    'no_marker'
    """
    marker = _marker(direction, token)
    marks = list(marker.finditer(reply))
    own = [mark for mark in marks if token and mark["token"]]
    if not marks or (not own and any(marker.search(text) for text in shown)):
        return "no_marker"
    mark = (own or marks)[-1]
    text = reply[mark.end() :].strip()
    return Revised(text, _rationale(reply[: mark.start()])) if text else "empty_revision"


def _marker(direction: Direction, token: str) -> re.Pattern[str]:
    word = MARKERS[direction]
    own = rf"(?:[ \t]+\(?(?P<token>{re.escape(token)})\)?)?" if token else ""
    noun = r"(?:[ _]student)?[ _](?:solution|answer)"
    return re.compile(rf"^{_DECORATION}{word}{noun}{own}{_END}", re.IGNORECASE | re.MULTILINE)


def _rationale(text: str) -> str:
    """Without the marker of the reasoning, if it begins with one."""
    return _REASONING.sub("", text, count=1).strip()


_REASONING = re.compile(
    rf"\A\s*{_DECORATION}(?:teacher[ _])?reasoning{_END}", re.IGNORECASE | re.MULTILINE
)
