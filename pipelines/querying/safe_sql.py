"""SQL over the published tables, and over nothing else.

The Parquet files are registered with an in-memory DuckDB as Arrow datasets; then it loses access
to files and network, and its configuration is locked. So `COPY`, `ATTACH` and `read_csv` fail
wherever they stand in a query, and no query can change the store. DuckDB itself says that this is
no boundary against an attacker who may run any SQL: do not serve it to strangers.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from pipelines.errors import PairwrightError
from pipelines.publishing.reading import reading
from pipelines.publishing.shards import BATCH_ROWS
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from pipelines.querying.catalog import all_versions, latest_schema, versions_table
from pipelines.querying.version_schema import add_views, quoted
from pipelines.spilling import bound_spilling
from schemas.tables import PUBLISHED

TIMEOUT_S = 300.0
MEMORY = "2GB"

_READING = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN, duckdb.StatementType.MULTI}
"""MULTI is a PIVOT, which looks up its columns first."""


class QueryError(PairwrightError):
    """The query is wrong, not allowed, or took too long or too much memory."""

    exit_code = 2


@contextmanager
def run_sql(
    store: Store,
    sql: str,
    dataset: str | None = None,
    timeout_s: float = TIMEOUT_S,
    memory_limit: str = MEMORY,
) -> Iterator[pa.RecordBatchReader]:
    """The rows of one query, as a stream that is open inside the `with`.

    Tables are `NAME.pairs`, `"NAME@v0001".pairs`..., and `versions`. Those of `dataset` (NAME or
    NAME@VERSION), or of the only dataset in the store, are also there as plain `pairs`,
    `prompts`, `responses`, `judgments` and `drops`. Raises QueryError, StoreError for an unknown
    dataset.
    """
    names = store.names()
    plain = _plain(store, names, dataset)
    query = _Query(sql, timeout_s, memory_limit, _tables(names, plain))
    with TemporaryDirectory(prefix="pairwright-sql-") as spill, query.connected(spill) as con:
        _register(con, store, names, plain, sql.lower())
        _lock(con)
        with query.errors():
            _check(con, sql)
        yield query.stream(con)


class _Query:
    """One query on its way: what stops it, and what its errors say."""

    def __init__(self, sql: str, timeout_s: float, memory_limit: str, tables: list[str]) -> None:
        self._sql = sql
        self._timeout_s = timeout_s
        self._memory_limit = memory_limit
        self._tables = tables
        self._late = threading.Event()

    @contextmanager
    def connected(self, spill: str) -> Iterator[duckdb.DuckDBPyConnection]:
        """An empty database that is interrupted when the time is over."""
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": self._memory_limit,
            "temp_directory": spill,
        }
        try:
            con = duckdb.connect(":memory:", config=config)
            con.execute(bound_spilling(spill))
        except duckdb.Error as error:
            raise QueryError(f"memory limit {self._memory_limit}: {error}") from error
        done = threading.Event()
        watch = threading.Thread(target=self._watch, args=(con, done), daemon=True)
        watch.start()
        try:
            yield con
        finally:
            done.set()
            watch.join()
            con.close()

    def stream(self, con: duckdb.DuckDBPyConnection) -> pa.RecordBatchReader:
        """The rows of the query. They can be read while `con` is open."""
        with self.errors():
            reader = con.sql(self._sql).to_arrow_reader(BATCH_ROWS)
        names = distinct(reader.schema.names)
        fields = [field.with_name(name) for field, name in zip(reader.schema, names, strict=True)]
        schema = pa.schema(fields)
        return pa.RecordBatchReader.from_batches(schema, self._batches(reader, names))

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turns DuckDB's errors into QueryError, also those that Arrow passes on as OSError."""
        try:
            yield
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            raise QueryError(self._explained(error)) from error

    def _watch(self, con: duckdb.DuckDBPyConnection, done: threading.Event) -> None:
        if not done.wait(min(self._timeout_s, threading.TIMEOUT_MAX)):
            self._late.set()
            while not done.wait(0.05):  # an interrupt between two steps of a query is lost
                con.interrupt()

    def _batches(self, reader: pa.RecordBatchReader, names: list[str]) -> Iterator[pa.RecordBatch]:
        while True:
            with self.errors():
                if self._late.is_set():
                    raise duckdb.InterruptException
                batch = next(reader, None)
            if batch is None:
                return
            yield batch.rename_columns(names)

    def _which_table(self, message: str) -> str:
        """DuckDB's message without its guess; of a table that several datasets have, what to do."""
        said, _, rest = message.partition("\nDid you mean")
        missing = re.search(r"Table with name (\w+)", said)
        if missing is None or missing[1] not in PUBLISHED or "pairs" in self._tables:
            return said + ("\n" + rest.partition("\n")[2] if "\n" in rest else "")
        return (
            f"several datasets have a table `{missing[1]}`: name one by --dataset NAME, or write "
            f"NAME.{missing[1]}"
        )

    def _explained(self, error: Exception) -> str:
        if self._late.is_set():
            return f"the query was stopped after {self._timeout_s:g} s"
        message = str(error)
        if isinstance(error, duckdb.CatalogException) and "Table with name" in message:
            return f"{self._which_table(message)}\n\nTables: {', '.join(self._tables)}"
        if isinstance(error, duckdb.PermissionException):
            return f"{message}\n\nA query reads the published tables and nothing else."
        if "Out of Memory" in message:
            return f"{message}\n\nIt may take {self._memory_limit}."
        return message


