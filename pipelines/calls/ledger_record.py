"""The ledger's record: one reply, with the sample indices that it fills, as one line of JSON.

    {"v": 1, "indices": [0, 1], "at": "2026-01-31T12:00:00+00:00",
     "usage": {"prompt_tokens": 9, ...}, "completions": [{"text": "..."}, {"text": "..."}]}

Fields that are absent are left out. The indices stand before the texts, so that a ledger can be
opened without reading these. The time `at` is for people: no build reads it; nor `model`, which a
record with a refusal has: who refused.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from pipelines.backend import Completion, Reply, TokenLogprob
from pipelines.calls.prices import Usage
from pipelines.errors import StoreError
from schemas.rows import ToolCall

VERSION = 1
"""Of the record. A field more of a completion, or one that changes its meaning, is a new version."""

_SHAPED = ("tool_calls", "logprobs")
_PLAIN = [field.name for field in fields(Completion) if field.name not in _SHAPED]
_COUNTS = [field.name for field in fields(Usage)]
_HEAD = re.compile(rb'\{"v":1,"indices":\[(\d+(?:,\d+)*)\]')


def encode(indices: Sequence[int], reply: Reply, model: str | None = None) -> bytes:
    """The record of `reply`, whose first completions are the samples `indices`, in this order.

    `model` is kept where one of them is a refusal. Lone surrogates, which UTF-8 cannot hold, become
    U+FFFD. Raises ValueError if the reply has fewer completions than there are indices.
    """
    if len(reply.completions) < len(indices):
        raise ValueError(f"{len(indices)} indices, but {len(reply.completions)} completions")
    usage = reply.usage
    record = {
        "v": VERSION,
        "indices": list(indices),
        "at": datetime.now(UTC),
        "usage": usage and {name: getattr(usage, name) for name in _COUNTS},
        "completions": [_given(completion) for completion in reply.completions[: len(indices)]],
    }
    if model is not None and refused_samples(record):
        record["model"] = model
    try:
        return orjson.dumps(record, option=orjson.OPT_OMIT_MICROSECONDS)
    except TypeError:
        return orjson.dumps(_sound(record), option=orjson.OPT_OMIT_MICROSECONDS)


def decode(record: dict[str, Any], index: int) -> Completion:
    """Sample `index` of a record, exactly as it was when it was encoded."""
    given = dict(record["completions"][record["indices"].index(index)])
    if "tool_calls" in given:
        given["tool_calls"] = tuple(ToolCall(*call) for call in given["tool_calls"])
    if "logprobs" in given:
        given["logprobs"] = tuple(_logprob(*token) for token in given["logprobs"])
    return Completion(**given)


def head_indices(text: bytes | memoryview, start: int = 0) -> Sequence[int]:
    """The sample indices of the record at `start`; none if its head is not as `encode` writes it.

    >>> head_indices(b'{"v":1,"indices":[0,3],"at":')
    (0, 3)
    """
    head = _HEAD.match(text, start)
    return _numbers(head[1]) if head else ()


def paid_indices(record: dict[str, Any]) -> list[int]:
    """The sample indices of a record that are not refusals."""
    pairs = zip(record["indices"], record["completions"], strict=True)
    return [index for index, completion in pairs if not _is_refusal(completion)]


def refused_samples(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The completions of a record that are refusals."""
    return [completion for completion in record["completions"] if _is_refusal(completion)]


def refuse_newer(version: int, known: int, file: Path, offset: int) -> None:
    """Raises StoreError for a line whose version is above what this code knows."""
    if version > known:
        raise StoreError(
            f"{file}: byte {offset}: a record of version {version}, and this pairwright reads up "
            f"to {known}: a newer one wrote it. Update this one: pip install --upgrade pairwright"
        )


@lru_cache(maxsize=1024)
def _numbers(text: bytes) -> tuple[int, ...]:
    return tuple(map(int, text.split(b",")))


def _is_refusal(completion: dict[str, Any]) -> bool:
    return "error" in completion and completion["text"] is None


def _given(completion: Completion) -> dict[str, Any]:
    given: dict[str, Any] = {
        name: value
        for name in _PLAIN
        if (value := getattr(completion, name)) is not None or name == "text"
    }
    if completion.tool_calls:
        given["tool_calls"] = [
            [call.id, call.name, call.arguments] for call in completion.tool_calls
        ]
    if completion.logprobs is not None:
        given["logprobs"] = [
            [token.token, _number(token.logprob), [[name, _number(p)] for name, p in token.top]]
            for token in completion.logprobs
        ]
    return given


def _logprob(token: str, logprob: float | str, top: list[tuple[str, float | str]]) -> TokenLogprob:
    return TokenLogprob(token, float(logprob), tuple((name, float(p)) for name, p in top))


def _number(value: float) -> float | str:
    """JSON has no infinity and no NaN; Python's text of them reads back as a float."""
    return value if math.isfinite(value) else str(value)


def _sound(value: Any) -> Any:
    r"""`value` with the lone surrogates of its texts replaced.

    >>> _sound(["a\ud800b", "\ud83d\ude00"]) == ["a\ufffdb", "\U0001f600"]
    True
    """
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {name: _sound(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_sound(entry) for entry in value]
    return value
