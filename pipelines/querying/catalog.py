"""The catalogue: `<store>/catalog.duckdb`, views over the Parquet files for your own DuckDB shell.

    duckdb data/store/catalog.duckdb
    > FROM versions;  FROM zeroeval.pairs;  FROM "zeroeval@v0001".drops;

It is derived: delete it and the next build or `rebuild` makes it again. It is built aside and
renamed in, so a shell that has the old one open is not disturbed. A version stays as it is, and so
does its schema: it is taken over from the catalogue that there is.
"""

import hashlib
import shutil
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa

from pipelines.arrow import make_table
from pipelines.errors import StoreError
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version, preferred
from pipelines.querying import manifest_tables, version_schema
from pipelines.querying.version_schema import VIEWS, add_schema, quoted
from schemas import tables
from schemas.tables import PUBLISHED

RESERVED = frozenset(
    {"main", "temp", "system", "memory", "catalog", "information_schema", "pg_catalog"}
)
"""Names that mean something in DuckDB: such a dataset is found as "NAME@latest" alone."""

VERSIONS = pa.schema(
    [
        ("name", pa.string()),
        ("version", pa.string()),
        ("latest", pa.bool_()),
        ("trial", pa.int64()),
        ("published", pa.string()),
        ("parent", pa.string()),
        ("pairs", pa.int64()),
        ("prompts", pa.int64()),
        ("responses", pa.int64()),
        ("judgments", pa.int64()),
        ("drops", pa.int64()),
        ("seed", pa.int64()),
        ("content_digest", pa.string()),
        ("recipe_fingerprint", pa.string()),
        ("code_version", pa.string()),
        ("calls", pa.int64()),
        ("seconds", pa.float64()),
        ("folder", pa.string()),
    ]
)
"""The table `versions`: one row for each version in the store. `latest` is the one that the bare
name means, and `trial` the number of prompts of one that `--limit` cut down."""


ALONE: dict[str, str | bool | int | float | list[str]] = {"threads": 1}
"""To make views is nothing that threads could share; they would only wait for it."""

MADE_BY = """
SELECT comment FROM duckdb_tables() WHERE schema_name = 'main' AND table_name = 'versions'
"""

Row = tuple[Any, ...]


class _Unfit(Exception):
    """The catalogue that there is was made by other code."""


class Catalogue(NamedTuple):
    """The catalogue of a store as it was made."""

    path: Path
    left_out: tuple[str, ...]
    """Versions whose files cannot be read, as in "my-set@v0001": in the table `versions` alone."""


def rebuild(store: Store, *, anew: bool = False) -> Catalogue:
    """Builds the catalogue of `store` and renames it in. Raises StoreError.

    A version whose files are damaged has no schema, and hides no other. What the catalogue that
    there is says of other versions is taken over, if it is sound and not to be made `anew`; schemas
    that a user made there stay, unless a dataset has the name.
    """
    place = store.root / "catalog.duckdb"
    while True:
        versions = all_versions(store)
        aside = store.staging()
        try:
            left_out = _made(aside / place.name, versions, None if anew else place)
            place.with_name(f"{place.name}.wal").unlink(missing_ok=True)  # of the one that goes
            (aside / place.name).replace(place)
        except (duckdb.Error, OSError) as error:
            raise StoreError(
                f"{place}: cannot be rebuilt: {error}. No version is affected"
            ) from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)
        if {version.ref for version in versions} == {
            version.ref for version in all_versions(store)
        }:
            return Catalogue(
                place, left_out
            )  # else another build published meanwhile, and may have been first


def all_versions(store: Store) -> list[Version]:
    """Every readable version in the store, by name and number.

    One that cannot be read stands in nobody's way here; `pairwright ls` and `verify` name it.
    """
    return [version for name in store.names() for version in store.readable(name)]


def versions_table(versions: list[Version]) -> pa.Table:
    """The table `versions` of these, which are sorted."""
    latest = {name: version.number for name, version in _preferred(versions).items()}
    rows = [
        {
            **version.manifest.model_dump(include=set(VERSIONS.names)),
            **version.manifest.run.model_dump(include=set(VERSIONS.names)),
            **{table: version.manifest.rows(table) for table in PUBLISHED},
            "version": version.label,
            "latest": version.number == latest[version.name],
            "parent": _label(version.manifest.run.parent),
            "folder": str(version.folder),
        }
        for version in versions
    ]
    return make_table(rows, VERSIONS)


