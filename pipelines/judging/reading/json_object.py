"""JSON objects: the last own one of a reply, with or without a fence of code and prose around."""

import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelines.errors import JudgmentError
from pipelines.judging.fence import Fence
from pipelines.judging.reading.said import LONGEST_QUOTE, hear

MOST_OBJECTS = 500
"""Opening braces that are looked at, at the most: the last ones."""

_START = re.compile(r"""\{(?=\s*(?:["']|\}))""")
_ENTRY = re.compile(r"""["']\s*:\s*\Z|\[\s*\Z""")
"""Before an object that is an entry of another, or of a list."""
_FURTHER = re.compile(r"""\s*(?:[}\]]|,\s*["'])""")
"""After such a one."""
_BLANK = re.compile(r"""["']\s*:\s*(?:[KNX]\s*[,}]|\.{3}|…|<)""")
"""In a form that was never filled in."""


@dataclass(frozen=True)
class Found:
    """An object in a text, or the start of what would be one."""

    start: int
    end: int
    value: dict[str, Any] | None
    """None where it is no valid object: broken, with a key twice, or part of something broken."""


def read_json(reply: str, *, fence: Fence | None = None, truncated: bool = False) -> dict[str, Any]:
    r"""The last own JSON object of a reply; numbers with a point are Decimals.

    Raises JudgmentError where there is none, or the last is broken or has a key twice.

    >>> read_json('So {"clarity": 3}? No:\n```json\n{"clarity": 2.5, "why": "a } and a {"}\n```')
    {'clarity': Decimal('2.5'), 'why': 'a } and a {'}
    >>> read_json('{"clarity": 3, "clarity": 9}')
    Traceback (most recent call last):
    pipelines.errors.JudgmentError: "{"clarity": 3, "clarity": 9}" is not one valid JSON object, each key once
    """
    said = hear(reply, fence, truncated)
    doubtful = None
    for found in reversed(list(_objects(said.text))):
        end = found.end if fence is None else fence.past_mark(said.text, found.end)
        if not said.is_own(found.start, end):
            doubtful = doubtful or said.quote(found.start, found.end)
        elif found.value is None:
            raise JudgmentError(
                f"{said.quote(found.start, found.end)} is not one valid JSON object, each key once"
            )
        else:
            return found.value
    raise said.unread("there is no JSON object", doubtful)


def _objects(text: str) -> Iterator[Found]:
    """The objects of `text` that are not entries of others, and the starts of broken ones."""
    is_within, end = False, 0
    for match in deque(_START.finditer(text), maxlen=MOST_OBJECTS):
        start = match.start()
        if start < end:
            continue
        value, end = _decoded(text, start)
        if value is None:
            is_within = True
            if not _BLANK.search(text, start, start + LONGEST_QUOTE):
                yield Found(start, _first_line(text, start), None)
        else:
            before = _ENTRY.search(text, max(0, start - LONGEST_QUOTE), start)
            is_within = bool(before or (is_within and _FURTHER.match(text, end)))
            yield Found(start, end, None if is_within else value)


def _first_line(text: str, start: int) -> int:
    """Where the first line of the object that starts at `start` ends, so far as it is quoted."""
    line = text[start : start + LONGEST_QUOTE].split("\n")
    return start + len(line[0] if line[0].strip() != "{" else "\n".join(line[:2]))


def _decoded(text: str, start: int) -> tuple[dict[str, Any] | None, int]:
    """The object that starts at `start`, and its end. None: there is no valid one."""
    try:
        value, end = _DECODER.raw_decode(text, start)
    except (ValueError, ArithmeticError, RecursionError):
        return None, start + 1
    return value, end


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("a key twice")
    return entries


def _refused(constant: str) -> Any:
    raise ValueError(constant)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=Decimal, parse_constant=_refused, strict=False
)
