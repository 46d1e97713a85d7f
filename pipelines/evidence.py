"""Evidence: the rows of finished units, staged as Parquet in order of arrival.

Memory holds one buffer per table. The spine reads the slim columns back as frames; publishing
sorts, joins and writes the rest.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.selection import frames
from pipelines.selection.frames import Frames
from pipelines.selection.texts import norm_hash, text_hash
from schemas.canonical import MICRO
from schemas.rows import Drop, Judgment, Message, Prompt, Response, ToolCall
from schemas.tables import STAGED

RowT = TypeVar("RowT", Prompt, Response)

ROWS_PER_FILE = 16_384
"""Rows held in memory per table before they are written."""


class Evidence:
    """Staged evidence, in a folder of its own: what one writer finished, or a whole build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._buffers: dict[str, list[tuple[Any, ...]]] = {table: [] for table in STAGED}
        self._files = dict.fromkeys(STAGED, 0)
        for table in STAGED:
            (folder / table).mkdir(parents=True, exist_ok=True)

    def add_prompt(self, prompt: Prompt) -> None:
        """Stages a prompt."""
        self._add("prompts", (*_values(prompt), _chars(prompt)))

    def add_responses(self, responses: Iterable[Response]) -> None:
        """Stages responses, with the facts about their texts."""
        for response in responses:
            self._add("responses", (*_values(response), *_text_facts(response.text)))

    def add_judgments(self, judgments: Iterable[Judgment]) -> None:
        """Stages judgments."""
        for judgment in judgments:
            self._add("judgments", _values(judgment))

    def add_drop(self, drop: Drop) -> None:
        """Stages one reason why one row went no further."""
        self._add("drops", _values(drop))

    def take(self, folder: Path) -> None:
        """Moves the files of other, flushed evidence here."""
        for table in STAGED:
            for file in (folder / table).glob("*.parquet"):
                file.rename(self.folder / table / f"{folder.name}-{file.name}")

    def flush(self) -> None:
        """Writes what is buffered. Each table has at least one file, if an empty one."""
        for table in STAGED:
            if self._buffers[table] or not self._files[table]:
                self._write(table)

    def frames(self) -> Frames:
        """The slim tables of what is staged; scores as micro-units, rounded half-even once."""
        scores = ("score", "score_a", "score_b")
        judgments = pl.scan_parquet(self.folder / "judgments" / "*.parquet").with_columns(
            (pl.col(name) * MICRO).round(0, mode="half_to_even").cast(pl.Int64) for name in scores
        )
        responses = pl.scan_parquet(self.folder / "responses" / "*.parquet").with_columns(
            failed=pl.col("error").is_not_null(),
            has_text=pl.col("norm_hash").is_not_null(),
            score=pl.lit(None, pl.Int64),
            n_scores=pl.lit(None, pl.Int64),
        )
        prompts = pl.scan_parquet(self.folder / "prompts" / "*.parquet").with_columns(
            has_reference=pl.col("reference").is_not_null(),
            n_messages=pl.col("messages").list.len(),
        )
        before = [name for name in frames.PROMPTS if name in frames.PROMPTS_BEFORE]
        return Frames(
            prompts=_slim(prompts, {name: frames.PROMPTS[name] for name in before}),
            responses=_slim(responses, frames.RESPONSES),
            judgments=_slim(judgments, frames.JUDGMENTS),
        )

    def join_texts(self, frame: pl.DataFrame, names: frozenset[str]) -> pl.DataFrame:
        """`frame` with the text columns `names` (`frames.TEXT_COLUMNS`), rows in their order."""
        for name in sorted(names):
            if name == "prompt_text":
                texts, key = self._texts("prompts", "prompt_id", _conversation()), "prompt_id"
            else:
                texts = self._texts("responses", "response_id", pl.col("text"))
                key = (
                    "response_id" if name == "text" else f"{name.removesuffix('_text')}_response_id"
                )
            wanted = frame.lazy().select(pl.col(key).unique())
            texts = texts.rename({"id": key, "text": name}).join(wanted, on=key, how="semi")
            frame = frame.join(texts.collect(), on=key, how="left", maintain_order="left")
        return frame

    def count(self, table: str) -> int:
        """Rows that are staged."""
        files = (self.folder / table).glob("*.parquet")
        return sum(int(pq.read_metadata(file).num_rows) for file in files)

    def drops(self) -> pl.DataFrame:
        """The reasons that are staged."""
        return pl.read_parquet(self.folder / "drops" / "*.parquet")

    def _texts(self, table: str, key: str, text: pl.Expr) -> pl.LazyFrame:
        staged = pl.scan_parquet(self.folder / table / "*.parquet")
        return staged.select(id=pl.col(key), text=text)

    def _add(self, table: str, row: tuple[Any, ...]) -> None:
        buffer = self._buffers[table]
        buffer.append(row)
        if len(buffer) >= ROWS_PER_FILE:
            self._write(table)

    def _write(self, table: str) -> None:
        rows, self._buffers[table] = self._buffers[table], []
        schema = STAGED[table]
        columns = list(zip(*rows, strict=True)) or [()] * len(schema)
        arrays = [
            pa.array(list(map(_plain, column)) if pa.types.is_nested(kind) else column, kind)
            for column, kind in zip(columns, schema.types, strict=True)
        ]
        path = self.folder / table / f"{self._files[table]:06d}.parquet"
        pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path, compression="zstd")
        self._files[table] += 1


