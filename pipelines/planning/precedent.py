"""Precedents: units that are paid in full tell what others, of which nothing is paid, will take.

They tell it whole: how many calls a search or a cascade makes, how often answers repeat each other,
how long they are. Units that are paid in part (after `n` was raised, say) are counted on stand-ins.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean

from pipelines.planning.forecaster import Account, Tally
from pipelines.running.cascade import Counts

MOST_BEGUN = 0.1
"""Units that are paid in part, for each that is paid in full, beyond which the latter are no
measure: they may be those of which less was to be asked."""

Pair = tuple[str, str]
"""Part and model."""


@dataclass(frozen=True, slots=True)
class UnitForecast:
    """What one unit would still take, and what was paid for it before."""

    owed: Account
    paid: Account = field(default_factory=dict)
    counts: Mapping[str, Counts] = field(default_factory=dict)
    """Judge with a `when` -> what became of the unit under it."""

    refused: bool = False
    """Whether an endpoint refused some of it."""

    @property
    def is_fresh(self) -> bool:
        """Whether it owes calls, and nothing of it is paid."""
        return bool(self.owed) and not self.paid

    def saved(self, judge: str) -> int:
        """Calls that the `when` of `judge` saves."""
        return self.counts.get(judge, {}).get("calls saved", 0)


@dataclass(frozen=True, slots=True)
class Precedents:
    """Units that owe nothing; none where they are no measure of others."""

    units: tuple[UnitForecast, ...] = ()
    mean: Account = field(default_factory=dict)
    """What each of them took on average."""

    def column(self, pair: Pair) -> list[tuple[float, ...]]:
        """What `pair` took of each: the figures of `Tally`."""
        return [unit.paid.get(pair, Tally()).values() for unit in self.units]

    def in_place_of(self, unit: UnitForecast) -> Account:
        """What `unit` would still take: their mean where it is fresh, else what was counted."""
        return self.mean if self.units and unit.is_fresh else unit.owed


def precedents_of(units: Sequence[UnitForecast]) -> Precedents:
    """Those of `units`, of which two at least must be paid, and few paid in part."""
    complete = tuple(unit for unit in units if not unit.owed and not unit.refused)
    begun = sum(1 for unit in units if unit.owed and unit.paid)
    told = sum(1 for unit in complete if unit.paid)
    return averaged(complete) if told >= 2 and begun <= MOST_BEGUN * told else Precedents()


def averaged(units: Sequence[UnitForecast]) -> Precedents:
    """The precedents that `units` are."""
    found = Precedents(tuple(units))
    pairs = {pair for unit in units for pair in unit.paid}
    means = {pair: map(fmean, zip(*found.column(pair), strict=True)) for pair in pairs}
    return replace(found, mean={pair: Tally(*figures) for pair, figures in means.items()})
