"""Conversations: messages as data sets hold them, read into `Message`s.

Taken as they come: `content` as text, null or a list of text parts; `reasoning` or
`reasoning_content`; tool calls in OpenAI's form ({id, function: {name, arguments}}) or flat
({id, name, arguments}). Null fields are absent fields, and fields of other names (dates, ids,
weights) are passed over.
"""

from collections.abc import Sequence
from typing import Any, get_args

import orjson

from pipelines.intake.cells import UnusableRow, as_text
from schemas.rows import Message, Role, ToolCall, tools_json

ROLES: tuple[Role, ...] = get_args(Role)


def read_messages(value: Any) -> tuple[Message, ...]:
    """The messages in a list of tables, or in the JSON text of one. Raises UnusableRow.

    >>> read_messages('[{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]')
    (Message(role='user', content='Hi', reasoning=None, tool_calls=(), tool_call_id=None, name=None),)
    """
    messages = _listed(value, "messages")
    if not messages:
        raise UnusableRow("empty_prompt", "no messages")
    read = tuple(_message(message, number) for number, message in enumerate(messages, 1))
    asks_nothing = read[-1].role == "user"  # has a reason of its own
    for number, message in enumerate(read[:-1] if asks_nothing else read, 1):
        if message.content is None and not message.tool_calls:
            raise _bad(f"message {number}: neither content nor tool calls")
    return read


def read_tools(value: Any) -> str | None:
    """Tool definitions, a list or its JSON text, as canonical JSON; None for none.

    Raises UnusableRow.
    """
    if value is None or value == "":
        return None
    return tools_json(_listed(value, "tools"))


def refuse_wrong_end(messages: Sequence[Message]) -> None:
    """Raises UnusableRow unless the conversation ends where an answer belongs."""
    last = messages[-1]
    if last.role == "assistant":
        raise UnusableRow("ends_with_assistant", "the last message is the assistant's")
    if last.role not in ("user", "tool"):
        raise UnusableRow("bad_messages", f"the last message is of the role {last.role}")
    if last.role == "user" and not (last.content or "").strip():
        raise UnusableRow("empty_prompt", "the last message is empty")


def _bad(detail: str) -> UnusableRow:
    return UnusableRow("bad_messages", detail)


def _listed(value: Any, noun: str) -> list[dict[str, Any]]:
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise _bad(f"{noun}: not JSON: {error}") from error
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise _bad(f"{noun}: not a list of tables")
    return value


def _message(fields: dict[str, Any], number: int) -> Message:
    place = f"message {number}"
    role = fields.get("role")
    if role not in ROLES:
        raise _bad(f"{place}: role {as_text(role)[:40]} is none of {', '.join(ROLES)}")
    reasoning = fields.get("reasoning")
    if reasoning is None:
        reasoning = fields.get("reasoning_content")
    return Message(
        role=role,
        content=_content(fields.get("content"), place),
        reasoning=_text_or_none(reasoning, f"{place}: reasoning"),
        tool_calls=_tool_calls(fields.get("tool_calls"), f"{place}: tool_calls"),
        tool_call_id=_text_or_none(fields.get("tool_call_id"), f"{place}: tool_call_id"),
        name=_text_or_none(fields.get("name"), f"{place}: name"),
    )


def _content(value: Any, place: str) -> str | None:
    if not isinstance(value, list):
        return _text_or_none(value, f"{place}: content")
    return "".join(_part(part, place) for part in value)


def _part(part: Any, place: str) -> str:
    """The text of one content part: {"type": "text", "text": ...}, or plain text."""
    if isinstance(part, str):
        return part
    kind = part.get("type") if isinstance(part, dict) else type(part).__name__
    if kind == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    raise _bad(f"{place}: a content part of type {kind}; only text is read")


def _text_or_none(value: Any, place: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _bad(f"{place}: not text but a {type(value).__name__}")
    return value


def _tool_calls(value: Any, place: str) -> tuple[ToolCall, ...]:
    return tuple(_tool_call(call, place) for call in _listed(value, place)) if value else ()


def _tool_call(call: dict[str, Any], place: str) -> ToolCall:
    function = call.get("function")
    named = function if isinstance(function, dict) else call
    name, arguments = named.get("name"), named.get("arguments")
    if not isinstance(name, str) or arguments is None:
        raise _bad(f"{place}: a call without name or arguments")
    return ToolCall(as_text(call.get("id") or ""), name, as_text(arguments))
