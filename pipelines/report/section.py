"""A section of the report: one query of a view, shown as a table and as a drawing."""

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.report.charts import Spec
from pipelines.report.tables import Row

MOST_ROWS = 30
"""Rows of a table on the page; SQL has all."""
MOST_DRAWN = 20
"""Rows of a drawing."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the table."""

    head: str
    text: Callable[[Row], str]
    is_number: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """What is shown of one view."""

    title: str
    about: str
    """A sentence that says what the figure means."""
    query: str
    """Without a limit."""
    columns: tuple[Column, ...]
    chart: Callable[[list[Row]], Spec | None]
    """The drawing of the first rows; None where it would show nothing."""
    without: str
    """Why there may be no row."""
    only_if: str = ""
    """A quick query without whose rows the other one has none either, and is not asked."""
    is_wordy: bool = False
    """Whether a row is a paragraph on a phone, for words at its end would be out of sight."""


def named(head: str, column: str) -> Column:
    """A column of text; what is missing is said to be unknown."""
    return Column(head, lambda row: row[column] or "unknown", is_number=False)


def number(head: str, column: str, form: Callable[..., str]) -> Column:
    """A column of numbers, in the form that `numbers` gives."""
    return Column(head, lambda row: form(row[column]))
