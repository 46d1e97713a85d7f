"""What an answer other than 200 means: for this request, for this moment, or for the endpoint."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from pipelines.backend import Sampling
from pipelines.errors import BackendError, FatalError, RequestRefused, TransientError
from pipelines.wire.reply import error_message, read_json

OVERLOAD = frozenset({429, 503, 529})
PASSING = frozenset({408, 409, 425, 429})
GAVE_UP = frozenset({502, 504, 524})
"""A proxy lost its server or no longer waits for it: the answer may have been billed."""
ENDPOINT = {
    401: "check the key that api_key_env names",
    402: "check the balance of the account",
    403: "check what the key may do",
    404: "check base_url and model; `curl BASE_URL/models` lists the models",
    405: "check base_url",
    407: "check the proxy's user and password",
    410: "check base_url and model",
}
"""4xx that are about the endpoint rather than about one request, and what helps."""
REMEDIES = {
    "max_tokens": 'max_tokens_field = "max_completion_tokens"',
    "max_completion_tokens": 'max_tokens_field = "max_tokens"',
    "messages[0].role": 'system_role = "user"',
    "n": "max_n = 1",
}
"""What helps where a model does not take a parameter; for all others, `omit`."""


class Said(NamedTuple):
    """What a server says is wrong."""

    message: str
    code: str | None = None
    param: str | None = None
    """The parameter that it is about."""


def read_error(raw: bytes) -> Said:
    """What the body of an answer other than 200 says: JSON in the usual shapes, or any text.

    >>> read_error(b'{"error": {"message": "no", "param": "n", "code": "unsupported_value"}}')
    Said(message='no', code='unsupported_value', param='n')
    >>> read_error(b"<h1>Bad Gateway</h1>")
    Said(message='<h1>Bad Gateway</h1>', code=None, param=None)
    """
    try:
        reply = read_json(raw)
    except TransientError:
        return Said(raw.decode("utf-8", "replace").strip())
    error = reply.get("error") if isinstance(reply, dict) else None
    if not isinstance(error, dict):
        return Said(error_message(reply))
    code, kind, param = error.get("code"), error.get("type"), error.get("param")
    named = kind if kind == "insufficient_quota" else code
    return Said(
        error_message(reply),
        named if isinstance(named, str) else None,
        param if isinstance(param, str) else None,
    )


def fault(status: int, headers: Mapping[str, str], said: Said, now: datetime) -> BackendError:
    """The error that an answer other than 200 means.

    408, 409, 425, 429 and 5xx may pass. An exhausted quota, a redirection, what `ENDPOINT` lists
    and a parameter that the model does not take will not, whatever is asked. Any other 4xx refuses
    this request alone.
    """
    message = f"HTTP {status}: {said.message or 'no message'}"
    if said.code == "insufficient_quota":
        return FatalError(f"{message} (check the balance of the account)")
    if status in PASSING or status >= 500:
        wait = retry_after(headers, now)
        overload, gave_up = status in OVERLOAD, status in GAVE_UP
        return TransientError(message, retry_after=wait, overload=overload, broke_off=gave_up)
    if status in ENDPOINT:
        return FatalError(f"{message} ({ENDPOINT[status]})")
    if status < 400:
        return FatalError(f"HTTP {status}, location {headers.get('location')} (check base_url)")
    if said.code in ("unsupported_parameter", "unsupported_value"):
        return FatalError(f"{message} (in this model's table: {_remedy(said.param)})")
    return RequestRefused(message, status)


def _remedy(param: str | None) -> str:
    """What to write where the model does not take `param`.

    >>> _remedy("max_tokens"), _remedy("temperature")
    ('max_tokens_field = "max_completion_tokens"', 'omit = ["temperature"]')
    """
    if param in REMEDIES:
        return REMEDIES[param]
    return f'omit = ["{param}"]' if param in Sampling.model_fields else "omit = [...]"


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """What the server asks to wait, in seconds, >= 0. None: it does not say.

    >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> retry_after({"Retry-After": "1.5"}, noon), retry_after({"retry-after-ms": "20"}, noon)
    (1.5, 0.02)
    >>> retry_after({"Retry-After": "Thu, 01 Jan 2026 12:00:30 GMT"}, noon)
    30.0
    >>> retry_after({"Retry-After": "soon"}, noon)
    """
    given = {name.lower(): value for name, value in headers.items()}
    milliseconds = _seconds(given.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    text = given.get("retry-after", "")
    seconds = _seconds(text)
    return _until(text, now) if seconds is None else seconds


def _seconds(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None


def _until(date: str, now: datetime) -> float | None:
    try:
        then = parsedate_to_datetime(date)
    except ValueError:
        return None
    zoned = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (zoned - now).total_seconds())
