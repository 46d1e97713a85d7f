"""Publishing: the staged evidence and the selected pairs become the files of a version.

DuckDB joins and sorts with bounded memory, spilling into the staging folder; the files are the
same bytes in every run, in whatever order units finished.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.errors import StoreError
from pipelines.publishing.folders import inspect_file
from pipelines.publishing.layout import Publish
from pipelines.publishing.published import EVIDENCE, FACTS, ORDER, RICH, WALLS, pairs_sql
from pipelines.publishing.shards import BATCH_ROWS, Rows, write_shard
from pipelines.publishing.splits import shard_paths, shard_rows, shuffled, split_of_groups
from schemas.canonical import MICRO
from schemas.tables import PAIRS, PUBLISHED, STAGED, schema_hash
from schemas.version import FileInfo

if TYPE_CHECKING:
    from pipelines.selection.select import Selected

MEMORY = "2GB"
"""Memory that DuckDB may take; what does not fit is spilled to disk."""


def write_tables(
    staged: Path,
    selected: "Selected",
    drops: pl.DataFrame,
    publish: Publish,
    seed: int,
    folder: Path,
) -> dict[str, FileInfo]:
    """Writes the tables of a version under `folder`; returns path -> hash, bytes and rows.

    `staged` has a folder with Parquet files for each table of `tables.STAGED`; `drops` are the
    reasons that are not staged there. Raises StoreError for rows that must never be published.
    """
    with _workspace(folder) as con:
        _load(con, staged, selected, drops)
        _refuse(con)
        splits = _split(con, publish, seed)
        files = _write_pairs(con, publish, splits, folder)
        for table in EVIDENCE:
            files |= _write_evidence(con, table, publish, folder)
    return files


def schema_hashes(folder: Path) -> dict[str, str]:
    """Table -> hash of its schema, of the tables that `write_tables` wrote under `folder`."""
    return {
        table: schema_hash(pq.read_schema(files[0]))
        for table in PUBLISHED
        if (files := sorted((folder / table).glob("*.parquet")))
    }


@contextmanager
def _workspace(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A temporary database with bounded memory, under `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".work-", dir=folder) as place:
        config: dict[str, Any] = {"memory_limit": MEMORY, "temp_directory": f"{place}/spilled"}
        try:
            with duckdb.connect(f"{place}/work.duckdb", config=config) as con:
                yield con
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise StoreError(f"{folder}: the tables cannot be written: {error}") from error


def _load(
    con: duckdb.DuckDBPyConnection, staged: Path, selected: "Selected", drops: pl.DataFrame
) -> None:
    for table in STAGED:
        files = sorted(map(str, (staged / table).glob("*.parquet")))
        con.read_parquet(files).create_view(f"staged_{table}", replace=False)
    frames = {
        "kept_pairs": selected.pairs,
        "dropped_pairs": selected.dropped_pairs,
        "response_scores": selected.responses,
        "prompt_scores": _prompt_scores(selected.prompts),
        "drops": drops,
    }
    for name, frame in frames.items():
        con.register(name, frame.to_arrow())
    con.execute(FACTS)


def _prompt_scores(prompts: pl.DataFrame) -> pl.DataFrame:
    """Mean and population variance of each prompt's scores, from the exact sums, rounded once.

    variance = (n * sum of squares - square of the sum) / n^2
    """
    means: list[float | None] = []
    variances: list[float | None] = []
    for n, total, squares in prompts.select("n_scored", "score_sum", "score_sumsq").iter_rows():
        means.append(total / (n * MICRO) if n else None)
        variances.append((n * squares - total**2) / (n * MICRO) ** 2 if n else None)
    return prompts.select(
        "prompt_id",
        "n_responses",
        "n_scored",
        score_mean=pl.Series(means, dtype=pl.Float64),
        score_var=pl.Series(variances, dtype=pl.Float64),
    )


def _refuse(con: duckdb.DuckDBPyConnection) -> None:
    """Raises StoreError where a wall is broken, with the ids of some rows."""
    for wrong, query in WALLS.items():
        wall = f"SELECT count(*), min(id, 5) FROM ({query}) AS wrong (id)"  # noqa: S608
        ((count, ids),) = con.sql(wall).fetchall()
        if count:
            raise StoreError(f"{count} {wrong}, so nothing is published: {', '.join(ids)}")


def _split(con: duckdb.DuckDBPyConnection, publish: Publish, seed: int) -> list[tuple[str, int]]:
    """Makes the tables `splits` and `places`; returns each split that has pairs, and its pairs."""
    groups = con.sql("SELECT DISTINCT group_id FROM prompt_facts ORDER BY 1").fetchall()
    split_of = split_of_groups((group for (group,) in groups), publish.splits, seed)
    columns = {"group_id": list(split_of), "split": list(split_of.values())}
    con.register("splits", pa.table(columns, pa.schema([(name, pa.string()) for name in columns])))
    pairs = con.sql(
        "SELECT pair_id, split FROM kept_pairs JOIN prompt_facts USING (prompt_id) "
        "JOIN splits ON splits.group_id = prompt_facts.group_id"
    ).pl()
    con.register("places", shuffled(pairs, seed).to_arrow())
    counts = con.sql("SELECT split, count(*) FROM places GROUP BY split ORDER BY split")
    return [(split, rows) for split, rows in counts.fetchall()]


def _write_pairs(
    con: duckdb.DuckDBPyConnection,
    publish: Publish,
    splits: list[tuple[str, int]],
    folder: Path,
) -> dict[str, FileInfo]:
    ((rich,),) = con.sql(RICH).fetchall()
    schema = PAIRS if rich else PUBLISHED["pairs"]
    query, order = pairs_sql(rich=rich), "split, order_key"
    shards = {
        path: count
        for split, rows in splits
        for sizes in [shard_rows(rows, publish.shards)]
        for path, count in zip(shard_paths(f"pairs/{split}", sizes), sizes, strict=True)
    }
    return _write(con, query, order, schema, shards, publish, folder)


def _write_evidence(
    con: duckdb.DuckDBPyConnection, table: str, publish: Publish, folder: Path
) -> dict[str, FileInfo]:
    query = EVIDENCE[table]
    ((rows,),) = con.sql(f"SELECT count(*) FROM ({query})").fetchall()  # noqa: S608
    sizes = shard_rows(rows, "auto") or [0]
    shards = dict(zip(shard_paths(f"{table}/part", sizes), sizes, strict=True))
    return _write(con, query, ORDER[table], PUBLISHED[table], shards, publish, folder)


def _write(
    con: duckdb.DuckDBPyConnection,
    query: str,
    order: str,
    schema: pa.Schema,
    shards: dict[str, int],
    publish: Publish,
    folder: Path,
) -> dict[str, FileInfo]:
    """Writes the sorted rows of `query` to the files `shards` (path -> rows)."""
    columns = ", ".join(f'"{name}"' for name in schema.names)
    result = con.sql(f"SELECT {columns} FROM ({query}) ORDER BY {order}")  # noqa: S608
    rows = Rows(result.to_arrow_reader(BATCH_ROWS), schema)
    for path, count in shards.items():
        write_shard(rows, count, folder / path, schema, publish.row_group_rows)
    if rows.take(1).num_rows:
        raise StoreError(f"{folder}: more rows than were counted for {', '.join(shards)}")
    return {path: inspect_file(folder / path, count) for path, count in shards.items()}
