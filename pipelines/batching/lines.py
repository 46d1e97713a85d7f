"""The lines of an OpenAI batch file: a request that is asked, and what became of it.

`vllm run-batch` reads and writes the same lines.
"""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import orjson

from pipelines.backend import Reply
from pipelines.errors import BackendError, TransientError
from pipelines.wire.fault import fault, read_error
from pipelines.wire.reply import read_json, reply_of
from pipelines.wire.score import score_of

URL = "/v1/chat/completions"
"""The endpoint of all lines of a job, whatever the path of the server's address."""
UNANSWERED = frozenset({"batch_expired", "batch_cancelled"})
"""The errors of requests that were not begun when their job ended."""


def make_custom_id(model_identity: str, first: int, body: bytes) -> str:
    """What tells a request apart from all others, the same in every run: 32 hexadecimal digits.

    Bodies may be equal where no seed is sent, so the index of the first sample counts too.
    """
    decisive = b"%b\0%d\0%b" % (model_identity.encode(), first, body)
    return hashlib.sha256(decisive).hexdigest()[:32]


def request_line(custom_id: str, body: bytes) -> bytes:
    r"""The line, with its newline, that asks for `body`, the JSON of a request.

    >>> request_line("a1", b'{"model":"m"}')
    b'{"custom_id":"a1","method":"POST","url":"/v1/chat/completions","body":{"model":"m"}}\n'
    """
    line = {"custom_id": custom_id, "method": "POST", "url": URL, "body": orjson.Fragment(body)}
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def id_of(line: bytes) -> str | None:
    """The custom_id of a result line; None where it cannot be read, or the job ended too early.

    >>> id_of(b'{"custom_id": "a1", "response": {}}'), id_of(b'{"custom_id": "a')
    ('a1', None)
    >>> id_of(b'{"custom_id": "a1", "response": null, "error": {"code": "batch_expired"}}')
    """
    try:
        result = orjson.loads(line)
    except orjson.JSONDecodeError:
        try:
            result = read_json(line)
        except TransientError:
            return None
    if not isinstance(result, dict) or not isinstance(result.get("custom_id"), str):
        return None
    error = result.get("error")
    unanswered = isinstance(error, dict) and error.get("code") in UNANSWERED
    return None if unanswered else str(result["custom_id"])


def read_line(raw: bytes, asked: int, scored: str | None = None) -> Reply:
    """The reply in a result line, at most `asked` completions, at the batch price.

    `scored` is the text whose score was asked for, if it was that.
    Raises what the same answer would have raised online: RequestRefused, TransientError or
    FatalError.
    """
    result = read_json(raw)
    response = result.get("response") if isinstance(result, dict) else None
    if not isinstance(response, dict):
        said = read_error(orjson.dumps(result))
        raise TransientError(f"no response: {said.message}")
    status, body = response.get("status_code"), response.get("body")
    if isinstance(status, int) and 200 <= status < 300 and isinstance(body, dict):
        reply = reply_of(body, asked) if scored is None else score_of(body, scored)
        return _at_the_batch_price(reply)
    # run-batch of vLLM has what it says beside the response
    raise _failure(status, body if isinstance(body, dict) else result)


def _failure(status: Any, said: dict[str, Any]) -> BackendError:
    """The error that a line without a reply means; a status that is none (0) may pass."""
    error = read_error(orjson.dumps(said))
    if not isinstance(status, int) or status < 400:
        return TransientError(f"status {status}: {error.message or 'no message'}")
    failure = fault(status, {}, error, datetime.now(UTC))
    # an overload of the provider's own workers says nothing about how many lines to send
    return TransientError(str(failure)) if isinstance(failure, TransientError) else failure


def _at_the_batch_price(reply: Reply) -> Reply:
    return replace(reply, usage=replace(reply.usage, batch=True)) if reply.usage else reply
