"""The reply to a chat-completions request: the bytes of a 200, read."""

import json
import math
import re
from typing import Any

import orjson

from pipelines.backend import Completion, Reply, TokenLogprob
from pipelines.calls.prices import Usage
from pipelines.errors import TransientError
from schemas.rows import ToolCall

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
THINK = re.compile(r"\s*<think>(.*?)(?:</think>\n*|\Z)", re.DOTALL)


def read_reply(raw: bytes, asked: int) -> Reply:
    """As `reply_of`, from the bytes of a 200."""
    return reply_of(read_object(raw), asked)


def read_object(raw: bytes) -> dict[str, Any]:
    """The JSON object in the bytes of a 200. Raises TransientError where there is none."""
    reply = read_json(raw)
    if not isinstance(reply, dict):
        raise TransientError("the reply is not a JSON object", broke_off=True)
    return reply


def reply_of(reply: dict[str, Any], asked: int) -> Reply:
    """The completions of a reply in the order of their index, at most `asked` of them.

    A choice that cannot be read is left out, so that it is asked for again and its neighbours
    stay. Raises TransientError where none is left.
    """
    if reply.get("error"):
        raise TransientError(f"the reply is an error: {error_message(reply)}")
    choices = reply.get("choices")
    if not isinstance(choices, list) or not choices:
        raise TransientError("the reply has no choices", broke_off=True)
    usage = usage_of(reply.get("usage"))
    alone = usage if len(choices) == 1 else None
    completions = [_completion(choice, alone) for choice in _in_order(choices)]
    readable = tuple(completion for completion in completions if completion is not None)
    if not readable:
        raise TransientError("the reply has no choice that can be read", broke_off=True)
    return Reply(readable[:asked], usage)


def read_json(raw: bytes) -> Any:
    r"""The JSON value in `raw`. Raises TransientError where there is none.

    What is no text in UTF-8 becomes U+FFFD, lone surrogates included.

    >>> read_json(b'["\xff", "\\ud800"]') == ["\ufffd", "\ufffd"]
    True
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        return _mended(json.loads(raw.decode("utf-8-sig", "replace")))
    except (ValueError, RecursionError) as error:
        raise TransientError(f"the reply is not JSON: {error}", broke_off=True) from error


def _mended(value: Any) -> Any:
    if isinstance(value, dict):
        return {_mended(key): _mended(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_mended(entry) for entry in value]
    return LONE_SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value


def error_message(reply: Any) -> str:
    """What a server says is wrong, in whichever of the usual shapes it says so.

    >>> error_message({"error": {"message": "no such model", "code": "model_not_found"}})
    'no such model'
    >>> error_message({"detail": [{"msg": "field required"}]})
    '[{"msg":"field required"}]'
    """
    found: Any = reply
    while isinstance(found, dict):
        keys = [key for key in ("error", "message", "detail", "msg") if found.get(key)]
        if not keys:
            break
        found = found[keys[0]]
    return found if isinstance(found, str) else json_text(found)


def json_text(value: Any) -> str:
    """A JSON value as compact text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def split_thinking(text: str) -> tuple[str | None, str]:
    r"""A leading `<think>` block and the rest; None without one.

    A block that is never closed was cut off: all of it is thinking. A closing tag alone (the chat
    template opened the block) is not recognised: run such a server with its reasoning parser.

    >>> split_thinking("<think>\n2 and 2...\n</think>\n\nFour.")
    ('2 and 2...', 'Four.')
    >>> split_thinking("<think>2 and")
    ('2 and', '')
    >>> split_thinking("Write <think> first.")
    (None, 'Write <think> first.')
    """
    block = THINK.match(text)
    return (None, text) if block is None else (block[1].strip("\n"), text[block.end() :])


def _in_order(choices: list[Any]) -> list[Any]:
    """`choices` by their index; one without an index stands where it is."""
    if len(choices) == 1:
        return choices

    def index(numbered: tuple[int, Any]) -> int:
        position, choice = numbered
        stated = choice.get("index") if isinstance(choice, dict) else None
        return stated if isinstance(stated, int) else position

    return [choice for _, choice in sorted(enumerate(choices), key=index)]


