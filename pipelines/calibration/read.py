"""Reading a labelled file, by the readers of the sources: .jsonl, .csv, .parquet, .duckdb."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from pipelines.calibration.columns import columns_of
from pipelines.calibration.labelled import LabelSet, label_set
from pipelines.calibration.labelled_row import read_pair
from pipelines.errors import RecipeError, nearest
from pipelines.intake.cells import UnusableRow
from pipelines.part import Where, load_part
from pipelines.source import BadRow, Row, Source

KINDS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv",
         ".parquet": "parquet", ".duckdb": "duckdb", ".db": "duckdb"}  # fmt: skip
TABLE = "labelled"
"""What a query calls the file."""
EXAMPLES = 3


def read_labelled(
    path: Path,
    named: Sequence[str] = (),
    spelled: Sequence[str] = (),
    *,
    query: str | None = None,
    seed: int = 0,
    labelled: bool = True,
) -> LabelSet:
    """The labelled pairs in the file at `path`; `named` and `spelled` as of `columns_of`.

    `query` is a SELECT that shapes the file first, which it calls `labelled` (a database's tables
    have their own names). Without `labelled` there need be no label. Raises RecipeError where the
    file or a column is missing, or no row is a labelled pair.
    """
    place = str(path)
    if not path.exists():
        raise RecipeError(f"{place}: no such file")
    source = _source(path, query)
    rows: list[tuple[str, Row]] = []
    dropped: Counter[str] = Counter()
    for number, row in enumerate(source.rows(Path()), 1):
        if isinstance(row, BadRow):
            dropped["unreadable_row"] += 1
        else:
            rows.append((f"row {number}", row))
    there = {name: None for _, row in rows for name in row}
    if not rows:
        raise RecipeError(f"{place}: no rows that can be read")
    columns = columns_of(list(there), named, spelled, place=place, labelled=labelled)
    pairs, examples = [], []
    for where, row in rows:
        try:
            pairs.append(read_pair(columns, row, where, seed))
        except UnusableRow as why:
            dropped[why.reason] += 1
            examples.append(f"{where}: {why}")
    found = label_set(path.name, pairs, dropped)
    if not found.pairs:
        shown = examples[:EXAMPLES] or [f"{n} rows {reason}" for reason, n in dropped.items()]
        raise RecipeError("\n  ".join([f"{place}: no row is a labelled pair", *shown]))
    return found


def _source(path: Path, query: str | None) -> Source:
    suffix = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    kind = KINDS.get(suffix)
    if kind is None:
        raise RecipeError(f'{path}: no reader for "{suffix}"; {nearest(suffix, KINDS)}')
    table: dict[str, Any] = {"kind": kind, "path": str(path.absolute()), "name": TABLE}
    if suffix == ".tsv":
        table["delimiter"] = "\t"
    if query is not None or kind == "duckdb":
        file = str(path.absolute())
        table = {"kind": "duckdb", "name": TABLE, "query": query or f"FROM {TABLE}"}
        table |= {"database": file} if kind == "duckdb" else {"tables": {TABLE: file}}
    return cast("Source", load_part("sources", table, Where(str(path), "", Path())))
