"""Scales: the ratings that a judge may give."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Scale:
    """The ratings from `low` to `high`.

    >>> Decimal("7.0") in Scale(Decimal(1), Decimal(10)), Decimal("7.5") in Scale(Decimal(1), Decimal(10))
    (True, False)
    """

    low: Decimal
    high: Decimal
    whole: bool = True
    """Whole numbers only."""

    def __str__(self) -> str:
        noun = "a whole number" if self.whole else "a number"
        return f"{noun} from {self.low:f} to {self.high:f}"

    def __contains__(self, value: Decimal) -> bool:
        return self.low <= value <= self.high and not (self.whole and value % 1)
