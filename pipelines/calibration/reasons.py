"""Reasons why replies could not be read, counted: those that differ only in numbers are one."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

MOST = 3
"""Most reasons that are kept."""

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


def commonest(reasons: Iterable[str]) -> dict[str, int]:
    """The commonest reasons, with "…" for the numbers in which equal ones differ.

    >>> commonest(["7 of 64 tokens", "no reply", "9 of 64 tokens", "no reply", "no reply"])
    {'no reply': 3, '… of 64 tokens': 2}
    """
    alike: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for reason in reasons:
        alike[tuple(_NUMBER.split(reason))].append(reason)
    counts = Counter({_in_common(equal): len(equal) for equal in alike.values()})
    return dict(counts.most_common(MOST))


def _in_common(reasons: Sequence[str]) -> str:
    places = zip(*map(_NUMBER.findall, reasons), strict=True)
    numbers = ("…" if len(set(place)) > 1 else place[0] for place in places)
    return _NUMBER.sub(lambda _: next(numbers), reasons[0])
