"""Aggregates: the ratings of a rubric's dimensions become the score of the whole response."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from pipelines.errors import JudgmentError

RULES = ("mean", "min", "weighted")
"""What is no name of a dimension."""

NOT_APPLICABLE = "not applicable"
"""Said instead of a rating: the dimension says nothing about this response."""

Said = Decimal | str
"""A rating, or why there is none."""


@dataclass(frozen=True, slots=True)
class Aggregate:
    """How ratings become one score."""

    rule: str
    """One of `RULES`, or the name of the dimension that is the score."""
    weights: Mapping[str, Decimal]
    """For "weighted": score = sum of weight x rating, as HelpSteer2's goodness."""
    skips: bool = True
    """Whether a mean or a least rating leaves out what does not apply."""

    def score(self, said: Mapping[str, Said]) -> Decimal:
        """The score. Raises JudgmentError where a rating that it needs is missing.

        >>> Aggregate("mean", {}).score({"a": Decimal(4), "b": Decimal(1), "c": NOT_APPLICABLE})
        Decimal('2.5')
        """
        ratings = {name: one for name, one in said.items() if isinstance(one, Decimal)}
        missing = [name for name in self._needed(said) if name not in ratings]
        if missing:
            raise JudgmentError(f"no score of {', '.join(missing)}")
        if not ratings:
            raise JudgmentError("no dimension applies")
        if self.rule == "mean":
            return sum(ratings.values(), Decimal(0)) / len(ratings)
        if self.rule == "min":
            return min(ratings.values())
        if self.rule == "weighted":
            return self._weighted(ratings)
        return ratings[self.rule]

    def bounds(self, scales: Mapping[str, tuple[int, int]]) -> tuple[Decimal, Decimal]:
        """The lowest and the highest score, from those of the dimensions."""
        if self.rule in scales:
            low, high = scales[self.rule]
            return Decimal(low), Decimal(high)
        if self.rule != "weighted":
            lows, highs = zip(*scales.values(), strict=True)
            return Decimal(min(lows)), Decimal(max(highs))
        ends = {name: (Decimal(low), Decimal(high)) for name, (low, high) in scales.items()}
        worst = {name: ends[name][weight < 0] for name, weight in self.weights.items()}
        best = {name: ends[name][weight >= 0] for name, weight in self.weights.items()}
        return self._weighted(worst), self._weighted(best)

    def _needed(self, said: Mapping[str, Said]) -> list[str]:
        if self.rule == "weighted":
            return list(self.weights)
        if self.rule not in RULES:
            return [self.rule]
        return [name for name, one in said.items() if one != NOT_APPLICABLE or not self.skips]

    def _weighted(self, ratings: Mapping[str, Decimal]) -> Decimal:
        return sum((weight * ratings[name] for name, weight in self.weights.items()), Decimal(0))
