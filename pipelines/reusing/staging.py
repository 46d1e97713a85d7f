"""The tables of a version as staged evidence: the same rows, in the form that selection reads."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.arrow import empty_table
from pipelines.pieces import Pieces
from pipelines.publishing.publish import RENAMED
from pipelines.publishing.versions import Version
from pipelines.runs import BATCH, COLUMNS, ROWS, TEXTS
from schemas.tables import STAGED

ROWS_AT_ONCE = 64 * BATCH


def stage(version: Version, folder: Path, steps: Mapping[str, frozenset[str]]) -> None:
    """Writes prompts, responses, judgments, nodes, and the drops of `steps`, under `folder`.

    The rows lie in their published order, which is that of a single run. Raises OSError, and what
    Arrow raises.
    """
    for table, schema in STAGED.items():
        place = folder / table
        place.mkdir(parents=True)
        rows = (some for file in version.files(table) for some in _rows(file, table, schema))
        if table == "drops":
            rows = (_before(some, steps) for some in rows)
        _write(place / "000000", schema, rows)


def _rows(file: Path, table: str, schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows of a published file, with the columns of the staged table."""
    names = [RENAMED.get(name, name) if table != "drops" else name for name in schema.names]
    with pq.ParquetFile(file) as opened:
        for batch in opened.iter_batches(ROWS_AT_ONCE, columns=names, use_threads=False):
            some = pa.Table.from_batches([batch]).select(names).rename_columns(schema.names)
            yield some.cast(schema)


def _before(drops: pa.Table, steps: Mapping[str, frozenset[str]]) -> pa.Table:
    """The drops that come before selection."""
    before = pl.col("level") == "rows"
    for level, names in steps.items():
        before |= (pl.col("level") == level) & pl.col("step").is_in(sorted(names))
    return pl.DataFrame(drops).filter(before).to_arrow().cast(drops.schema)


def _write(path: Path, schema: pa.Schema, tables: Iterator[pa.Table]) -> None:
    """Both forms of a staged file (`runs`), whose batches all have `BATCH` rows but the last."""
    slim = pa.schema(field for field in schema if field.name not in TEXTS)
    with (
        Pieces(path.with_suffix(ROWS)) as rows_file,
        Pieces(path.with_suffix(COLUMNS)) as columns_file,
        pa.ipc.new_file(rows_file, schema) as rows,
        pq.ParquetWriter(columns_file, slim, compression="none", use_dictionary=False) as columns,
    ):
        for some in _whole_batches(tables, schema):
            rows.write_table(some, max_chunksize=BATCH)
            columns.write_table(some.select(slim.names))


def _whole_batches(tables: Iterator[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows of `tables`, in tables of a multiple of `BATCH` rows but the last."""
    left = empty_table(schema)
    for table in tables:
        some = pa.concat_tables([left, table]).combine_chunks()
        whole = some.num_rows // BATCH * BATCH
        if whole:
            yield some.slice(0, whole)
        left = some.slice(whole)
    yield left
