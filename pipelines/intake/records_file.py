"""The file of records: its tables in SQLite, and errors of the disk in words."""

import sqlite3
from pathlib import Path
from typing import Any

from pipelines.errors import StoreError

_WRITERS_CACHE = "PRAGMA cache_size = -65536;"
_READERS_CACHE = "PRAGMA cache_size = -4096;"  # prompts are read once, one after the other
_TABLES = f"""
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
{_WRITERS_CACHE}
CREATE TABLE prompts (
    position INTEGER PRIMARY KEY, prompt_id TEXT UNIQUE, payload BLOB, reference_place TEXT,
    selected INTEGER DEFAULT 0, place INTEGER
);
CREATE TABLE prompt_keys (
    key BLOB, prompt_id TEXT, place TEXT, PRIMARY KEY (key, prompt_id)
) WITHOUT ROWID;
CREATE TABLE response_keys (
    key BLOB, part TEXT, response_id TEXT, prompt_id TEXT, content BLOB, place TEXT,
    PRIMARY KEY (key, part)
) WITHOUT ROWID;
CREATE TABLE responses (part TEXT, prompt_id TEXT, id TEXT UNIQUE, payload BLOB, place TEXT);
CREATE TABLE judgments (part TEXT, prompt_id TEXT, id TEXT UNIQUE, payload BLOB, place TEXT);
CREATE TABLE labelled (asked TEXT PRIMARY KEY, labels TEXT) WITHOUT ROWID;
CREATE TABLE occurrences (content BLOB PRIMARY KEY, n INTEGER) WITHOUT ROWID;
CREATE INDEX responses_of ON responses (part, prompt_id);
CREATE INDEX judgments_of ON judgments (part, prompt_id);
BEGIN;
"""


def new_database(path: Path) -> sqlite3.Connection:
    """An empty file, open for writing."""
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path, isolation_level=None, factory=_Database)
    database.executescript(_TABLES)
    return database


def read_database(path: Path) -> sqlite3.Connection:
    """A file that was written, open for reading."""
    place = f"{path.absolute().as_uri()}?mode=ro&immutable=1"  # no locks, on any file system
    database = sqlite3.connect(place, isolation_level=None, factory=_Database, uri=True)
    database.executescript(_READERS_CACHE)
    return database


class _Database(sqlite3.Connection):
    """A connection whose errors say what helps: they are about the disk, never about a query."""

    def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
        try:
            return super().execute(sql, values)
        except sqlite3.OperationalError as error:
            raise _no_disk(error) from error

    def executescript(self, script: str, /) -> sqlite3.Cursor:
        try:
            return super().executescript(script)
        except sqlite3.OperationalError as error:
            raise _no_disk(error) from error


def _no_disk(error: sqlite3.Error) -> StoreError:
    return StoreError(
        f"the rows of the sources cannot be kept on the store's disk: {error}. Make room, then run "
        "the command again"
    )
