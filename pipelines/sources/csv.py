"""CSV files with a header. Every value is text; scores and ranks are read from it later."""

import csv
from collections.abc import Collection, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from pipelines.source import BadRow, Row
from pipelines.sources._files import FileSource, open_bytes, refuse_other_columns

if TYPE_CHECKING:
    from _csv import Reader

LONGEST_CELL = 2**31 - 1
"""Characters. The standard library's own limit of 131,072 is shorter than some responses."""


class Csv(FileSource):
    """Rows from CSV in UTF-8, packed with gzip where the name ends in .gz.

    Quotes are read strictly, and a row with more or fewer cells than the header is a bad row.
    """

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """What stands between two cells, one character; "\\t" for tab-separated files."""

    def columns(self, root: Path) -> tuple[str, ...] | None:
        """The header. Raises RecipeError where it is missing, or names a column twice."""
        first: tuple[str, ...] | None = None
        for file in self.files(root):
            with self.reading(root, file), _open_text(file) as lines:
                names = self._header(self._reader(lines))
            first = names if first is None else first
            refuse_other_columns(names, first, file, self.where(root))
        return first

    def rows(self, root: Path, columns: Collection[str] = ()) -> Iterator[Row | BadRow]:
        """The rows below the header. Raises RecipeError as `columns`."""
        for prefix, file in self.places(root):
            with self.reading(root, file), _open_text(file) as lines:
                reader = self._reader(lines)
                yield from _rows(reader, self._header(reader), prefix)

    def _reader(self, lines: TextIOWrapper) -> "Reader":
        csv.field_size_limit(LONGEST_CELL)
        return csv.reader(lines, delimiter=self.delimiter, strict=True)

    def _header(self, reader: "Reader") -> tuple[str, ...]:
        try:
            names = tuple(next(reader, ()))
        except csv.Error as error:
            raise ValueError(f"its header cannot be read: {error}") from error
        if not names:
            raise ValueError("no header: the first line names the columns")
        if not _is_utf8(names):
            raise ValueError("the header is not UTF-8")
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"the header names a column twice: {', '.join(sorted(twice))}")
        return names


def _open_text(file: Path) -> TextIOWrapper:
    """`file` as text; bytes that are not UTF-8 become lone surrogates, which `_why_bad` finds."""
    return TextIOWrapper(
        open_bytes(file), encoding="utf-8-sig", errors="surrogateescape", newline=""
    )


def _rows(reader: "Reader", names: tuple[str, ...], prefix: str) -> Iterator[Row | BadRow]:
    while True:
        first_line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "end of data" in str(error):  # whatever follows it was taken for one cell
                raise ValueError(f"the quote opened on line {first_line} never closes") from error
            yield BadRow(f"{prefix}line {first_line}", f"not CSV: {error}")
            continue
        if cells:  # a blank line is no row
            why = _why_bad(cells, len(names))
            row = dict(zip(names, cells, strict=False))
            yield BadRow(f"{prefix}line {first_line}", why) if why else row


def _why_bad(cells: list[str], wanted: int) -> str | None:
    if len(cells) != wanted:
        return f"{len(cells)} cells where the header has {wanted}"
    return None if _is_utf8(cells) else "not UTF-8"


def _is_utf8(cells: Sequence[str]) -> bool:
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return False
    return True
