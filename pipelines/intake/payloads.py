"""Payloads: rows as they lie in the records, in JSON."""

import orjson

from schemas.rows import Judgment, Message, Prompt, Response, ToolCall


def payload_of(row: Prompt | Response | Judgment) -> bytes:
    """A row as it is kept."""
    return orjson.dumps(row)


def prompt_of(payload: bytes) -> Prompt:
    """The prompt that was kept so."""
    fields = orjson.loads(payload)
    messages = tuple(
        Message(**message | {"tool_calls": _tool_calls(message["tool_calls"])})
        for message in fields["messages"]
    )
    return Prompt(**fields | {"messages": messages, "sources": tuple(fields["sources"])})


def response_of(payload: bytes) -> Response:
    """The response that was kept so."""
    fields = orjson.loads(payload)
    return Response(**fields | {"tool_calls": _tool_calls(fields["tool_calls"])})


def judgment_of(payload: bytes) -> Judgment:
    """The judgment that was kept so."""
    return Judgment(**orjson.loads(payload))


def _tool_calls(calls: list[dict[str, str]]) -> tuple[ToolCall, ...]:
    return tuple(ToolCall(**call) for call in calls)
