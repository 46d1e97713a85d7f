"""The schema of a version in DuckDB: its tables and what `schemas/views.sql` makes of them."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.arrow import empty_table
from pipelines.publishing.reading import reading
from pipelines.publishing.versions import Version
from pipelines.querying.manifest_tables import manifest_tables
from schemas.tables import PUBLISHED
from schemas.version import Manifest

VIEWS = Path(__file__).parents[2] / "schemas" / "views.sql"
"""Views that each schema has besides its tables."""


def quoted(name: str) -> str:
    """A name as an SQL identifier.

    >>> quoted("zeroeval@v0001")
    '"zeroeval@v0001"'
    """
    return '"' + name.replace('"', '""') + '"'


def add_schema(con: duckdb.DuckDBPyConnection, schema: str, version: Version) -> None:
    """Makes a schema with the tables and views of `version`. Raises StoreError for unreadable files."""
    with reading(version):
        _add_tables(con, schema, version)


def add_views(con: duckdb.DuckDBPyConnection, schema: str, manifest: Manifest) -> None:
    """Makes the tables of the manifest and the views of `views.sql` in `schema`.

    It has the tables that are in Parquet.
    """
    con.execute(f"USE {quoted(schema)}")
    for table, rows in manifest_tables(manifest).items():
        con.register("rows", rows)
        con.execute(f"CREATE TABLE {table} AS FROM rows")
        con.unregister("rows")
    con.execute(VIEWS.read_text(encoding="utf-8"))
    con.execute("USE main")


def _add_tables(con: duckdb.DuckDBPyConnection, schema: str, version: Version) -> None:
    con.execute(f"CREATE SCHEMA {quoted(schema)}")
    for table, columns in PUBLISHED.items():
        name = f"{quoted(schema)}.{quoted(table)}"
        files = version.files(table)
        if files:
            paths = ", ".join("'" + str(file).replace("'", "''") + "'" for file in files)
            later = _later_columns(con, columns, files[0])
            con.execute(f"CREATE VIEW {name} AS FROM read_parquet([{paths}]) SELECT *{later}")
        else:
            con.register("empty", empty_table(columns))
            con.execute(f"CREATE TABLE {name} AS FROM empty")
            con.unregister("empty")
    add_views(con, schema, version.manifest)


def _later_columns(con: duckdb.DuckDBPyConnection, columns: pa.Schema, file: Path) -> str:
    """The columns that a version is older than, as SQL: views name them."""
    own = pq.read_schema(file).names
    if set(own) >= set(columns.names):
        return ""
    con.register("known", empty_table(columns))
    known = con.execute("SELECT column_name, column_type FROM (DESCRIBE known)").fetchall()
    con.unregister("known")
    return "".join(f", NULL::{kind} AS {quoted(name)}" for name, kind in known if name not in own)
