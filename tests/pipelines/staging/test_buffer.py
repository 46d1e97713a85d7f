from dataclasses import asdict

import pyarrow as pa

from pipelines.staging.buffer import ROWS_PER_PIECE, Buffer
from pipelines.staging.runs import BATCH
from schemas.rows import Message, Prompt, ToolCall
from schemas.tables import PROMPTS, TEXTS, TOOL_CALLS

NUMBERS = pa.schema([("number", pa.int64()), ("text", pa.string())])


def test_rows_come_back_as_they_were_added_and_only_once():
    buffer = Buffer(NUMBERS)
    rows = [(number, None if number % 3 else "\U0001f600") for number in range(1200)]
    packed = [buffer.add(row, 1) for row in rows]
    assert [number + 1 for number, whole in enumerate(packed) if whole] == [512, 1024]
    assert len(buffer) == 1200
    table = buffer.take()
    assert list(zip(*table.to_pydict().values(), strict=True)) == rows
    assert (table.schema, len(buffer), buffer.bytes) == (NUMBERS, 0, 0)
    assert buffer.take().num_rows == 0


def test_long_texts_are_packed_sooner_but_in_whole_batches(monkeypatch):
    monkeypatch.setattr("pipelines.staging.buffer.CHARS_PER_PIECE", 1000)
    buffer = Buffer(NUMBERS)
    packed = [buffer.add((number, "x" * 100), 100) for number in range(3 * BATCH)]
    assert [number + 1 for number, whole in enumerate(packed) if whole] == [128, 256, 384]
    assert 3 * BATCH < ROWS_PER_PIECE
    assert 100 * 3 * BATCH < buffer.bytes < 120 * 3 * BATCH


def test_messages_and_their_tool_calls_become_lists_of_structs():
    calls = (ToolCall("1", "add", "{}"), ToolCall("2", "add", "[]"))
    spoken = (Message("user", "2+2?"), Message("assistant", None, tool_calls=calls, name="é"))
    prompts = [
        Prompt("p", spoken, None, "4", None, ("a", "b"), None, None, None),
        Prompt("q", (), "[]", None, "g", (), "MIT", "en", "maths"),
    ]
    buffer = Buffer(PROMPTS)
    for prompt in prompts:
        buffer.add((*(getattr(prompt, name) for name in prompt.__slots__), 4), 4)
    table = buffer.take()
    assert table.schema == PROMPTS
    assert table.schema.field("sources").type == TEXTS
    assert table.schema.field("messages").type.value_type.field("tool_calls").type == TOOL_CALLS
    wanted = [asdict(prompt) | {"n_chars": 4} for prompt in prompts]
    assert [_lists(row) for row in table.to_pylist()] == [_lists(row) for row in wanted]


def _lists(value: object) -> object:
    """Tuples as lists, within lists and dictionaries too."""
    if isinstance(value, dict):
        return {name: _lists(entry) for name, entry in value.items()}
    return [_lists(entry) for entry in value] if isinstance(value, list | tuple) else value
