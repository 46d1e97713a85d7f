"""Fragments: where an answer with tool calls is cut into the steps of a search (arXiv 2501.09766)."""

import re
from collections.abc import Sequence
from itertools import pairwise

SEPARATORS = (". ", ", ", "=", "(")
GROUPED = 2
"""Fragments in one step."""


def fragments(text: str, separators: Sequence[str] = SEPARATORS) -> list[str]:
    """`text` cut behind each separator; joined they are `text` again.

    >>> fragments('[weather(city="Oslo", days=2)]')
    ['[weather(', 'city=', '"Oslo", ', 'days=', '2)]']
    """
    behind = "|".join(re.escape(one) for one in separators)
    ends = [found.end() for found in re.finditer(behind, text)] if behind else []
    cuts = [0, *ends, len(text)]
    return [text[start:end] for start, end in pairwise(cuts) if start < end]


def steps(
    text: str, separators: Sequence[str] = SEPARATORS, grouped: int = GROUPED, *, most: int
) -> list[str]:
    """`text` in at most `most` steps of `grouped` fragments; the last one takes all that is left.

    >>> steps('[weather(city="Oslo", days=2)]', most=3)
    ['[weather(city=', '"Oslo", days=', '2)]']
    >>> steps('[weather(city="Oslo", days=2)]', most=2)
    ['[weather(city=', '"Oslo", days=2)]']
    """
    cut = fragments(text, separators)
    ends = range(0, len(cut), grouped)
    groups = ["".join(cut[start : start + grouped]) for start in ends]
    return [*groups[: most - 1], "".join(groups[most - 1 :])] if len(groups) > most else groups
