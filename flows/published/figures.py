"""The figures of a published version, each one query over its Parquet files."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flows.published.tables import PublishedTables

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version

BINS = 10
"""Bins of a histogram with more distinct values than that."""

QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs whose margin lies in [low, high], or [low, high) where another bin follows."""

    low: float
    high: float
    pairs: int


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of one side of the pairs, in characters."""

    side: str
    mean: float
    median: float
    longer: int
    """Pairs of which this side is the longer one."""


@dataclass(frozen=True, slots=True)
class ModelShare:
    """How often a model's answers were chosen and rejected."""

    model: str
    chosen: int
    rejected: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What one measure found, of kept and dropped pairs."""

    measure: str
    pairs: int
    """Pairs that it has a value of."""
    quartiles: tuple[float, ...]
    """At `QUARTILES`."""


@dataclass(frozen=True, slots=True)
class DropCount:
    """Rows of one level that one step dropped for one reason."""

    level: str
    step: str
    reason: str
    rows: int


class Figures:
    """Asks the published tables of one version."""

    def __init__(self, version: "Version") -> None:
        self._rows = PublishedTables(version, "pairs", "drops", "measures").rows

    def margin_quantiles(self) -> dict[float, float]:
        """`QUANTILES` -> margin in score units; empty where no pair has a margin."""
        (found,) = self._rows(
            "SELECT quantile_disc(score_margin, $shares) FROM pairs",
            shares=list(QUANTILES),
        )[0]
        return dict(zip(QUANTILES, found, strict=True)) if found else {}

    def margin_histogram(self) -> list[Bin]:
        """A bin for each margin if they are few, else `BINS` of equal width, empty ones too."""
        by_value = self._rows(
            "SELECT score_margin, count(*) FROM pairs "
            "WHERE score_margin IS NOT NULL GROUP BY 1 ORDER BY 1"
        )
        if len(by_value) <= BINS:
            return [Bin(margin, margin, pairs) for margin, pairs in by_value]
        low, high = by_value[0][0], by_value[-1][0]
        width = (high - low) / BINS
        counts = [0] * BINS
        for margin, pairs in by_value:
            counts[min(int((margin - low) / width), BINS - 1)] += pairs
        return [
            Bin(low + number * width, low + (number + 1) * width, pairs)
            for number, pairs in enumerate(counts)
        ]

    def lengths(self) -> list[Lengths]:
        """The chosen and the rejected side; empty without pairs."""
        sides = []
        for side, other in (("chosen", "rejected"), ("rejected", "chosen")):
            (row,) = self._rows(
                f"SELECT avg(n_chars_{side}), median(n_chars_{side}), "  # noqa: S608
                f"count(*) FILTER (n_chars_{side} > n_chars_{other}) FROM pairs"
            )
            sides += [Lengths(side, *row)] if row[0] is not None else []
        return sides

    def models(self) -> list[ModelShare]:
        """Every model that has an answer in a pair, the most often chosen first."""
        rows = self._rows(
            "SELECT model, sum(chosen)::BIGINT, sum(rejected)::BIGINT FROM ("
            "  SELECT chosen_model AS model, 1 AS chosen, 0 AS rejected FROM pairs"
            "  UNION ALL SELECT rejected_model, 0, 1 FROM pairs"
            ") GROUP BY 1 ORDER BY 2 DESC, 3, 1"
        )
        return [ModelShare(*row) for row in rows]

    def measures(self) -> list[Measured]:
        """Every measure that has a value of some pair, by name."""
        rows = self._rows(
            "SELECT measure, count(value), quantile_disc(value, $shares) FROM measures "
            "WHERE value IS NOT NULL GROUP BY 1 ORDER BY 1",
            shares=list(QUARTILES),
        )
        return [Measured(name, pairs, tuple(quartiles)) for name, pairs, quartiles in rows]

    def drop_counts(self) -> list[DropCount]:
        """Every reason with its rows, the most frequent first."""
        rows = self._rows(
            "SELECT level, step, reason, count(DISTINCT id) FROM drops "
            "GROUP BY ALL ORDER BY 4 DESC, 1, 2, 3"
        )
        return [DropCount(*row) for row in rows]
