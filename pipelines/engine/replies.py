"""Replies of the server: OpenAI's chat completions and completions, as JSON."""

import math
import time
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any
from uuid import uuid4

from pipelines.backend import Completion, TokenLogprob
from pipelines.calls.prices import Usage

Json = dict[str, Any]
Tokens = Sequence[TokenLogprob]


def chat_reply(model: str, completions: Sequence[Completion], usage: Usage) -> Json:
    """Of /v1/chat/completions."""
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": completion.text, "refusal": None},
            "logprobs": _given(completion.logprobs, _entries),
            "finish_reason": completion.finish_reason,
        }
        for index, completion in enumerate(completions)
    ]
    return _reply("chat.completion", "chatcmpl", model, choices, usage)


def text_reply(model: str, completions: Sequence[Completion], usage: Usage) -> Json:
    """Of /v1/completions. A token whose log-probability is NaN has none: the first of a prompt."""
    choices = [
        {
            "index": index,
            "text": completion.text,
            "logprobs": _given(completion.logprobs, _columns),
            "finish_reason": completion.finish_reason,
        }
        for index, completion in enumerate(completions)
    ]
    return _reply("text_completion", "cmpl", model, choices, usage)


def prompt_logprobs(tokens: Sequence[int], logprobs: Sequence[TokenLogprob]) -> list[Json | None]:
    """Those of all tokens of a prompt but the first, as vLLM has them."""
    given = [
        {str(token): {"logprob": one.logprob, "rank": None, "decoded_token": one.token}}
        for token, one in zip(tokens[1:], logprobs, strict=True)
    ]
    return [None, *given]


def error_reply(message: str, code: str | None = None) -> Json:
    """An error in OpenAI's shape."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return {"error": error}


def _reply(kind: str, prefix: str, model: str, choices: list[Json], usage: Usage) -> Json:
    read, drawn = usage.prompt_tokens or 0, usage.completion_tokens or 0
    return {
        "id": f"{prefix}-{uuid4().hex}",
        "object": kind,
        "created": int(time.time()),
        "model": model,
        "choices": choices,
        "usage": {
            "prompt_tokens": read,
            "completion_tokens": drawn,
            "total_tokens": read + drawn,
        },
    }


def _given(tokens: Tokens | None, form: Callable[[Tokens], Json]) -> Json | None:
    return None if tokens is None else form(tokens)


def _entries(tokens: Tokens) -> Json:
    return {"content": [_entry(token) for token in tokens], "refusal": None}


def _entry(token: TokenLogprob) -> Json:
    alternatives = [_named(name, logprob) for name, logprob in token.top]
    return _named(token.token, token.logprob) | {"top_logprobs": alternatives}


def _named(token: str, logprob: float) -> Json:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def _columns(tokens: Tokens) -> Json:
    lengths = [len(token.token) for token in tokens]
    return {
        "tokens": [token.token for token in tokens],
        "token_logprobs": [_known(token.logprob) for token in tokens],
        "top_logprobs": [dict(token.top) or None for token in tokens],
        "text_offset": list(accumulate([0, *lengths]))[:-1],
    }


def _known(logprob: float) -> float | None:
    return None if math.isnan(logprob) else logprob
