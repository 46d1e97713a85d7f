"""Messages in Arrow: the lists that trainers read, and what is wrong with them."""

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.arrow import array, numpy, scalar
from schemas.tables import MESSAGES, PLAIN_MESSAGES

Flags = npt.NDArray[np.bool_]

_VISIBLE = r"[^\s\p{Z}\x{85}\x{1c}-\x{1f}]"


def is_blank(texts: pa.Array) -> Flags:
    """Whether each text is missing, empty or white space."""
    return ~_flags(pc.match_substring_regex(texts, _VISIBLE))


def has_calls(calls: pa.Array) -> Flags:
    """Whether each list of tool calls has any."""
    return _flags(pl.Series(pc.list_value_length(calls)) > 0)


def blank_prompts(messages: pa.ListArray) -> Flags:
    """Whether each conversation has no message, asks nothing, or has a message without content."""
    ends = numpy(messages.offsets)
    last = ends[1:] - 1
    role, content, calls = (_part(messages, name) for name in ("role", "content", "tool_calls"))
    calls_tool = has_calls(calls)
    says_nothing = is_blank(content) & ~calls_tool & ~_flags(pl.Series(role) == "tool")
    without_content = ~_flags(content.is_valid()) & ~calls_tool
    empty = np.diff(ends) == 0
    ends_blank = np.append(says_nothing, True)[np.where(empty, -1, last)]  # the -1: no message
    blank: Flags = empty | ends_blank | _any(without_content, ends)
    return blank


def rich_prompts(messages: pa.ListArray, tools: pa.Array) -> Flags:
    """Whether each conversation has tools, or a message with a field beyond role and content."""
    calls = has_calls(_part(messages, "tool_calls"))
    for name in ("tool_call_id", "name"):
        calls = calls | _flags(_part(messages, name).is_valid())
    return _flags(tools.is_valid()) | _any(calls, numpy(messages.offsets))


def prompt_messages(messages: pa.ListArray, *, rich: bool) -> pa.ListArray:
    """The messages as `tables.MESSAGES` where `rich`, else as `tables.PLAIN_MESSAGES`."""
    parts = {name: _part(messages, name) for name in ("role", "content")}
    if rich:
        parts |= {name: _part(messages, name) for name in ("tool_call_id", "name")}
        parts["tool_calls"] = _no_empty(_part(messages, "tool_calls"))
    return _messages(messages.offsets, parts, len(parts["role"]), rich=rich)


def answer_messages(texts: pa.Array, calls: pa.Array | None) -> pa.ListArray:
    """Each answer as a list of one message: `tables.MESSAGES` with `calls`, else `PLAIN_MESSAGES`."""
    offsets = array(np.arange(len(texts) + 1, dtype=np.int32))
    parts = {"role": pa.repeat(scalar("assistant"), len(texts)), "content": texts}
    if calls is not None:
        parts["tool_calls"] = _no_empty(calls)
    return _messages(offsets, parts, len(texts), rich=calls is not None)


def _messages(
    offsets: pa.Array, parts: dict[str, pa.Array], rows: int, *, rich: bool
) -> pa.ListArray:
    """Lists of messages; a field that is not among `parts` is null. Never any reasoning."""
    kind = MESSAGES if rich else PLAIN_MESSAGES
    fields = list(kind.value_type)
    arrays = [parts.get(field.name, pa.nulls(rows, field.type)) for field in fields]
    return pa.ListArray.from_arrays(
        offsets, pa.StructArray.from_arrays(arrays, fields=fields), kind
    )


def _part(messages: pa.ListArray, name: str) -> pa.Array:
    """One field of all messages, list after list."""
    return pc.struct_field(messages.values, name)


def _no_empty(calls: pa.Array) -> pa.Array:
    """Null in the place of empty lists: chat templates ask whether there are calls."""
    return pc.if_else(array(has_calls(calls)), calls, pa.nulls(1, calls.type)[0])


def _any(flags: Flags, ends: npt.NDArray[np.int32]) -> Flags:
    """Whether a flag is set in each list, which lie between `ends`."""
    so_far = np.concatenate(([0], np.cumsum(flags)))[ends]
    return np.asarray(np.diff(so_far) > 0, dtype=np.bool_)


def _flags(flags: pa.Array | pl.Series) -> Flags:
    """True where it is true; null is false."""
    found: Flags = pl.Series(flags).fill_null(False).to_numpy()
    return found
