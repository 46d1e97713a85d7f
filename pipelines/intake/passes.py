"""Passes: one reading of one source, on behalf of one table of the recipe.

Every row that is read is counted once: rows = kept + merged + skipped + dropped.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pipelines.calls.meter import Meter
from pipelines.errors import RecipeError, nearest
from pipelines.intake.cells import FaultyRow, UnusableRow
from pipelines.part import Table, Where
from pipelines.source import BadRow, Row, Source
from schemas.rows import Drop

EXAMPLES = 3
"""Faulty rows that an error shows."""

Mapped = dict[str, tuple[str, ...]]
"""Key of a table of the recipe -> the columns that it names."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of the rows of a pass, where an earlier build made it."""

    label: str
    rows: int
    merged: int
    skipped: int
    dropped: Counter[str]


@dataclass
class Pass:
    """One reading of one source, and what became of its rows."""

    step: str
    """"source" for the reading of prompts, else the part: "samplers.recorded", "judges.gpt4"."""
    label: str
    """Tells passes over one source apart: "prompts.1", "samplers.recorded"."""
    source_name: str
    source: Source = field(repr=False)
    where: Where = field(repr=False)
    """The table of the recipe that maps the columns."""
    mapped: Mapped = field(repr=False)
    """The columns that are read, by the key of that table that names them."""
    report: Callable[[Drop], None] = field(repr=False)
    """Takes the dropped rows."""
    meter: Meter = field(default_factory=Meter, repr=False)
    rows: int = 0
    kept: int = 0
    merged: int = 0
    """Rows of a prompt, response or judgment that was there already."""
    skipped: int = 0
    """Recorded rows whose prompt was read and not selected."""
    dropped: Counter[str] = field(default_factory=Counter)
    """Reason -> rows that were dropped for it."""
    faults: dict[str, list[str]] = field(default_factory=dict, repr=False)
    """Fault of the recipe or of its tables -> the first rows that show it."""
    fault_counts: Counter[str] = field(default_factory=Counter, repr=False)

    def check_columns(self) -> None:
        """Raises RecipeError where a mapped column does not exist, as far as can be told."""
        columns = self.source.columns(self.where.root)
        if columns is not None:
            self._refuse_unknown(columns)

    def read(self) -> Iterator[tuple[str, Row]]:
        """The readable rows, each with its place; the others are dropped.

        Raises RecipeError when the source ends without a row, or without a mapped column in any.
        """
        seen: set[str] = set()
        readable = 0
        columns = {column for named in self.mapped.values() for column in named}
        for row in self.source.rows(self.where.root, columns):
            self.rows += 1
            self.meter.rows_read += 1
            if isinstance(row, BadRow):
                self.drop(row.position, UnusableRow(row.reason, row.why))
                continue
            readable += 1
            seen.update(row.keys())
            yield f"row {self.rows}", row
        if not readable:
            bad = f": all {self.rows} are unreadable" if self.rows else ""
            raise self.where.error(f'the source "{self.source_name}" has no rows{bad}', "source")
        self._refuse_unknown(seen)

    def drop(self, position: str, why: UnusableRow) -> None:
        """Drops one row, with its reason."""
        self.dropped[why.reason] += 1
        row_id = f"{self.source_name}:{position}:{self.label}"
        self.report(Drop("rows", row_id, None, self.step, why.reason, why.detail))

    def place(self, position: str) -> str:
        """Where a row stands, for people."""
        return f"{self.source_name} {position}"

    @contextmanager
    def accounting_for(self, position: str) -> Iterator[None]:
        """Drops the row that turns out unusable; gathers the one that shows a fault."""
        try:
            yield
        except UnusableRow as why:
            self.drop(position, why)
        except FaultyRow as row:
            self.fault_counts[row.fault] += 1
            if self.fault_counts[row.fault] <= EXAMPLES:
                self.faults.setdefault(row.fault, []).append(row.example)

    def raise_faults(self) -> None:
        """Raises one RecipeError for the faults so far, with counts and the first rows of each."""
        if self.faults:
            told = [
                "\n  ".join([f"{self.fault_counts[fault]} rows: {fault}", *examples])
                for fault, examples in self.faults.items()
            ]
            raise self.where.error("\n".join(told))

    def _refuse_unknown(self, columns: Collection[str]) -> None:
        faults = [
            str(self.where.error(self._no_such_column(name, columns), key))
            for key, named in self.mapped.items()
            for name in named
            if name not in columns
        ]
        if faults:
            raise RecipeError("\n".join(faults))

    def _no_such_column(self, name: str, columns: Collection[str]) -> str:
        return f'"{self.source_name}" has no column "{name}"; {nearest(name, columns)}'


def mapped_columns(table: Table, keys: tuple[str, ...]) -> Mapped:
    """The columns that `keys` of a table name."""
    named = {key: getattr(table, key) for key in keys}
    return {
        key: (value,) if isinstance(value, str) else value for key, value in named.items() if value
    }
