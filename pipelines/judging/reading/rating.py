"""Ratings: "Rating: 7", and several with a name each."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache, partial

from pipelines.judging.fence import Fence
from pipelines.judging.reading.said import REMARK, Form, hear
from pipelines.judging.reading.scale import Scale

_CHINESE = {character: value for value, character in enumerate("〇一二三四五六七八九十")} | {
    "零": 0
}
_TOP = r"(?:/|out\ of|of)\s*(?P<{}>[0-9]{{1,6}}(?:\.[0-9]{{1,6}})?)"
_RATING = re.compile(
    rf"""
    (?P<value> [-+]?[0-9]{{1,6}}(?:\.[0-9]{{1,6}}|,[0-9]{{1,2}})? | [{"".join(_CHINESE)}] )
    (?: \s*(?P<percent>%) | \s*{_TOP.format("top")} | \s*\(\s*{_TOP.format("top_too")}\s*\)
      | \s*(?:points?|stars?|分|点|점) )?
    {REMARK}
    """,
    re.VERBOSE | re.IGNORECASE,
)
_OTHER_NUMBER = re.compile(
    r"\d|[²³¹¼-¾⁰-₉⅐-↉①-⓿]|\b(?:zero|two|three|four|five|six|seven|eight|nine|ten|half)\b",
    re.IGNORECASE,
)
"""In a remark. Not "one", which seldom is a number there."""
_BLANK = re.compile(r"(?:[KNX]|[<{][^0-9]*[>}]|<[^>]*-[^>]*>|\.{3}|…)(?:\s*\(.*)?", re.IGNORECASE)


def read_rating(
    reply: str, scale: Scale, *, fence: Fence | None = None, truncated: bool = False
) -> Decimal:
    r"""The number of the last own line that starts with "Rating:".

    It may be a decimal, have its top beside it, and be written in the digits of other languages.
    Raises JudgmentError for anything that is not one number on the scale.

    >>> ten = Scale(Decimal(1), Decimal(10))
    >>> for reply in (
    ...     "Good.\nRating: 7", "## **Rating:** 7/10", "- Rating: [[7.0]].", "Rating：７",
    ...     "Rating: 7 (out of 10)", "Rating: 7 - clear, but short", "Rating: 七分", "Rating: ٧",
    ...     "Rating: 3\nOn reflection:\nRating: 7", "Rating: 7\n\nRating: N",
    ... ):
    ...     assert read_rating(reply, ten) == 7
    >>> one, hundred = Scale(Decimal(0), Decimal(1), whole=False), Scale(Decimal(0), Decimal(100))
    >>> read_rating("Rating: 0,75", one), read_rating("Rating: 75%", hundred)
    (Decimal('0.75'), Decimal('75'))
    >>> from pipelines.errors import JudgmentError
    >>> for reply in (
    ...     "Rating: 11", "Rating: 7.5", "Rating: 7-8", "Rating: 7 to 8", "Rating: 7 - no, 8",
    ...     "Rating: 7/5", "Rating: 70%", "Rating: 7+", "Rating: seven", "Rating: N", "7",
    ... ):
    ...     try:
    ...         read_rating(reply, ten)
    ...     except JudgmentError as error:
    ...         print(error)
    "Rating: 11" is not a whole number from 1 to 10
    "Rating: 7.5" is not a whole number from 1 to 10
    "Rating: 7-8" is not a whole number from 1 to 10
    "Rating: 7 to 8" is not a whole number from 1 to 10
    "Rating: 7 - no, 8" is not a whole number from 1 to 10
    "Rating: 7/5" is not a whole number from 1 to 10
    "Rating: 70%" is not a whole number from 1 to 10
    "Rating: 7+" is not a whole number from 1 to 10
    "Rating: seven" is not a whole number from 1 to 10
    no line starts with "Rating:"
    no line starts with "Rating:"
    """
    return hear(reply, fence, truncated).last("Rating", _form(scale))


def read_ratings(
    reply: str, scales: Mapping[str, Scale], *, fence: Fence | None = None, truncated: bool = False
) -> dict[str, Decimal]:
    r"""For each name the number of the last own line that starts with it, as `read_rating` reads.

    Letter case does not count, nor whether spaces, hyphens or underscores join a name. Raises
    JudgmentError where one is missing.

    >>> scales = dict.fromkeys(("clarity", "follows_format"), Scale(Decimal(0), Decimal(4)))
    >>> read_ratings("Clarity: 3 - good\n**Follows format**: 4/4", scales)
    {'clarity': Decimal('3'), 'follows_format': Decimal('4')}
    >>> read_ratings("Clarity: 3", scales)
    Traceback (most recent call last):
    pipelines.errors.JudgmentError: no line starts with "follows_format:"
    """
    said = hear(reply, fence, truncated)
    return {name: said.last(name, _form(scale)) for name, scale in scales.items()}


@cache
def _form(scale: Scale) -> Form[Decimal]:
    return Form(str(scale), partial(_rating, scale), _BLANK)


def _rating(scale: Scale, stated: str) -> Decimal | None:
    """The rating that `stated` states, if it is on the scale.

    >>> _rating(Scale(Decimal(0), Decimal(10), whole=False), "7,5 (out of 10) - good")
    Decimal('7.5')
    """
    match = _RATING.fullmatch(stated)
    if match is None or _OTHER_NUMBER.search(match["remark"] or ""):
        return None
    top = match["top"] or match["top_too"] or ("100" if match["percent"] else None)
    written = match["value"].replace(",", ".")
    value = Decimal(_CHINESE[written]) if written in _CHINESE else Decimal(written)
    if value not in scale or (top is not None and Decimal(top) != scale.high):
        return None
    return value
