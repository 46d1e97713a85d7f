"""Transcripts: two conversations in one text each that differ in their last answer, as hh-rlhf has them.

    Human: Hi                         messages   [user: Hi]
    Assistant: Hello!           ─>    chosen     Hello!
                                      rejected   Go away.

A turn begins after an empty line with a speaker's name and a colon. So a text that holds such a line
itself reads as two turns of one speaker, or as another conversation: what the two transcripts then
share is no prompt, and the row is bad.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from pipelines.source import BadRow, Row
from pipelines.sources._arrow import BATCH_ROWS, rows_of
from pipelines.sources._files import FileSource, open_bytes
from pipelines.sources.jsonl import BOM, parse_line


class Transcripts(FileSource):
    """Rows with two transcripts of one conversation, as a prompt and its two last answers.

    From .parquet, or JSON lines by any other name. The columns are `messages`, `chosen`, `rejected`,
    `n_turns` (of both speakers, the answer included), and those of the file whose names are none of
    these. An empty answer is an answer.
    """

    chosen: str = "chosen"
    """Column with the transcript whose last answer is the better one."""
    rejected: str = "rejected"
    """Column with the other transcript."""
    user: str = Field(default="Human", min_length=1)
    """How a transcript calls the user."""
    assistant: str = Field(default="Assistant", min_length=1)
    """How it calls the assistant."""

    def columns(self, root: Path) -> tuple[str, ...] | None:
        """None: each line may have columns of its own."""
        self.files(root)
        return None

    def rows(self, root: Path, columns: Collection[str] = ()) -> Iterator[Row | BadRow]:
        """The rows, file by file. Raises RecipeError where a file is missing or damaged."""
        for prefix, file in self.places(root):
            with self.reading(root, file):
                for number, row in enumerate(_rows(file, prefix), 1):
                    place = f"{prefix}row {number}"
                    yield row if isinstance(row, BadRow) else self._split(row, place)

    def _split(self, row: Row, place: str) -> Row | BadRow:
        try:
            sides = [self._conversation(row, name) for name in (self.chosen, self.rejected)]
            return row | _joined(*sides)
        except ValueError as fault:
            return BadRow(place, str(fault))

    def _conversation(self, row: Row, column: str) -> "Conversation":
        text = row.get(column)
        if not isinstance(text, str):
            raise ValueError(f"{column}: no text")
        try:
            return read_transcript(text, self.user, self.assistant)
        except ValueError as fault:
            raise ValueError(f"{column}: {fault}") from fault


@dataclass(frozen=True, slots=True)
class Conversation:
    """A transcript, read."""

    messages: list[dict[str, str]]
    """What comes before the last answer."""
    answer: str


def read_transcript(text: str, user: str = "Human", assistant: str = "Assistant") -> Conversation:
    r"""The conversation in a transcript, texts without white space around them.

    Raises ValueError for one that is none: speakers take turns, the user first, and the assistant
    has the last word.

    >>> read_transcript("\n\nHuman: Hi\n\nAssistant: Hello!")
    Conversation(messages=[{'role': 'user', 'content': 'Hi'}], answer='Hello!')
    >>> read_transcript("\n\nHuman: Hi\n\nAssistant: A\n\nAssistant: B")
    Traceback (most recent call last):
    ValueError: turn 3 is the Assistant's again
    """
    names = {user: "user", assistant: "assistant"}
    speakers = "|".join(map(re.escape, names))
    start, *parts = re.split(rf"(?:\A|\n)\n({speakers}):", f"\n{text}")
    turns = list(zip(parts[::2], parts[1::2], strict=True))
    if start.strip():
        raise ValueError("text before the first turn")
    for number, (name, said) in enumerate(turns, 1):
        if names[name] != ("assistant", "user")[number % 2]:
            again = f"turn {number} is the {name}'s again"
            raise ValueError(again if number > 1 else f"the {name} begins")
        if number < len(turns) and not said.strip():
            raise ValueError(f"turn {number} is empty")
    if not turns or len(turns) % 2:
        raise ValueError(f"the {assistant} does not have the last word" if turns else "no turn")
    messages = [{"role": names[name], "content": said.strip()} for name, said in turns]
    return Conversation(messages[:-1], messages[-1]["content"])


def _joined(chosen: Conversation, rejected: Conversation) -> Row:
    """The row of two conversations. Raises ValueError where they are about different prompts."""
    ours, theirs = chosen.messages, rejected.messages
    if ours != theirs:
        same = sum(1 for _ in _while_equal(ours, theirs))
        raise ValueError(f"the transcripts part in turn {same + 1}, before the last answer")
    answers = {"chosen": chosen.answer, "rejected": rejected.answer}
    return {"messages": ours, **answers, "n_turns": len(ours) + 1}


def _while_equal(ours: list[Any], theirs: list[Any]) -> Iterator[Any]:
    for one, other in zip(ours, theirs, strict=False):
        if one != other:
            return
        yield one


def _rows(file: Path, prefix: str) -> Iterator[Row | BadRow]:
    if file.suffix == ".parquet":
        with pq.ParquetFile(file) as table:
            batches: Iterator[pa.RecordBatch] = table.iter_batches(BATCH_ROWS)
            yield from rows_of(batches)
        return
    with open_bytes(file) as lines:
        for number, line in enumerate(lines, 1):
            line = line.removeprefix(BOM) if number == 1 else line
            if line.strip():
                yield parse_line(line, f"{prefix}line {number}")