def latest_schema(name: str) -> str:
    """The schema in which the version is found that the bare name of a dataset means."""
    return f"{name}@latest" if name in RESERVED else name


def _preferred(versions: list[Version]) -> dict[str, Version]:
    """Dataset -> the version that its bare name means."""
    found: dict[str, list[Version]] = {}
    for version in reversed(versions):
        found.setdefault(version.name, []).append(version)
    chosen = {name: preferred(newest_first) for name, newest_first in found.items()}
    return {name: version for name, version in chosen.items() if version is not None}


def _label(number: int | None) -> str | None:
    return None if number is None else f"v{number:04d}"


def _made(path: Path, versions: list[Version], former: Path | None) -> tuple[str, ...]:
    """Writes the catalogue, and goes on from `former` where it can; the versions it leaves out."""
    # with a log beside it somebody writes to it
    if former and former.is_file() and not former.with_name(f"{former.name}.wal").exists():
        with suppress(duckdb.Error, OSError, _Unfit):
            shutil.copyfile(former, path)
            return _build(path, versions, goes_on=True)
        path.unlink(missing_ok=True)
    return _build(path, versions, goes_on=False)


def _build(path: Path, versions: list[Version], *, goes_on: bool) -> tuple[str, ...]:
    wanted = {version.ref: version for version in versions}
    wanted |= {latest_schema(name): one for name, one in _preferred(versions).items()}
    with closing(duckdb.connect(path, config=ALONE)) as con:
        shown = _shown(con) if goes_on else {}
        _list_versions(con, versions)
        kept = {
            schema
            for schema, row in _rows(con).items()
            if shown.get(schema) == row and _is_whole(wanted[schema])
        }
        for schema in kept:
            _read(con, schema)
        for schema in (shown.keys() | wanted.keys()) - kept:
            con.execute(f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE")
        left_out: list[str] = []
        for schema, version in wanted.items():
            if schema in kept or version.ref in left_out:
                continue
            if not _added(con, schema, version):
                left_out.append(version.ref)
    return tuple(left_out)


def _list_versions(con: duckdb.DuckDBPyConnection, versions: list[Version]) -> None:
    con.register("rows", versions_table(versions))
    con.execute("CREATE OR REPLACE TABLE versions AS FROM rows")
    con.execute(f"COMMENT ON TABLE versions IS '{_made_by()}'")
    con.unregister("rows")


def _made_by() -> str:
    """A hash of all that decides what a version's schema looks like."""
    code = (__file__, version_schema.__file__, manifest_tables.__file__, tables.__file__, VIEWS)
    read = [Path(file).read_bytes() for file in code]
    return hashlib.sha256(b"\0".join([duckdb.__version__.encode(), *read])).hexdigest()


def _shown(con: duckdb.DuckDBPyConnection) -> dict[str, Row]:
    """Schema, of those there are -> the version that it shows. Raises _Unfit."""
    if con.execute(MADE_BY).fetchone() != (_made_by(),):
        raise _Unfit
    sql = "SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database()"
    schemas = {name for (name,) in con.execute(sql).fetchall()}
    return {schema: row for schema, row in _rows(con).items() if schema in schemas}


def _rows(con: duckdb.DuckDBPyConnection) -> dict[str, Row]:
    """Schema -> what the table `versions` says of the version that it shows."""
    rows = {}
    for latest, *row in con.execute("SELECT latest, * EXCLUDE latest FROM versions").fetchall():
        name, label = row[:2]
        rows[f"{name}@{label}"] = tuple(row)
        if latest:
            rows[latest_schema(name)] = tuple(row)
    return rows


def _is_whole(version: Version) -> bool:
    """Whether the files of a version are there, with the sizes that its manifest states.

    What else can be wrong with them, `pairwright verify` finds.
    """
    try:
        return all(
            (version.folder / path).stat().st_size == info.bytes
            for path, info in version.manifest.files.items()
        )
    except OSError:
        return False


def _read(con: duckdb.DuckDBPyConnection, schema: str) -> None:
    """Reads what a schema holds itself. Raises duckdb.Error where it is damaged."""
    for table in manifest_tables.TABLES:
        con.execute(f"FROM {quoted(schema)}.{table}").fetchall()


def _added(con: duckdb.DuckDBPyConnection, schema: str, version: Version) -> bool:
    """Makes the schema of `version`, or none where its files cannot be read."""
    con.execute("BEGIN")
    try:
        add_schema(con, schema, version)
    except StoreError:
        con.execute("ROLLBACK")
        con.execute("USE main")
        return False
    con.execute("COMMIT")
    return True
