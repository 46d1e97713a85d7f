"""Bounds: numbers that a judge of one's own gives, held against what selection can reckon with.

A judge on the shelf gives no other numbers than these. One in a user's file may: then the judgment
is one that cannot be read, as any other, and not the end of a build that is paid.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pipelines.intake.cells import LARGEST
from schemas.canonical import MICRO
from schemas.rows import Judgment

Range = tuple[float, float]

ANY: Range = (-LARGEST, LARGEST)
SHARE: Range = (-1 / MICRO, 1 + 1 / MICRO)
"""What lies this little outside 0 to 1 is rounding."""
RANGES = {"score": ANY, "score_a": ANY, "score_b": ANY, "rank": ANY, "p_a": SHARE, "mass": ANY}
"""Field of a judgment -> the lowest and the highest number that it holds."""
NOTHING: dict[str, Any] = dict.fromkeys((*RANGES, "verdict"))
"""What is left of a judgment that says nothing."""


def within_bounds(judgments: Iterable[Judgment]) -> list[Judgment]:
    """The judgments; one with a number that is none, or lies outside its range, says nothing."""
    faults = ((one, _fault(one)) for one in judgments)
    return [replace(one, **NOTHING, error=fault) if fault else one for one, fault in faults]


def _fault(judgment: Judgment) -> str:
    """Why it cannot be read; "" where it can. NaN is in no range."""
    for field, (low, high) in RANGES.items():
        number = getattr(judgment, field)
        if number is not None and not low <= number <= high:
            return f"{field}: {number:g} is outside {low:g} to {high:g}"
    return ""