def distinct(names: list[str]) -> list[str]:
    """Column names without repetition: a join's second `id` is `id_1`.

    >>> distinct(["id", "id", "id_1", "text"])
    ['id', 'id_1', 'id_1_1', 'text']
    """
    found: list[str] = []
    for name in names:
        free = (f"{name}_{number}" if number else name for number in count())
        found.append(next(one for one in free if one not in found))
    return found


def _plain(store: Store, names: list[str], dataset: str | None) -> Version | None:
    """The version whose tables need no schema name."""
    if dataset is not None:
        return store.resolve(dataset)
    return store.resolve(names[0]) if len(names) == 1 else None


def _tables(names: list[str], plain: Version | None) -> list[str]:
    """The tables that a query may name, for its error message."""
    schemas = [_shown(latest_schema(name)) for name in names]
    tables = [f"{schema}.{table}" for schema in schemas for table in PUBLISHED]
    return [*(PUBLISHED if plain else ()), "versions", *tables]


def _shown(schema: str) -> str:
    return schema if re.fullmatch("[a-z][a-z0-9_]*", schema) else quoted(schema)


def _register(
    con: duckdb.DuckDBPyConnection,
    store: Store,
    names: list[str],
    plain: Version | None,
    sql: str,
) -> None:
    """Makes the tables whose names occur in `sql`, in lower case, and the plain ones.

    Opening every dataset of a large store takes long, and a damaged one is in nobody's way.
    """
    if "versions" in sql:
        con.register("all versions", versions_table(all_versions(store)))
        con.execute('CREATE TABLE versions AS FROM "all versions"')
        con.unregister("all versions")
    for name in names:
        if name in sql:
            versions = store.versions(name)
            add_version(con, latest_schema(name), store.resolve(name))
            for version in versions:
                if version.ref in sql:
                    add_version(con, version.ref, version)
    if plain is not None:
        add_version(con, "main", plain)


def add_version(con: duckdb.DuckDBPyConnection, schema: str, version: Version) -> None:
    """Makes the tables and views of `version` in `schema`."""
    con.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
    for table in PUBLISHED:
        rows = f"{version.ref} {table} for {schema}"
        con.register(rows, _rows(version, table))
        view = f"{quoted(schema)}.{quoted(table)}"
        con.execute(f"CREATE VIEW {view} AS FROM {quoted(rows)}")
    add_views(con, schema, version.manifest)


def _rows(version: Version, table: str) -> ds.Dataset | pa.Table:
    """The rows of a table. Columns that the version is older than are null."""
    files = version.files(table)
    if not files:
        return PUBLISHED[table].empty_table()
    with reading(version):
        own = pq.read_schema(files[0])
        later = [field for field in PUBLISHED[table] if field.name not in own.names]
        return ds.dataset(files, format="parquet", schema=pa.schema([*own, *later]))


def _lock(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("SET python_enable_replacements = false")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")


def _check(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raises QueryError unless `sql` is one statement that reads."""
    statements = con.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(f"one statement is wanted, not {len(statements)}")
    if statements[0].type not in _READING:
        kind = str(statements[0].type).rpartition(".")[2]
        raise QueryError(
            f"{kind} is not allowed: SELECT, DESCRIBE, SUMMARIZE, PIVOT and EXPLAIN are"
        )