def prompts_frame(prompts: Sequence[Prompt], names: Collection[str]) -> pl.DataFrame:
    """Columns of some prompts, of those that are known before any call (and `prompt_text`)."""
    facts: dict[str, Callable[[Prompt], Any]] = {
        "has_reference": lambda prompt: prompt.reference is not None,
        "n_messages": lambda prompt: len(prompt.messages),
        "n_chars": _chars,
        "prompt_text": lambda prompt: "\n".join(one.content or "" for one in prompt.messages),
    }
    return _frame(prompts, facts, frames.PROMPTS | {"prompt_text": pl.String}, names)


def responses_frame(responses: Sequence[Response], names: Collection[str]) -> pl.DataFrame:
    """Columns of some responses, of those that are known before judging (and `text`)."""
    facts: dict[str, Callable[[Response], Any]] = {
        "failed": lambda response: response.error is not None,
        "has_text": lambda response: bool(response.text and response.text.strip()),
        "n_chars": lambda response: None if response.text is None else len(response.text),
        "text_hash": lambda response: text_hash(response.text),
        "norm_hash": lambda response: norm_hash(response.text),
    }
    return _frame(responses, facts, frames.RESPONSES | {"text": pl.String}, names)


def _frame(
    rows: Sequence[RowT],
    facts: dict[str, Callable[[RowT], Any]],
    columns: dict[str, Any],
    names: Collection[str],
) -> pl.DataFrame:
    """The columns `names`: from `facts`, else from the fields of the rows."""
    schema = {name: kind for name, kind in columns.items() if name in names}
    values = {
        name: [facts[name](row) if name in facts else getattr(row, name) for row in rows]
        for name in schema
    }
    return pl.DataFrame(values, schema=schema)


def _chars(prompt: Prompt) -> int:
    return sum(len(message.content or "") for message in prompt.messages)


def _text_facts(text: str | None) -> tuple[int | None, str | None, str | None]:
    """`n_chars`, `text_hash` and `norm_hash`: the last columns of a staged response."""
    return None if text is None else len(text), text_hash(text), norm_hash(text)


def _conversation() -> pl.Expr:
    """The contents of a prompt's messages, joined by line ends."""
    contents = pl.element().struct.field("content").fill_null("")
    return pl.col("messages").list.eval(contents).list.join("\n")


def _slim(table: pl.LazyFrame, columns: dict[str, Any]) -> pl.DataFrame:
    return table.select(pl.col(name).cast(kind) for name, kind in columns.items()).collect()


def _values(row: Any) -> tuple[Any, ...]:
    """The fields of a row, in their order, which is that of the staged columns."""
    return tuple([getattr(row, name) for name in row.__slots__])


def _plain(value: Any) -> Any:
    """Nested rows as dictionaries and lists: what Arrow takes."""
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, Message | ToolCall):
        return {name: _plain(getattr(value, name)) for name in value.__slots__}
    return value
