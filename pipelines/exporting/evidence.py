"""What a version knows beside its pairs, for exporters that want more than them."""

import duckdb
import pyarrow.parquet as pq

from pipelines.publishing.versions import Version
from pipelines.querying.version_schema import add_views, quoted
from schemas.tables import PUBLISHED

SCHEMA = "version"

UNFINISHED = f"""
    CREATE TEMP VIEW unfinished AS
    SELECT response_id FROM {SCHEMA}.responses WHERE partial AND finish_reason IS NULL
"""  # noqa: S608 - our own name
"""Answers that go on after their step. What is written to its end and only no answer, such as a
rewritten instruction, is partial and has a reason to finish."""


def add_evidence(con: duckdb.DuckDBPyConnection, version: Version) -> None:
    """Makes the tables and views of `version` in the schema `SCHEMA`: `version.measures`...

    And `unfinished`, the ids of answers that go on.
    Columns that the version is older than are null, tables that it does not have are empty.
    """
    con.execute(f"CREATE SCHEMA {SCHEMA}; CREATE SCHEMA later")
    for table, columns in PUBLISHED.items():
        con.register("columns", columns.empty_table())
        con.execute(f"CREATE TABLE later.{table} AS FROM columns")
        con.unregister("columns")
        con.execute(f"CREATE VIEW {SCHEMA}.{table} AS {_rows(version, table)}")
    add_views(con, SCHEMA, version.manifest)
    con.execute(UNFINISHED)


def in_sql(text: str) -> str:
    """A text as SQL writes it.

    >>> in_sql("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def _rows(version: Version, table: str) -> str:
    files = ", ".join(in_sql(str(file)) for file in version.files(table))
    if not files:
        return f"FROM later.{table}"
    own, later = f"FROM read_parquet([{files}])", f"later.{table}"
    if table == "pairs":  # whose messages have more fields in a set with tools
        known = pq.read_schema(version.files(table)[0]).names
        missing = [quoted(name) for name in PUBLISHED[table].names if name not in known]
        later = f"(SELECT {', '.join(missing)} FROM {later})" if missing else ""  # noqa: S608 - our own names
    return f"{own} UNION ALL BY NAME FROM {later}" if later else own
