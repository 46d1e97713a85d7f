r"""Titles: what stands behind a marker and only numbers or names a response.

### Response 1                 nothing but a number; so are "Response 1 of 3" and "First response"
### Response 1: Traditional    a number and a name, where the response is below
### Response 1: Yes, I would.  a number, and the response itself
### Perhaps.                   the response itself

A number after a word of another language ("Antwort 2") has to be that of the place.
"""

import re
from typing import NamedTuple

_NOUN = r"(?:response|answer|option|version)"
_NUMBER = r"\(?#?(?:\d{1,2}|[a-z]|one|two|three|four|five|six|seven|eight)\)?"
_WORD = r"[^\s\d#*_:.()]+"
"""Of any language: in some, \\w knows but parts of letters."""
_NAMING = re.compile(_NOUN, re.IGNORECASE)
_ORDINAL = r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth)"
_BARE = re.compile(
    rf"[ \t*_]*+(?:(?:the[ ])?{_ORDINAL}[ ]{_NOUN}|{_NOUN}[ \t]*+{_NUMBER}[ ]of[ ]{_NUMBER}"
    rf"|(?:{_NOUN}[ \t]*+)?(?:{_NUMBER})?)[ \t*_]*+[:.)]?[ \t*_#]*+",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"""[.!?…,;。！？][)*_"'”’»]*\Z""")
_ANSWER = re.compile(r"[*_]*(?:(?:yes|no|true|false|maybe|perhaps)\b|\W?\d)", re.IGNORECASE)
"""The start of what a question may be answered with in a line: no name."""
_NUMBERED = re.compile(
    rf"[ \t]*+(?P<opened>[*_]*+)(?:(?:{_NOUN}[ \t]*+{_NUMBER}|{_WORD}[ \t]*+#?(?P<place>[0-9]+))"
    r"(?!\w)[ \t]*+(?P<closed>[*_]*+)[ \t]*+(?:[:：.)–—-]+|(?=\()|$)"
    rf"|{_NUMBER}[:.)]+)(?P<ended>[*_]*)(?:(?<=：)|[ \t]+|(?=\()|$)",
    re.IGNORECASE,
)
"""A number at the start of a line, and the separator after it, or the end of the line."""
MOST_WORDS = 8
"""Of a name; more words are the first line of the response."""


class Untitled(NamedTuple):
    """A response without its title."""

    text: str
    named: bool
    """Whether the title said more than a number."""


def only_numbers(line: str) -> bool:
    """Whether what stands behind a marker is a number at most.

    >>> only_numbers("**Response 2:**"), only_numbers("(b)"), only_numbers("Data")
    (True, True, False)
    """
    return _BARE.fullmatch(line) is not None


def without_title(marked: str, place: int) -> Untitled:
    r"""What stands from one marker to the next, without a title; the first place is 1.

    >>> without_title(" Response 1: Traditional\nFamily first.", 1)
    Untitled(text='Family first.', named=True)
    >>> without_title(" **Antwort 1:** Yes.", 1)
    Untitled(text='Yes.', named=False)
    >>> without_title(" No, and why?\nIt costs.", 1)
    Untitled(text='No, and why?\nIt costs.', named=False)
    """
    line, _, below = marked.partition("\n")
    if only_numbers(line):
        is_all = not below.strip() and not _NAMING.search(line)  # "4" may be the response
        return Untitled((line if is_all else below).strip(), named=False)
    number = _NUMBERED.match(line)
    if number is None or number["place"] not in (None, str(place)):
        return Untitled(marked.strip(), named=False)
    if below.strip() and _is_name(line[number.end() :].strip()):
        return Untitled(below.strip(), named=number.end() < len(line))
    is_closed = number["closed"] or number["ended"]
    opened = "" if is_closed else number["opened"]
    return Untitled(opened + marked[number.end() :].strip(), named=False)


def _is_name(words: str) -> bool:
    is_brief = len(words.split()) <= MOST_WORDS
    return is_brief and not _SENTENCE.search(words) and not _ANSWER.match(words)