def _completion(choice: Any, usage: Usage | None) -> Completion | None:
    """One choice, read; `usage` where it is this choice's alone. None: it cannot be read."""
    if not isinstance(choice, dict):
        return None
    finish_reason = _text(choice.get("finish_reason"))
    filtered = "content_filter" if finish_reason == "content_filter" else None
    message = choice.get("message")
    if not isinstance(message, dict):
        return Completion(None, finish_reason=finish_reason, refusal=filtered) if filtered else None
    if finish_reason == "error":  # some routers report a provider's failure inside a 200
        return None
    text, reasoning = _content(message)
    return Completion(
        text=text,
        reasoning=reasoning,
        tool_calls=_tool_calls(message.get("tool_calls")),
        finish_reason=finish_reason,
        refusal=_text(message.get("refusal")) or filtered,
        logprobs=_logprobs(choice.get("logprobs")),
        completion_tokens=usage.completion_tokens if usage else None,
        prompt_tokens=usage.prompt_tokens if usage else None,
    )


def _content(message: dict[str, Any]) -> tuple[str | None, str | None]:
    """Text and reasoning of a message: its own fields, else a leading `<think>` block."""
    content = message.get("content")
    text = _joined(content) if isinstance(content, list) else content
    if not isinstance(text, str):
        text = None
    stated = _text(message.get("reasoning_content")) or _text(message.get("reasoning"))
    if stated or text is None:
        return text, stated
    thinking, rest = split_thinking(text)
    return rest, thinking or None


def _joined(parts: list[Any]) -> str | None:
    """The text of a list of content parts; None where no part is text."""
    texts = [part["text"] for part in parts if isinstance(part, dict) and _is_text(part)]
    return "".join(texts) if texts else None


def _is_text(part: dict[str, Any]) -> bool:
    return part.get("type") in ("text", "output_text") and isinstance(part.get("text"), str)


def _tool_calls(calls: Any) -> tuple[ToolCall, ...]:
    if not isinstance(calls, list):
        return ()
    functions = [
        (call, call["function"])
        for call in calls
        if isinstance(call, dict) and isinstance(call.get("function"), dict)
    ]
    return tuple(
        ToolCall(
            id=_text(call.get("id")) or "",
            name=_text(function.get("name")) or "",
            arguments=_arguments(function.get("arguments")),
        )
        for call, function in functions
    )


def _arguments(arguments: Any) -> str:
    """Arguments as JSON text; some servers send the object itself."""
    return arguments if isinstance(arguments, str) else json_text(arguments or {})


def _logprobs(logprobs: Any) -> tuple[TokenLogprob, ...] | None:
    """The tokens of a choice. None where the server gave none, or one that is no number."""
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(content, list):
        return None
    tokens = []
    for entry in content:
        token = _token(entry)
        if token is None:
            return None
        others = entry.get("top_logprobs")
        top = [_token(other) for other in others] if isinstance(others, list) else []
        tokens.append(TokenLogprob(*token, tuple(filter(None, top))))
    return tuple(tokens)


def _token(entry: Any) -> tuple[str, float] | None:
    if not isinstance(entry, dict):
        return None
    token, logprob = entry.get("token"), entry.get("logprob")
    if not isinstance(token, str) or not isinstance(logprob, int | float):
        return None
    return (token, float(logprob)) if math.isfinite(logprob) else None


def usage_of(usage: Any) -> Usage | None:
    """Tokens of the whole reply. None where it states neither the prompt's nor the answer's."""
    if not isinstance(usage, dict):
        return None
    prompt, completion = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    if prompt is None and completion is None:
        return None
    return Usage(
        prompt_tokens=prompt,
        cached_tokens=_count(usage.get("prompt_tokens_details"), "cached_tokens"),
        completion_tokens=completion,
        reasoning_tokens=_count(usage.get("completion_tokens_details"), "reasoning_tokens"),
    )


def _count(counts: Any, name: str) -> int | None:
    count = counts.get(name) if isinstance(counts, dict) else None
    return count if type(count) is int and 0 <= count < 2**53 else None


def _text(value: Any) -> str | None:
    """`value` where it is a text with something in it."""
    return value if isinstance(value, str) and value else None
