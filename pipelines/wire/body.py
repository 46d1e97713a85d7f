"""The body of a chat-completions request."""

import re
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Any, Literal

import orjson

from pipelines.backend import Request, Sampling
from schemas.rows import Message, ToolCall

SystemRole = Literal["system", "developer", "user"]
MaxTokensField = Literal["max_tokens", "max_completion_tokens"]
SYSTEM_ROLES = ("system", "developer")
CONTINUE_FIELDS = {"add_generation_prompt": False, "continue_final_message": True}
"""What asks vLLM to go on with the last message, an assistant's, rather than to answer it."""
SCORE_FIELDS = {"prompt_logprobs": 0, **CONTINUE_FIELDS}  # no alternatives
"""What asks vLLM to score the last message; see `score.py`."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where servers differ about one and the same request."""

    system_role: SystemRole = "system"
    """The role of system texts; "user" folds them into the first user message."""
    max_tokens_field: MaxTokensField = "max_tokens"


OPENAI = Dialect()


def request_body(request: Request, model: str, dialect: Dialect = OPENAI) -> bytes:
    """The JSON of `request`. What is not given is not sent; reasoning never is.

    >>> hello = Request((Message("user", "Hello"),), None, Sampling(max_tokens=5), 2, 7)
    >>> request_body(hello, "m").decode()
    '{"model":"m","messages":[{"role":"user","content":"Hello"}],"max_tokens":5,"n":2,"seed":7}'
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": [chat_message(message) for message in spoken(request.messages, dialect)],
    }
    body |= _sampling(request.sampling, dialect)
    if request.n > 1:
        body["n"] = request.n
    if request.seed is not None:
        body.setdefault("seed", request.seed)
    if request.tools is not None:
        body["tools"] = orjson.Fragment(request.tools)
    return orjson.dumps(body)


def continues(sampling: Sampling) -> bool:
    """Whether the last message is to be gone on with, as vLLM is told (`CONTINUE_FIELDS`)."""
    return (sampling.extra_body or {}).get("continue_final_message") is True


def spoken(messages: tuple[Message, ...], dialect: Dialect) -> list[Message]:
    """`messages` with system texts in the role that the server knows."""
    if dialect.system_role == "user":
        return _folded(messages)
    return [_in_role(message, dialect.system_role) for message in messages]


def _in_role(message: Message, role: SystemRole) -> Message:
    """`message`, a system text in `role` instead."""
    if message.role not in SYSTEM_ROLES:
        return message
    return Message(role, message.content, name=message.name)


def _folded(messages: tuple[Message, ...]) -> list[Message]:
    r"""`messages` with the leading system texts above the first user text, a blank line between.

    Later system texts stay in their place, as user messages.

    >>> _folded((Message("system", "Be brief."), Message("user", "Hi")))[0].content
    'Be brief.\n\nHi'
    """
    leading = list(takewhile(lambda message: message.role in SYSTEM_ROLES, messages))
    rest = [_in_role(message, "user") for message in messages[len(leading) :]]
    if not leading:
        return rest
    opens = rest.pop(0) if rest and rest[0].role == "user" else Message("user", None)
    texts = [message.content for message in (*leading, opens) if message.content]
    return [replace(opens, content="\n\n".join(texts)), *rest]


def chat_message(message: Message) -> dict[str, Any]:
    """A message as the API has it, absent fields left out."""
    fields: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.name is not None:
        fields["name"] = message.name
    if message.tool_calls:
        fields["tool_calls"] = [_tool_call(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        fields["tool_call_id"] = message.tool_call_id
    return fields


def _tool_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _sampling(sampling: Sampling, dialect: Dialect) -> dict[str, Any]:
    """The sampling parameters under their names on the wire, `extra_body` beside them."""
    given = dict(sampling.given)  # what is given decides the ledger's key, and stays
    extra = given.pop("extra_body", {})
    if "max_tokens" in given:
        given[dialect.max_tokens_field] = given.pop("max_tokens")
    if "top_logprobs" in given:
        given.setdefault("logprobs", True)  # the API refuses the one without the other
    if given.pop("score", False):
        given |= SCORE_FIELDS
    schema = given.pop("json_schema", None)
    if schema is not None:
        given["response_format"] = _response_format(schema)
    given.update(extra)
    return given


def _response_format(schema: dict[str, Any]) -> dict[str, Any]:
    """A strict structured output, named after the schema's title."""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", str(schema.get("title", "")))[:64] or "answer"
    return {
        "type": "json_schema",
        "json_schema": {"name": name, "strict": True, "schema": schema},
    }
