"""Staged evidence, read back: ids and numbers first, and a text where a filter names it."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from pipelines.scoring.rounding import rounded
from pipelines.selection.frames import (
    JUDGMENTS,
    PROMPTS,
    PROMPTS_BEFORE,
    RESPONSES,
    RESPONSES_BEFORE,
    Columns,
    Frames,
)
from pipelines.selection.groups import ARROW
from pipelines.selection.id_order import in_id_order
from pipelines.selection.numbering import (
    number_judgments,
    number_nodes,
    number_prompts,
    number_responses,
)
from pipelines.selection.sweep import ARRIVAL as ARRIVAL
from pipelines.selection.sweep import Sweep
from pipelines.staging.runs import COLUMNS, IS_THERE, ROWS, TEXTS
from schemas.canonical import MICRO
from schemas.tables import RENAMED, STAGED

TAKEN = ".parquet"
"""Suffix of files that were taken over from a version (`reusing`), the only form that they have."""

_EVERY = pl.lit(True)
_MADE = {
    **{name: rounded(pl.col(name) * MICRO) for name in ("score", "score_a", "score_b")},
    "judge": pl.concat_str("judge", "dimension", separator=".").fill_null(pl.col("judge")),
    "failed": pl.col("error").is_not_null(),
    "has_text": pl.col("norm_hash").is_not_null(),
    "source": pl.col("sources").list.join("+"),
    "has_reference": pl.col("reference").is_not_null(),
    "n_messages": pl.col("messages").list.len(),
}
"""Columns that are made of staged ones."""
_MADE_OF_RUNS = {name: made for name, made in _MADE.items() if name not in IS_THERE.values()}
"""Those that files of runs do not have as they are."""


@dataclass(frozen=True, slots=True)
class Staged:
    """The staged evidence of a build, read some prompts at a time, with some columns of each table."""

    folder: Path
    columns: Columns
    prompts: pl.DataFrame
    """All of them, in the order of their numbers."""

    def blocks(self, size: int) -> Iterator[Frames]:
        """The slim tables of at most `size` prompts each, in the order of numbers; at least one.

        Prompts and responses lie in the order of their numbers, and have the column `ARRIVAL`;
        judgments in that of their responses. Scores are micro-units, rounded half-even once.
        """
        sweeps, n_responses = self._sweeps(), 0
        firsts = self.prompts["prompt_id"].gather_every(size).to_list()
        for number, before in enumerate([*firsts[1:], None]):
            some = self.prompts.slice(number * size, size)
            rows = {table: sweep.take(before) for table, sweep in sweeps.items()}
            frames = self._frames(some, rows, n_responses)
            n_responses += frames.responses.height
            del rows
            yield frames
            del frames  # gone before the next are read

    def _sweeps(self) -> dict[str, Sweep]:
        """The tables whose rows are read some at a time."""
        own, files = self.columns, {table: column_files(self.folder, table) for table in STAGED}
        made = _MADE if files["responses"][0].suffix == TAKEN else _MADE_OF_RUNS
        of_responses = _slim(RESPONSES, own.responses & RESPONSES_BEFORE, made)
        columns = {
            "responses": [pl.col(ARRIVAL), *of_responses],
            "judgments": _slim(JUDGMENTS, own.judgments | {"response_id"}),
        }
        if own.nodes:
            names = STAGED["tree_nodes"].names
            columns["tree_nodes"] = [pl.col(name) for name in names if name not in TEXTS]
        return {table: Sweep(files[table], wanted) for table, wanted in columns.items()}

    def _frames(
        self, prompts: pl.DataFrame, rows: Mapping[str, pl.DataFrame], first: int
    ) -> Frames:
        """The `rows` of some `prompts`, with their numbers; responses count from `first`."""
        responses = number_responses(rows["responses"], prompts, first)
        unread = {"prompt_id", "response_id"} - self.columns.judgments
        judgments = number_judgments(rows["judgments"], prompts, responses)
        judgments = judgments.drop(unread, strict=False)
        if "tree_nodes" not in rows:
            return Frames(prompts, responses, judgments)
        nodes = number_nodes(rows["tree_nodes"], prompts, responses)
        return Frames(prompts, responses, judgments, nodes=nodes)


def read_staged(folder: Path, columns: Columns) -> Staged:
    """What is staged in `folder`, with `columns`."""
    known = columns.prompts & PROMPTS_BEFORE
    prompts = scan(folder, "prompts").select(ARRIVAL, *_slim(PROMPTS, known))
    return Staged(folder, columns, number_prompts(prompts.collect()))


def read_frames(folder: Path, columns: Columns) -> Frames:
    """All that is staged in `folder` as one block (`Staged.blocks`)."""
    staged = read_staged(folder, columns)
    every = max(1, staged.prompts.height)
    return next(staged.blocks(every))


def read_judgments(folder: Path, which: pl.Expr = _EVERY) -> pl.LazyFrame:
    """The staged judgments `which`, columns `frames.JUDGMENTS`; scores are micro-units."""
    return scan(folder, "judgments").filter(which).select(_slim(JUDGMENTS, JUDGMENTS))


def with_ids(folder: Path, responses: pl.DataFrame) -> pl.DataFrame:
    """All `responses`, by their `ARRIVAL`, with `response_id`."""
    ids = scan(folder, "responses").select("response_id").collect()
    return responses.with_columns(ids["response_id"].gather(responses[ARRIVAL]))


def order_nodes(folder: Path) -> pl.DataFrame:
    """`node_id` and `ARRIVAL` of every node of a search, sorted by prompt and id."""
    ids = scan(folder, "tree_nodes").select("prompt_id", "node_id", ARRIVAL)
    return ids.collect().sort("prompt_id", "node_id")


def order_judgments(folder: Path, prompts: pl.DataFrame) -> pl.DataFrame:
    """`judgment_id` and `ARRIVAL` of every judgment, sorted by prompt and id."""
    hashed = pl.col("prompt_id").hash()  # a fifth of the memory of ids, and hardly ever ambiguous
    key = hashed if prompts.select(hashed.is_unique().all()).item() else pl.col("prompt_id")
    ids = scan(folder, "judgments").select("judgment_id", ARRIVAL, key=key)
    numbered = ids.join(prompts.lazy().select("prompt", key=key), on="key", how="left")
    numbered = numbered.select("prompt", "judgment_id", ARRIVAL)
    return in_id_order(numbered.collect(), "judgment_id", within="prompt")


def scan(folder: Path, table: str) -> pl.LazyFrame:
    """The staged rows of a table without the long texts (`runs.TEXTS`), with `ARRIVAL`.

    Where they are the files of a version, these have more columns than staged ones, and those of runs
    have `runs.IS_THERE`.
    """
    files = column_files(folder, table)
    read = pl.scan_ipc if files[0].suffix == ARROW else pl.scan_parquet
    rows = read(files, glob=False, row_index_name=ARRIVAL)  # "[" is a letter in a path
    return rows.rename({published: staged for staged, published in RENAMED.items()}, strict=False)


def count_staged(folder: Path, table: str) -> int:
    """The staged rows of a table."""
    there = column_files(folder, table)  # of an older version not every table
    return int(scan(folder, table).select(pl.len()).collect().item()) if there else 0


def staged_files(folder: Path, table: str, form: str) -> list[Path]:
    """The files of a table in one of their forms, in the order that `ARRIVAL` counts."""
    return sorted((folder / table).glob(f"*{form}"))


def column_files(folder: Path, table: str) -> list[Path]:
    """The files of a table of which columns are read: of runs, or of a version."""
    return staged_files(folder, table, COLUMNS) or staged_files(folder, table, TAKEN)


def join_texts(folder: Path, frame: pl.DataFrame, names: frozenset[str]) -> pl.DataFrame:
    """`frame` with the text columns `names` (`frames.TEXT_COLUMNS`), rows in their order."""
    for name in sorted(names):
        if name == "prompt_text":
            staged = scan(folder, "prompts")
            texts, key = staged.select(id="prompt_id", text=_conversation()), "prompt_id"
        else:
            texts = _responses(folder).select("text", id="response_id")
            key = "response_id" if name == "text" else f"{name.removesuffix('_text')}_response_id"
        wanted = frame.lazy().select(pl.col(key).unique())
        texts = texts.rename({"id": key, "text": name}).join(wanted, on=key, how="semi")
        frame = frame.join(texts.collect(), on=key, how="left", maintain_order="left")
    return frame


def _responses(folder: Path) -> pl.LazyFrame:
    """The staged responses with their texts."""
    files = staged_files(folder, "responses", ROWS)
    return pl.scan_ipc(files, glob=False) if files else scan(folder, "responses")


def _slim(
    kinds: Mapping[str, type[pl.DataType]],
    names: Collection[str],
    made: Mapping[str, pl.Expr] = _MADE,
) -> list[pl.Expr]:
    """The columns `names` of a table with these `kinds`, some of them `made` of staged ones."""
    return [made.get(name, pl.col(name)).cast(kinds[name]).alias(name) for name in sorted(names)]


def _conversation() -> pl.Expr:
    """The contents of a prompt's messages, joined by line ends."""
    contents = pl.element().struct.field("content").fill_null("")
    return pl.col("messages").list.eval(contents).list.join("\n")
