"""Publishing: the staged evidence and the selected pairs become the files of a version.

Ids and numbers come first: they say where each row goes. Then the staged rows are read in that
order, some at a time; what a pair takes of them waits in files under the staging folder. What is
written is the same bytes in every run, in whatever order units finished.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.arrow import give_back
from pipelines.errors import StoreError
from pipelines.publishing.drops import drop_rows, ordered_drops
from pipelines.publishing.folders import inspect_file
from pipelines.publishing.found import beside, of_prompts, of_responses
from pipelines.publishing.layout import Publish
from pipelines.publishing.pair_rows import OF_PAIRS, PairRows
from pipelines.publishing.shards import Rows, write_shard
from pipelines.publishing.spill import stretch_of
from pipelines.publishing.splits import (
    easy_to_hard,
    shard_paths,
    shard_rows,
    shuffled,
    split_of_groups,
)
from pipelines.publishing.units import Run, Taken, Units
from pipelines.publishing.walls import check_pairs, refuse_repeated
from pipelines.selection.funnel import drops_frame
from pipelines.selection.staged import ARRIVAL, order_judgments, order_nodes, scan, with_ids
from schemas.tables import EASY_TO_HARD, ORDER, PAIRS, PUBLISHED, RENAMED, schema_hash
from schemas.version import FileInfo

if TYPE_CHECKING:
    from pipelines.selection.selected import Selected


_OF_A_PAIR = ("prompts", "responses", "responses")
"""The tables that the texts of a pair come from."""


def write_tables(
    staged: Path,
    selected: "Selected",
    drops: pl.DataFrame,
    publish: Publish,
    seed: int,
    folder: Path,
    at_once: int | None = None,
    taken: Mapping[str, FileInfo] | None = None,
) -> dict[str, FileInfo]:
    """Writes the tables of a version under `folder`; returns path -> hash, bytes and rows.

    `staged` has a folder with files for each table of `tables.STAGED`: of runs, or those that were
    `taken` from a version, by their paths there. `drops` are the reasons that are not staged. About
    `at_once` bytes of texts are in memory at a time, a few times over; by default a `portion` of
    all. Raises StoreError for rows that must never be published.
    """
    with _workspace(folder) as place:
        units = Taken(staged, taken, at_once) if taken else Run(staged, at_once)
        target = _Target(folder, publish, units)
        selected = replace(
            selected,
            responses=with_ids(staged, selected.responses),
            dropped_pairs=selected.dropped_pairs.collect().lazy(),
        )
        refuse_repeated(selected.prompts["prompt_id"], "prompts")
        refuse_repeated(selected.responses["response_id"], "responses")
        check_pairs(selected)
        every = pl.concat([drops_frame(scan(staged, "drops").collect()), drops_frame(drops)])
        dropped = ordered_drops(every, selected)
        files = _write_pairs(target, selected, dropped, seed, place)
        files |= target.write_alone("judgments", partial(order_judgments, staged, selected.prompts))
        files |= target.write_alone("tree_nodes", partial(order_nodes, staged))
        files |= target.write("drops", drop_rows(dropped, selected), dropped.height)
        measures = selected.measures.sort("pair_id", "measure")
        return files | target.write("measures", iter([measures.to_arrow()]), measures.height)


def _write_pairs(
    target: "_Target", selected: "Selected", dropped: pl.DataFrame, seed: int, place: Path
) -> dict[str, FileInfo]:
    """Writes prompts and responses, and the pairs, which wait in `place` for the texts of these.

    What this holds is gone before judgments are put in order: their ids need as much memory.
    """
    publish, units = target.publish, target.units
    prompts = of_prompts(selected, _splits(selected.prompts, publish, seed), dropped)
    pairs = shuffled(_with_facts(selected.pairs.drop("prompt_id"), prompts), seed)
    if publish.group_near_duplicates:
        prompts = prompts.with_columns(selected.prompts["group_id"])
    stretch = stretch_of(pairs.height, sum(map(units.row_bytes, _OF_A_PAIR)), units.at_once)
    waiting = {"pairs": PairRows(pairs, stretch, place / "pairs", units.most_held)}
    if (easy := easy_to_hard(pairs)).height:
        waiting[EASY_TO_HARD] = PairRows(easy, stretch, place / EASY_TO_HARD, units.most_held)

    arrival = selected.prompts[ARRIVAL], selected.responses[ARRIVAL]
    files = target.write_beside("prompts", arrival[0], prompts, waiting.values())
    found = of_responses(selected.responses)
    files |= target.write_beside("responses", arrival[1], found, waiting.values())
    rich = waiting["pairs"].rich
    for table, rows in waiting.items():
        files |= target.write_pairs(table, rows, rich=rich)
    return files


def schema_hashes(folder: Path) -> dict[str, str]:
    """Table -> hash of its schema, of the tables that `write_tables` wrote under `folder`."""
    return {
        table: schema_hash(pq.read_schema(files[0]))
        for table in (*PUBLISHED, EASY_TO_HARD)
        if (files := sorted((folder / table).glob("*.parquet")))
    }


@contextmanager
def _workspace(folder: Path) -> Iterator[Path]:
    """A folder for rows on their way, under `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".work-", dir=folder) as place:
        try:
            yield Path(place)
        except (pa.ArrowException, pl.exceptions.PolarsError, OSError) as error:
            raise StoreError(f"{folder}: the tables cannot be written: {error}") from error


def _splits(prompts: pl.DataFrame, publish: Publish, seed: int) -> pl.Series:
    """The split of each prompt: that of its group."""
    groups = prompts.select(pl.coalesce("group_id", "prompt_id")).to_series()
    return split_of_groups(groups, publish.splits, seed)


def _with_facts(pairs: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """`pairs` with `split` and `score_var` of their prompts, which lie in the order of numbers."""
    facts = prompts.select("split", "score_var")
    return pairs.with_columns(facts.select(pl.all().gather(pairs["prompt"])).get_columns())


@dataclass(frozen=True, slots=True)
class _Target:
    """Where the files go, and where their rows come from."""

    folder: Path
    publish: Publish
    units: Units

    def write_beside(
        self, table: str, arrival: pl.Series, found: pl.DataFrame, waiting: Collection[PairRows]
    ) -> dict[str, FileInfo]:
        """Writes prompts or responses with what was `found`; what is `waiting` sees them pass."""
        if files := self._link(table, found):
            rows = self.units.rows(table, arrival, OF_PAIRS[table])
        else:
            rows = beside(self.units.rows(table, arrival), found)
        for pairs in waiting:
            rows = pairs.passing(table, rows)
        if files:
            deque(rows, maxlen=0)  # they pass, and that is all
            return files
        return self.write(table, rows, found.height)

    def write_alone(self, table: str, order: Callable[[], pl.DataFrame]) -> dict[str, FileInfo]:
        """Writes a table beside which nothing was found; `order` gives its ids, and `ARRIVAL`."""
        if files := self._link(table):
            return files
        ids = order()
        refuse_repeated(ids[ORDER[table][-1]], table)
        return self.write(table, self.units.rows(table, ids[ARRIVAL]), ids.height)

    def _link(self, table: str, found: pl.DataFrame | None = None) -> dict[str, FileInfo]:
        return self.units.link(table, found, self.publish.row_group_rows, self.folder)

    def write(self, table: str, rows: Iterator[pa.Table], count: int) -> dict[str, FileInfo]:
        """Writes the `count` rows of a table beside `pairs`."""
        sizes = shard_rows(count, "auto") or [0]
        shards = dict(zip(shard_paths(f"{table}/part", sizes), sizes, strict=True))
        return self._write(rows, PUBLISHED[table], shards)

    def write_pairs(self, table: str, waiting: PairRows, *, rich: bool) -> dict[str, FileInfo]:
        """Writes the pairs, once prompts and responses have passed; `rich` ones as such."""
        shards = {
            path: size
            for split, rows in waiting.splits.rle()
            .struct.unnest()
            .select("value", "len")
            .iter_rows()
            for sizes in [shard_rows(rows, self.publish.shards)]
            for path, size in zip(shard_paths(f"{table}/{split}", sizes), sizes, strict=True)
        }
        schema = PAIRS if rich else PUBLISHED["pairs"]
        return self._write(waiting.tables(rich=rich), schema, shards)

    def _write(
        self, tables: Iterator[pa.Table], schema: pa.Schema, shards: dict[str, int]
    ) -> dict[str, FileInfo]:
        """Writes sorted rows to the files `shards` (path -> rows)."""
        rows = Rows((table.rename_columns(_renamed(table)) for table in tables), schema)
        for path, count in shards.items():
            write_shard(rows, count, self.folder / path, schema, self.publish.row_group_rows)
        give_back()
        if rows.take(1).num_rows:
            raise StoreError(f"{self.folder}: more rows than were counted for {', '.join(shards)}")
        return {path: inspect_file(self.folder / path, count) for path, count in shards.items()}


def _renamed(table: pa.Table) -> list[str]:
    return [RENAMED.get(name, name) for name in table.column_names]
