"""Reading what a judge says: the last line of its own that gives a rating or a verdict.

Nothing is guessed: what is not exactly a rating or a verdict is a JudgmentError, whose text is
fit to be quoted back to the judge.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Literal

from pipelines.errors import JudgmentError
from pipelines.judging.fence import Fence

Shown = Literal["A", "B", "tie"]
"""A verdict in the letters that the judge was shown."""

LONGEST_QUOTE = 80
"""Characters of a judge's line that an error quotes."""

_DECORATION = re.compile(r"[*_`]|\[\[|\]\]")
_RATING = re.compile(
    r"(?P<value>[-+−]?[0-9]+(?:\.[0-9]+)?)(?:\s*(?:/|out of)\s*(?P<highest>[0-9]+))?\s*\.?",
    re.IGNORECASE,
)
_SHOWN: dict[str, Shown] = {"a": "A", "b": "B", "tie": "tie"}


@dataclass(frozen=True, slots=True)
class Scale:
    """The ratings that a judge may give."""

    low: Decimal
    high: Decimal
    whole: bool = True
    """Whole numbers only."""

    def __str__(self) -> str:
        noun = "a whole number" if self.whole else "a number"
        return f"{noun} from {self.low:f} to {self.high:f}"

    def __contains__(self, value: Decimal) -> bool:
        return self.low <= value <= self.high and not (self.whole and value % 1)


def read_rating(
    reply: str, scale: Scale, *, fence: Fence | None = None, truncated: bool = False
) -> Decimal:
    r"""The number of the last line that starts with "Rating:" in the judge's own words.

    Of a `truncated` reply only whole lines count: "Rating: 1" may be the start of a 10. Raises
    JudgmentError for anything that is not one number on the scale.

    >>> ten = Scale(Decimal(1), Decimal(10))
    >>> for reply in ("Good.\nRating: 7", "**Rating:** 7/10", "Rating: [[7.0]].", "### Rating: 7"):
    ...     assert read_rating(reply, ten) == 7
    >>> read_rating("Rating: 3\nOn reflection:\nRating: 4", ten)
    Decimal('4')
    >>> read_rating("Rating: 0.75", Scale(Decimal(0), Decimal(1), whole=False))
    Decimal('0.75')
    >>> for reply in ("Rating: 11", "Rating: 7-8", "Rating: seven", "Rating: 7/5", "7", "Rating: 7.5"):
    ...     try:
    ...         read_rating(reply, ten)
    ...     except JudgmentError as error:
    ...         print(error)
    "Rating: 11" is not a whole number from 1 to 10
    "Rating: 7-8" is not a whole number from 1 to 10
    "Rating: seven" is not a whole number from 1 to 10
    "Rating: 7/5" is not a whole number from 1 to 10
    no line starts with "Rating:"
    "Rating: 7.5" is not a whole number from 1 to 10
    """
    line, stated = _last_line("Rating", reply, fence, truncated)
    match = _RATING.fullmatch(stated)
    value = Decimal(match["value"].replace("−", "-")) if match else None
    other_scale = match and match["highest"] and Decimal(match["highest"]) != scale.high
    if value is None or other_scale or value not in scale:
        raise JudgmentError(f'"{line}" is not {scale}')
    return value


def read_verdict(reply: str, *, fence: Fence | None = None, truncated: bool = False) -> Shown:
    r"""What the last line that starts with "Verdict:" says in the judge's own words.

    Raises JudgmentError for anything but A, B or tie.

    >>> read_verdict("A is longer.\nVerdict: B"), read_verdict("**Verdict: [[a]]**")
    ('B', 'A')
    >>> read_verdict("Verdict: Tie.")
    'tie'
    >>> read_verdict("Verdict: A or B")
    Traceback (most recent call last):
    pipelines.errors.JudgmentError: "Verdict: A or B" is not one of A, B and tie
    """
    line, stated = _last_line("Verdict", reply, fence, truncated)
    shown = _SHOWN.get(stated.removesuffix(".").strip().lower())
    if shown is None:
        raise JudgmentError(f'"{line}" is not one of A, B and tie')
    return shown


def _last_line(label: str, reply: str, fence: Fence | None, truncated: bool) -> tuple[str, str]:
    """The last own line that starts with `label` and a colon, and what it says after them."""
    heard = reply.rpartition("\n")[0] if truncated else reply
    start, end = _start_of(label), len(heard)
    while end >= 0:
        first = heard.rfind("\n", 0, end) + 1
        line = heard[first:end]
        match = start.fullmatch(_DECORATION.sub("", line).strip())
        if match and (fence is None or fence.is_own(heard, first, end)):
            return line.strip()[:LONGEST_QUOTE], match[1].strip()
        end = first - 1
    cut = "the reply was cut off: " if truncated else ""
    raise JudgmentError(f'{cut}no line starts with "{label}:"')


@cache
def _start_of(label: str) -> re.Pattern[str]:
    return re.compile(rf"[#\-\s]*{label}\s*[:：](.*)", re.IGNORECASE)
