"""Reads the calls in an answer, in whichever of the usual forms it makes them.

<tool_call>{"name": ..., "arguments": {...}}</tool_call>     Hermes, Qwen
{"name": ..., "parameters": {...}}, or a list of such        Llama, and OpenAI's own nesting
[name(argument=value), ...]                                  ToolACE, BFCL (arXiv 2501.09766)
tool_calls of a message                                      what a server has read already
"""

import re
from collections.abc import Iterable
from typing import Any

from pipelines.errors import JudgmentError
from pipelines.toolcalls.calls import Call
from pipelines.toolcalls.python_form import LONE_CALL, OPENING, read_python
from pipelines.toolcalls.strict_json import read_json
from schemas.rows import ToolCall

TAGGED = re.compile(r"<tool_call>(.*?)(</tool_call>|\Z)", re.DOTALL)
CODE_BLOCK = re.compile(r"```(?:json|python|tool_code)?\s*\n(.*?)\n?```", re.DOTALL)
BROKEN_CALL = re.compile(r'"name".*"(arguments|parameters)"', re.DOTALL)
"""What is no JSON and was meant as a call."""


def read_calls(text: str) -> tuple[Call, ...]:
    """The calls that `text` makes; none where it makes none. Raises JudgmentError for a broken one.

    >>> read_calls('<tool_call>{"name": "time", "arguments": {}}</tool_call>')
    (Call(name='time', arguments={}),)
    >>> read_calls('I ask for it: [weather(city="Oslo"), time()]')[0].arguments
    {'city': 'Oslo'}
    >>> read_calls("Which city do you mean?")
    ()
    """
    if "<tool_call>" in text:
        return _tagged(text)
    bare = text.strip()
    block = CODE_BLOCK.fullmatch(bare)
    bare = block[1].strip() if block else bare
    if bare.startswith(("{", "[")) and not OPENING.match(bare):
        return _bare_json(bare)
    opening = OPENING.search(bare)
    if opening is not None:
        return read_python(bare[opening.start() :])
    return read_python(f"[{bare}]") if LONE_CALL.fullmatch(bare) else ()


def stated_calls(calls: Iterable[ToolCall]) -> tuple[Call, ...]:
    """The calls that a server has read already. Raises JudgmentError for broken arguments."""
    return tuple(Call(call.name, _arguments(call.arguments)) for call in calls)


def calls_of(text: str | None, stated: Iterable[ToolCall] = ()) -> tuple[Call, ...]:
    """The calls of an answer: those that a server has read, else those in its text."""
    return stated_calls(stated) or read_calls(text or "")


def _tagged(text: str) -> tuple[Call, ...]:
    calls: list[Call] = []
    for block in TAGGED.finditer(text):
        if not block[2]:
            raise JudgmentError("a <tool_call> that is not closed")
        value = read_json(block[1])
        calls.extend(map(_from_json, value if isinstance(value, list) else [value]))
    return tuple(calls)


def _bare_json(text: str) -> tuple[Call, ...]:
    """The calls of a text that is JSON. Other JSON, and what only begins like it, calls nothing."""
    try:
        value = read_json(text)
    except JudgmentError:
        if BROKEN_CALL.search(text):
            raise
        return ()
    values = value if isinstance(value, list) else [value]
    return tuple(map(_from_json, values)) if values and all(map(_is_call, values)) else ()


def _is_call(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return isinstance(value.get("function"), dict) or (
        "name" in value and ("arguments" in value or "parameters" in value)
    )


def _from_json(value: Any) -> Call:
    """A call from its JSON object, flat or in OpenAI's nesting. Raises JudgmentError."""
    if not isinstance(value, dict):
        raise JudgmentError("a call that is no JSON object")
    fields = value.get("function", value)
    name = fields.get("name") if isinstance(fields, dict) else None
    if not isinstance(name, str) or not name:
        raise JudgmentError("a call without a name")
    return Call(name, _arguments(fields.get("arguments", fields.get("parameters"))))


def _arguments(given: Any) -> dict[str, Any]:
    r"""Arguments as an object, from it or from its JSON text; none are an empty object.

    >>> _arguments('{"city": "Oslo"}'), _arguments(None), _arguments("")
    ({'city': 'Oslo'}, {}, {})
    """
    if given is None or given == "":
        return {}
    value = read_json(given) if isinstance(given, str) else given
    if not isinstance(value, dict):
        raise JudgmentError("arguments that are no JSON object")
    return value
