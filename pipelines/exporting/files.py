"""The files of an export: Parquet shards and lines of JSON, the same bytes every time."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.exporting.pairs import Pairs
from pipelines.publishing.shards import Rows
from pipelines.publishing.splits import shard_paths, shard_rows

GROUP_ROWS = 4096
"""Rows of a Parquet row group: a streaming trainer holds one in memory."""


def write_parquet(
    pairs: Pairs, query: str, rows: int, schema: pa.Schema, folder: Path
) -> dict[str, int]:
    """Writes the `rows` rows of `query` to as many shards as the split has; returns path -> rows.

    Shards differ by one row at most and have one schema. With no row there is no file.
    """
    sizes = shard_rows(rows, pairs.shards)
    files = dict(zip(shard_paths(pairs.split, sizes), sizes, strict=True))
    stored = pa.schema(field.with_type(_stored(field.type)) for field in schema)
    tables = (pa.Table.from_batches([batch]) for batch in pairs.read(query))
    stream = Rows(tables, stored)
    for path, count in files.items():
        _write_shard(stream, count, folder / path, schema)
    return files


def _write_shard(rows: Rows, count: int, path: Path, schema: pa.Schema) -> None:
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, count, GROUP_ROWS):
            taken = rows.take(min(GROUP_ROWS, count - start))
            writer.write_table(taken.combine_chunks().cast(schema), row_group_size=GROUP_ROWS)


def _stored(type_: pa.DataType) -> pa.DataType:
    """`type_` with texts for JSON, which Arrow can write but not put together.

    >>> str(_stored(pa.list_(pa.struct([("arguments", pa.json_())]))))
    'list<item: struct<arguments: string>>'
    """
    if pa.types.is_list(type_):
        return pa.list_(type_.value_field.with_type(_stored(type_.value_type)))
    if pa.types.is_struct(type_):
        return pa.struct([field.with_type(_stored(field.type)) for field in type_])
    return type_.storage_type if isinstance(type_, pa.BaseExtensionType) else type_


def write_examples(
    examples: Iterable[dict[str, Any]], schema: pa.Schema, split: str, folder: Path
) -> dict[str, int]:
    """Writes examples, however many there are, to one shard; returns path -> rows, as above."""
    [name] = shard_paths(split, [1])
    rows, waiting = 0, iter(examples)
    with pq.ParquetWriter(folder / name, schema, compression="zstd") as writer:
        while group := list(islice(waiting, GROUP_ROWS)):
            writer.write_table(pa.Table.from_pylist(group, schema), row_group_size=GROUP_ROWS)
            rows += len(group)
    if not rows:
        (folder / name).unlink()
        return {}
    return {name: rows}


def write_jsonl(examples: Iterable[dict[str, Any]], path: Path) -> dict[str, int]:
    """Writes one JSON object a line; returns name -> rows. With no row there is no file."""
    rows = 0
    with path.open("wb") as file:
        for example in examples:
            file.write(orjson.dumps(example) + b"\n")
            rows += 1
    if not rows:
        path.unlink()
        return {}
    return {path.name: rows}
