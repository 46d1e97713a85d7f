"""An export: a published version in the files of one trainer, in a folder outside the store.

Everything is written in a folder beside the wanted one and renamed there at the end, so whoever
looks sees all of it or nothing. The bytes are a function of (version, exporter, splits).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import orjson
import pyarrow as pa

from pipelines.errors import RecipeError, StoreError, nearest
from pipelines.exporter import Exporter, Written
from pipelines.exporting.check import Check, Checker
from pipelines.exporting.evidence import add_evidence
from pipelines.exporting.pairs import Pairs, annotator_groups, has_tools, pairs_in, pairs_of
from pipelines.publishing.folders import claim, inspect_file, listed, sync_tree
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from pipelines.selection.group_votes import GROUP
from pipelines.selection.measured import DIFFICULTY
from schemas.tables import EASY_TO_HARD

MEMORY = "2GB"
"""Memory that DuckDB may take; what does not fit is spilled to disk."""

SHUFFLED = "shuffled"
ORDERS = {SHUFFLED: "pairs", EASY_TO_HARD: EASY_TO_HARD}
"""Order of the rows of an export -> the folder of a version that has it."""

RECORD, CHECKED = "export.json", "check.json"

MEASURES = "SELECT DISTINCT measure FROM version.measures ORDER BY 1"

REVERSED = """
    SELECT count(*) FROM pairs SEMI JOIN (
        SELECT prompt_id, chosen_response_id AS lost, rejected_response_id AS won
        FROM pairs WHERE annotator_group IS NOT NULL
    ) AS other
    ON pairs.prompt_id = other.prompt_id AND chosen_response_id = won AND rejected_response_id = lost
"""

UNFINISHED = """
    SELECT count(*) FROM pairs
    WHERE chosen_response_id IN (FROM unfinished) OR rejected_response_id IN (FROM unfinished)
"""

PART = ("kind", "name")
"""Fields that every part has."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What became of the pairs of one split."""

    pairs: int
    """Published pairs that the format can hold."""
    left_out: dict[str, int]
    """Reason -> published pairs that it cannot."""
    written: Written
    check: Check | None
    """What the check found, where one was asked for."""

    def to_json(self) -> dict[str, Any]:
        """The split as `export.json` has it."""
        return {
            "pairs": self.pairs,
            "left_out": self.left_out,
            "rows": self.written.rows,
            "notes": self.written.notes,
        }


def export(
    store: Store,
    version: Version,
    exporter: Exporter,
    out: Path,
    splits: Sequence[str] = (),
    checker: Checker | None = None,
    order: str = SHUFFLED,
    group: str | None = None,
) -> dict[str, Exported]:
    """Writes the pairs of `splits` (all, where none is named) to the new folder `out`, by split.

    `order` is one of `ORDERS`; `group` an annotator group whose pairs alone are written. With a
    `checker`, every pair that is exported is looked at too. Raises RecipeError for a split or a
    group that there is not, or where no row would be written, and StoreError where `out` is taken,
    lies in the store or cannot be written.
    """
    if not version.number:
        raise RecipeError(f"{version.ref}: a gate refused it, so it is not for training")
    _check_order(version, exporter, order)
    _check_group(version, group)
    chosen, place = _chosen(version, splits, ORDERS[order]), _free(out, store)
    with _beside(place) as (con, folder):
        add_evidence(con, version)
        _check_measures(con, version, exporter)
        exported = {
            split: _split(con, version, exporter, split, ORDERS[order], group, folder, checker)
            for split in chosen
        }
        _refuse_nothing(version, exporter, exported)
        written = {split: one.written for split, one in exported.items()}
        exporter.finish(version.name, written, folder)
        if checker is not None:
            _write_json(_checked(checker, exported), folder / CHECKED)
        _write_json(_record(version, exporter, exported, order, group, folder), folder / RECORD)
        sync_tree(folder)
        if not claim(folder, place):
            raise _taken(place)
    return exported


def _split(
    con: duckdb.DuckDBPyConnection,
    version: Version,
    exporter: Exporter,
    split: str,
    table: str,
    group: str | None,
    folder: Path,
    checker: Checker | None,
) -> Exported:
    tools = has_tools(version)
    cannot = exporter.left_out(tools=tools)
    pairs: Pairs = pairs_of(con, version, split, cannot, table, group, tools=tools)
    written = exporter.write(pairs, folder)
    if exporter.ends_answers:
        written = replace(written, notes=written.notes | _unfinished(con))
    if group is None:
        written = replace(written, notes=written.notes | _reversed(con))
    check = checker.check(pairs) if checker is not None else None
    published = pairs_in(con, version, split, "pairs", group)
    absent = published - pairs.rows - sum(pairs.left_out.values())
    left_out = pairs.left_out | ({f"{DIFFICULTY}_unknown": absent} if absent else {})
    return Exported(pairs.rows, left_out, written, check)


