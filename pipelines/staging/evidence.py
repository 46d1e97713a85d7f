"""Evidence: the rows of finished units, staged in files of runs as they arrive.

Memory holds one buffer per table, which becomes a run. The spine reads the slim columns back as
frames; publishing merges, joins and writes the rest.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from pipelines.arrow import give_back
from pipelines.bias.judged import LENGTHS
from pipelines.selection import frames
from pipelines.selection.frames import EVERY_COLUMN, Columns, Frames
from pipelines.selection.staged import (
    ARRIVAL,
    count_staged,
    read_frames,
    read_judgments,
    scan,
)
from pipelines.selection.texts import norm_hash, text_hash
from pipelines.staging.buffer import Buffer
from pipelines.staging.pieces import portion
from pipelines.staging.runs import RunWriter
from schemas.rows import Drop, Judgment, Prompt, Response, TreeNode
from schemas.tables import ORDER, STAGED

RowT = TypeVar("RowT", Prompt, Response)

RUNS_PER_FILE = 8
"""Runs of a file."""


class Evidence:
    """Staged evidence, in a folder of its own: what one writer finished, or a whole build."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._buffers = {table: Buffer(schema) for table, schema in STAGED.items()}
        self._bytes = dict.fromkeys(STAGED, 0)
        self._runs = dict.fromkeys(STAGED, 0)
        self._writers: dict[str, RunWriter] = {}
        for table in STAGED:
            (folder / table).mkdir(parents=True, exist_ok=True)

    def add_prompt(self, prompt: Prompt) -> None:
        """Stages a prompt."""
        chars = _chars(prompt)
        self._add("prompts", (*_values(prompt), chars), chars)

    def add_responses(self, responses: Iterable[Response]) -> None:
        """Stages responses, with the facts about their texts."""
        for response in responses:
            chars = len(response.text or "") + len(response.reasoning or "")
            self._add("responses", (*_values(response), *_text_facts(response.text)), chars)

    def add_judgments(self, judgments: Iterable[Judgment]) -> None:
        """Stages judgments."""
        for judgment in judgments:
            self._add("judgments", _values(judgment), len(judgment.raw or ""))

    def add_nodes(self, nodes: Iterable[TreeNode]) -> None:
        """Stages nodes of searches."""
        for node in nodes:
            self._add("tree_nodes", _values(node), len(node.text))

    def add_drop(self, drop: Drop) -> None:
        """Stages one reason why one row went no further."""
        self._add("drops", _values(drop))

    def take(self, folder: Path) -> None:
        """Moves the files of other, flushed evidence here."""
        for table in STAGED:
            for file in (folder / table).iterdir():
                file.rename(self.folder / table / f"{folder.name}-{file.name}")

    def give_up(self, folder: Path) -> None:
        """Removes the files that were taken from `folder`, and those that are still there."""
        for table in STAGED:
            for file in (self.folder / table).glob(f"{folder.name}-*"):
                file.unlink()
            for file in (folder / table).iterdir():
                file.unlink()

    def flush(self) -> None:
        """Writes what is buffered. Each table has at least one file, if an empty one."""
        for table in STAGED:
            if len(self._buffers[table]) or not self._runs[table]:
                self._write(table)
            self._close(table)

    def frames(self, columns: Columns = EVERY_COLUMN) -> Frames:
        """The slim tables of what is staged; scores as micro-units, rounded half-even once."""
        return read_frames(self.folder, columns)

    def answers(self) -> pl.LazyFrame:
        """Ids and lengths of the responses that are staged: `judged.LENGTHS`."""
        return scan(self.folder, "responses").select(LENGTHS)

    def judgments(self) -> pl.LazyFrame:
        """The judgments that are staged: `frames.JUDGMENTS`."""
        return read_judgments(self.folder)

    def count(self, table: str) -> int:
        """Rows that are staged."""
        return count_staged(self.folder, table)

    def drops(self) -> pl.DataFrame:
        """The reasons that are staged."""
        return scan(self.folder, "drops").drop(ARRIVAL).collect()

    def _add(self, table: str, row: tuple[Any, ...], chars: int = 0) -> None:
        buffer = self._buffers[table]
        if buffer.add(row, chars) and buffer.bytes >= portion(self._bytes[table]):
            self._write(table)

    def _write(self, table: str) -> None:
        if table not in self._writers:
            folder, name = self.folder / table, f"{self._runs[table]:06d}"
            self._writers[table] = RunWriter(folder, name, STAGED[table], ORDER[table])
        self._bytes[table] += self._buffers[table].bytes
        self._writers[table].write(self._buffers[table].take())
        give_back()
        self._runs[table] += 1
        if self._runs[table] % RUNS_PER_FILE == 0:
            self._close(table)

    def _close(self, table: str) -> None:
        if table in self._writers:
            self._writers.pop(table).close()


def prompts_frame(prompts: Sequence[Prompt], names: Collection[str]) -> pl.DataFrame:
    """Columns of some prompts, of those that are known before any call (and `prompt_text`)."""
    facts: dict[str, Callable[[Prompt], Any]] = {
        "source": lambda prompt: "+".join(prompt.sources),
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


def _values(row: Any) -> tuple[Any, ...]:
    """The fields of a row, in their order, which is that of the staged columns."""
    return tuple([getattr(row, name) for name in row.__slots__])
