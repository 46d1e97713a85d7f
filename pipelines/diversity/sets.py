r"""Sets: one completion that holds several responses, split strictly.

preamble         dropped
### Response 1   a marker, alone or with a title (`titles`)
text
### text         a marker, and the response on its line
---              dropped between two parts, as is a fence ``` around all of them
### Data         no marker where the prompt has that heading, and a model repeats it
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from pipelines.diversity.arrays import texts_of_array
from pipelines.diversity.titles import only_numbers, without_title
from pipelines.selection.texts import normalised

SHORT = 0.2
"""A part shorter than this share of the median is likely a heading that was taken for a marker."""


@dataclass(frozen=True, slots=True)
class Split:
    """A completion, split."""

    parts: tuple[str, ...]
    """The responses, without white space around them; none is blank, no two are equal."""
    flags: tuple[str, ...] = ()
    """"more_parts": there were more, and the first ones are here; "short_part": one of all is far
    shorter than the others; "cross_reference": one speaks of another; "titled": one had a title that
    said more than its number."""


def split_by_markers(completion: str, n: int, asked: str = "") -> Split | str:
    r"""The `n` responses after markers "###" at the start of a line, or why there are not so many.

    A heading of `asked`, the prompt, is none, unless it only numbers a response.

    >>> split_by_markers("Here:\n### Response 1\nYes.\n### No, and why?\n### Response 3:\nMay be.", 3)
    Split(parts=('Yes.', 'No, and why?', 'May be.'), flags=())
    >>> split_by_markers("### Yes.\n### No.", 3)
    'too_few_parts'
    >>> split_by_markers("### Yes.\n### Yes.", 2)
    'equal_parts'
    >>> split_by_markers("### On\n### Data\nyes\n### Off", 2, asked="Sum up:\n### Data\n1")
    Split(parts=('On\n### Data\nyes', 'Off'), flags=())
    """
    known = {line for line in map(_heading, _MARKER.finditer(asked)) if not only_numbers(line)}
    found = _MARKER.finditer(completion)
    marks = [mark for mark in found if not known or _heading(mark) not in known]
    marked = [without_title(one, place) for place, one in enumerate(_marked(completion, marks), 1)]
    split = _checked([part.text for part in marked], n)
    if isinstance(split, str) or not any(part.named for part in marked if part.text in split.parts):
        return split
    return Split(split.parts, (*split.flags, "titled"))


def split_json(completion: str, n: int) -> Split | str:
    r"""The `n` texts of a JSON array, wherever it stands, or why there are not so many.

    >>> split_json('```json\n["Yes.", "No."]\n```', 2)
    Split(parts=('Yes.', 'No.'), flags=())
    >>> split_json('{"a": 1}', 2)
    'no_array'
    """
    texts = texts_of_array(completion, n)
    return "no_array" if texts is None else _checked([text.strip() for text in texts], n)


def _marked(completion: str, marks: Sequence[re.Match[str]]) -> list[str]:
    """What stands behind each marker, without what only sets parts off from each other."""
    if not marks:
        return []
    starts = [mark.start() for mark in marks]
    found = [
        completion[mark.end() : end] for mark, end in zip(marks, [*starts[1:], None], strict=True)
    ]
    if _opens_fence(completion[: starts[0]]) and _opens_fence(found[-1]):
        found[-1] = _LAST_FENCE.sub("", found[-1])
    *others, last = (_LAST_RULE.sub("", one) for one in found)
    return [*others, last if others != found[:-1] else found[-1]]


def _opens_fence(text: str) -> bool:
    """Whether the last fence in `text` is left open: there is an odd number of them."""
    return len(_FENCE.findall(text)) % 2 == 1


def _checked(texts: list[str], n: int) -> Split | str:
    parts = [text for text in texts if text]
    if len(parts) < n:
        return "too_few_parts"
    flags = ["more_parts"] if len(parts) > n else []
    kept = parts[:n]
    if len({normalised(part) for part in kept}) < n:
        return "equal_parts"
    if min(map(len, parts)) < SHORT * median(map(len, parts)):
        flags.append("short_part")
    if any(_CROSS_REFERENCE.search(part) for part in kept):
        flags.append("cross_reference")
    return Split(tuple(kept), tuple(flags))


def _heading(mark: re.Match[str]) -> str:
    """What stands behind a marker, on its line."""
    return mark.string[mark.end() :].partition("\n")[0].strip()


_MARKER = re.compile(r"^[ \t]*###(?!#)", re.MULTILINE)
_FENCE = re.compile(r"^[ \t]*```", re.MULTILINE)
_LAST_FENCE = re.compile(r"^[ \t]*```\s*\Z", re.MULTILINE)
_LAST_RULE = re.compile(r"^[ \t]*([-*_])(?:[ \t]*\1){2,}\s*\Z", re.MULTILINE)
_CROSS_REFERENCE = re.compile(
    r"\b(?:(?:as|like|unlike) (?:in )?(?:the )?|see (?:the )?)"
    r"(?:first|second|third|fourth|fifth|previous|earlier|other|above|last)\s+(?:response|answer)s?\b"
    r"|\b(?:response|answer) [1-9] (?:above|below)\b",
    re.IGNORECASE,
)
