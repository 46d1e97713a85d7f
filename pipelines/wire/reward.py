"""Rewards: one number for a response, as reward models give it over HTTP.

A form says how a number is asked for, and where it stands in the reply:

    body     JSON in which "$messages", "$response" and their like stand for what is judged
    number   a JSON pointer (RFC 6901), as in "/data/0/score"

vLLM's two endpoints are forms as well. Nothing of what is judged is ever read as a form again.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from pipelines.backend import Completion, Reply, Request
from pipelines.errors import TransientError
from pipelines.wire.body import OPENAI, Dialect, chat_message, spoken
from pipelines.wire.reply import error_message, json_text, read_json, usage_of
from schemas.rows import Message

Protocol = Literal["pooling", "score", "json"]

MARK = re.compile(r"\$(\$|\w+)")
INDEX = re.compile(r"-?(0|[1-9][0-9]{0,8})")
MARKS = {
    "messages": "the conversation with the response as its last message, a list",
    "tools": "the tools of the prompt, a list",
    "conversation": "the text of the prompt; of several messages, each after its role",
    "prompt": "the text of the last user message",
    "response": "the text of the response",
    "model": "the model's id",
}
"""What may stand in a body, and what it stands for."""
WHOLE = ("messages", "tools")
"""Marks that are no text: they stand alone."""
JUDGED = ("messages", "response")
"""Without one of them every response would get the same number."""
LONGEST_SHOWN = 300
"""Characters of a reply without a number that are kept."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a reward is asked for, and where it stands in the reply."""

    path: str
    """What is appended to the server's address."""
    body: dict[str, Any]
    number: str
    """A JSON pointer; an index may be negative, from the end. A list of one number is that
    number."""


FORMS = {
    "pooling": Form(
        "/pooling",
        {
            "model": "$model",
            "messages": "$messages",
            "chat_template_kwargs": {"tools": "$tools"},
            "use_activation": False,  # the reward itself, and no sigmoid of it
        },
        "/data/0/data",
    ),
    "score": Form(
        "/score",
        {
            "model": "$model",
            "text_1": "$conversation",
            "text_2": "$response",
            "use_activation": False,
        },
        "/data/0/score",
    ),
}
"""vLLM's endpoints: a conversation in the model's own chat template, and two plain texts."""


class FormError(ValueError):
    """A body, or a pointer, that cannot be right."""


def marks_of(body: Any) -> Iterator[str]:
    """The names of the marks in a body. Raises FormError for one that does not exist.

    >>> list(marks_of({"inputs": ["Q: $prompt", "A: $response costs $$1"]}))
    ['prompt', 'response']
    """
    if isinstance(body, dict | list):
        for value in body.values() if isinstance(body, dict) else body:
            yield from marks_of(value)
    elif isinstance(body, str):
        for name in MARK.findall(body):
            if name not in MARKS and name != "$":
                known = ", ".join(f"${one}" for one in MARKS)
                raise FormError(f'"${name}" stands for nothing. Valid: {known}; "$$" is a dollar')
            if name in WHOLE and body != f"${name}":
                raise FormError(f'"${name}" is a list: it stands alone, not within a text')
            if name != "$":
                yield name


def check_body(body: Any) -> None:
    """Raises FormError for a body that cannot be right."""
    if not set(JUDGED) & set(marks_of(body)):
        raise FormError('neither "$messages" nor "$response" is in it: what would be judged?')


def check_pointer(pointer: str) -> None:
    """Raises FormError for what is no JSON pointer."""
    if pointer and not pointer.startswith("/"):
        raise FormError(f'a JSON pointer is wanted, as in "/data/0/score", not "{pointer}"')