def _unfinished(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many pairs have a side that goes on where the format ends it, as a note."""
    ((count,),) = con.sql(UNFINISHED).fetchall()
    return {"unfinished": count} if count else {}


def _reversed(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """How many pairs another group has the other way round, on the same prompt, as a note."""
    if GROUP not in con.sql("FROM pairs").columns:
        return {}
    ((count,),) = con.sql(REVERSED).fetchall()
    return {"reversed_by_another_group": count} if count else {}


def _check_group(version: Version, group: str | None) -> None:
    """Raises RecipeError where the version has no pairs of that annotator group."""
    if group is None:
        return
    groups = annotator_groups(version)
    if not groups:
        raise RecipeError(f"--group: {version.ref} has no pairs of annotator groups")
    if group not in groups:
        hint = nearest(group, groups)
        raise RecipeError(f'--group: {version.ref} has no annotator group "{group}"; {hint}')


def _check_order(version: Version, exporter: Exporter, order: str) -> None:
    """Raises RecipeError where there is no such order, or the format has one of its own."""
    if order not in ORDERS:
        raise RecipeError(f'--order: no such order "{order}"; {nearest(order, ORDERS)}')
    if order == SHUFFLED:
        return
    if not exporter.keeps_order:
        raise RecipeError(f"--order: the format {exporter.name} has an order of its own")
    if not version.manifest.rows(ORDERS[order]):
        raise RecipeError(
            f"--order: {version.ref} has no order {order}: its recipe has no measure called "
            f"{DIFFICULTY}, or no pair was measured"
        )


def _check_measures(con: duckdb.DuckDBPyConnection, version: Version, exporter: Exporter) -> None:
    """Raises RecipeError for a measure that the version does not have."""
    there = [name for (name,) in con.sql(MEASURES).fetchall()]
    for name in exporter.measure_names():
        if name not in there:
            hint = (
                nearest(name, there)
                if there
                else "its recipe has none: `pairwright parts measures`"
            )
            raise RecipeError(
                f'{version.ref}: the format {exporter.name} wants the measure "{name}", and no pair '
                f"has a value of it; {hint}"
            )


def _chosen(version: Version, splits: Sequence[str], table: str) -> list[str]:
    """The splits to export, sorted. Raises RecipeError."""
    there = version.manifest.splits(table)
    if not there:
        raise RecipeError(f"{version.ref}: has no pairs. `pairwright drops {version.ref}` says why")
    for split in splits:
        if split not in there:
            raise RecipeError(
                f'--split: {version.ref} has no split "{split}"; {nearest(split, there)}'
            )
    return sorted(set(splits) or there)


def _free(out: Path, store: Store) -> Path:
    """`out` without links, if it may be written. Raises StoreError."""
    place = out.resolve()
    if place.is_relative_to(store.root):
        raise StoreError(f"{out}: lies in the store, which only builds write to")
    if place.exists() and not (place.is_dir() and not any(place.iterdir())):
        raise _taken(place)
    return place


def _taken(place: Path) -> StoreError:
    return StoreError(f"{place}: is there already, and an export overwrites nothing. Name another")


@contextmanager
def _beside(place: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A database with bounded memory and a folder, beside `place`, for as long as it takes."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{place.name}.unfinished-", dir=place.parent) as work:
            folder = Path(work) / "export"
            folder.mkdir()
            config: dict[str, Any] = {"memory_limit": MEMORY, "temp_directory": f"{work}/spilled"}
            with duckdb.connect(f"{work}/work.duckdb", config=config) as con:
                yield con, folder
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise StoreError(f"{place}: the export failed: {error}") from error


def _refuse_nothing(version: Version, exporter: Exporter, exported: dict[str, Exported]) -> None:
    if any(one.written.rows for one in exported.values()):
        return
    reasons = sorted({reason for one in exported.values() for reason in one.left_out})
    why = f" ({', '.join(reasons)})" if reasons else ""
    remedies = [told for reason, told in exporter.remedies().items() if reason in reasons]
    more = f"`pairwright parts exporters {exporter.kind}` says what it leaves out"
    raise RecipeError(
        f"{version.ref}: the format {exporter.name} can hold none of its pairs{why}. "
        + "; ".join([*remedies, more])
    )


def _checked(checker: Checker, exported: dict[str, Exported]) -> dict[str, Any]:
    checks = {split: one.check.to_json() for split, one in exported.items() if one.check}
    return {**checker.facts(), "splits": checks}


def _record(
    version: Version,
    exporter: Exporter,
    exported: dict[str, Exported],
    order: str,
    group: str | None,
    folder: Path,
) -> dict[str, Any]:
    """What `export.json` says: what was exported, how, and the hash of every file but itself."""
    rows = {path: n for one in exported.values() for path, n in one.written.files.items()}
    files = {path: inspect_file(folder / path, rows.get(path)) for path in listed(folder)}
    settings = {key: value for key, value in exporter.identity().items() if key not in PART}
    return {
        "dataset": version.ref,
        "content_digest": version.manifest.content_digest,
        "format": exporter.kind,
        "settings": settings,
        "order": order,
        **({} if group is None else {GROUP: group}),
        "splits": {split: one.to_json() for split, one in exported.items()},
        "files": {path: info.model_dump(exclude_none=True) for path, info in files.items()},
    }


def _write_json(record: dict[str, Any], path: Path) -> None:
    path.write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2) + b"\n")