def reward_body(request: Request, model: str, form: Form, dialect: Dialect = OPENAI) -> bytes:
    """The JSON that asks for the reward of the request's last message.

    >>> from pipelines.backend import REWARDING
    >>> asked = Request((Message("user", "2+2?"), Message("assistant", "4")), None, REWARDING, 1, 7)
    >>> reward_body(asked, "rm", FORMS["score"]).decode()
    '{"model":"rm","text_1":"2+2?","text_2":"4","use_activation":false}'
    """
    *asked, response = request.messages
    users = [message for message in asked if message.role == "user"]
    standing = {
        "messages": [chat_message(message) for message in spoken(request.messages, dialect)],
        "tools": None if request.tools is None else orjson.Fragment(request.tools),
        "conversation": _conversation(asked),
        "prompt": (users[-1].content or "") if users else "",
        "response": response.content or "",
        "model": model,
    }
    return orjson.dumps(_filled(form.body, standing))


def _conversation(messages: Sequence[Message]) -> str:
    r"""The text of a prompt; of several messages, each after its role.

    >>> _conversation([Message("user", "2+2?")])
    '2+2?'
    >>> _conversation([Message("system", "Solve."), Message("user", "2+2?")])
    'system: Solve.\n\nuser: 2+2?'
    """
    if len(messages) == 1:
        return messages[0].content or ""
    return "\n\n".join(f"{message.role}: {message.content or ''}" for message in messages)


def _filled(body: Any, standing: dict[str, Any]) -> Any:
    """`body` with what its marks stand for, read once. What stands for nothing is left out."""
    if isinstance(body, dict):
        filled = {key: _filled(value, standing) for key, value in body.items()}
        given = {key: value for key, value in filled.items() if value is not None}
        return given if given or not body else None
    if isinstance(body, list):
        return [_filled(value, standing) for value in body]
    if not isinstance(body, str):
        return body
    if body[1:] in WHOLE and body[:1] == "$":
        return standing[body[1:]]
    return MARK.sub(lambda mark: "$" if mark[1] == "$" else standing[mark[1]], body)


def read_reward(raw: bytes, number: str) -> Reply:
    """The number in the bytes of a 200, as the text of the one completion.

    Where there is none, the text says what is there. Raises TransientError for what is no JSON, or
    an error in a 200.
    """
    reply = read_json(raw)
    if isinstance(reply, dict) and reply.get("error"):
        raise TransientError(f"the reply is an error: {error_message(reply)}")
    usage = usage_of(reply.get("usage")) if isinstance(reply, dict) else None
    completion = Completion(
        _number_at(reply, number),
        finish_reason="stop",
        completion_tokens=usage.completion_tokens if usage else None,
        prompt_tokens=usage.prompt_tokens if usage else None,
    )
    return Reply((completion,), usage)


def _number_at(reply: Any, pointer: str) -> str:
    """The number that a pointer leads to, as text; in words, what else is there.

    >>> _number_at({"data": [{"data": [-1.25]}]}, "/data/0/data")
    '-1.25'
    >>> _number_at({"data": [{"data": [[0.5], [2]]}]}, "/data/0/data/-1")
    '2.0'
    >>> _number_at({"score": "high"}, "/score")
    'no number at /score: "high"'
    >>> _number_at({"label": 1}, "/score")
    'nothing at /score: {"label":1}'
    """
    found = reply
    try:
        for part in pointer.split("/")[1:]:
            found = _step(found, part.replace("~1", "/").replace("~0", "~"))
    except LookupError:
        return f"nothing at {pointer}: {_shown(reply)}"
    while isinstance(found, list) and len(found) == 1:
        [found] = found
    if isinstance(found, bool) or not isinstance(found, int | float):
        return f"no number at {pointer}: {_shown(found)}"
    try:
        return repr(float(found))
    except OverflowError:  # an integer beyond any float
        return "-inf" if found < 0 else "inf"


def _step(value: Any, part: str) -> Any:
    """What `part` of a pointer leads to. Raises LookupError."""
    if isinstance(value, dict):
        return value[part]
    if isinstance(value, list) and INDEX.fullmatch(part):
        return value[int(part)]
    raise LookupError(part)


def _shown(value: Any) -> str:
    try:
        text = json_text(value)
    except RecursionError:
        return "lists within lists, too deep to show"
    return text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "..."
