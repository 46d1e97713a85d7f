"""What an answer other than 200 means: for this request, for this moment, or for the endpoint."""

import math
from collections.abc import Mapping
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from pipelines.errors import BackendError, FatalError, RequestRefused, TransientError
from pipelines.wire.reply import error_message, read_json

OVERLOAD = frozenset({429, 503, 529})
PASSING = frozenset({408, 409, 425, 429})
ENDPOINT = {
    401: "check the key that api_key_env names",
    402: "check the balance of the account",
    403: "check what the key may do",
    404: "check base_url and model",
    405: "check base_url",
    407: "check the proxy's user and password",
    410: "check base_url and model",
}
"""4xx that are about the endpoint rather than about one request, and what helps."""
HINTS = {
    "max_tokens": 'max_tokens_field = "max_completion_tokens"',
    "max_completion_tokens": 'max_tokens_field = "max_tokens"',
    "messages[0].role": 'system_role = "user"',
    "n": "max_n = 1",
}
"""What helps where a model does not take a parameter; for all others, `omit`."""


def fault(status: int, headers: Mapping[str, str], raw: bytes, *, now: datetime) -> BackendError:
    """The error that an answer means; its message holds the server's own in full.

    408, 409, 425, 429 and 5xx may pass. 401 to 405, 407, 410, a redirection, an exhausted quota
    and a parameter that the model does not take will not, whatever is asked. Any other 4xx refuses
    this request alone.
    """
    said, code, param = _said(raw)
    message = f"HTTP {status}: {said}" if said else f"HTTP {status}"
    if code == "insufficient_quota":
        return FatalError(f"{message} (check the balance of the account)")
    if status in PASSING or status >= 500:
        wait = retry_after(headers, now)
        return TransientError(message, retry_after=wait, overload=status in OVERLOAD)
    if status in ENDPOINT:
        return FatalError(f"{message} ({ENDPOINT[status]})")
    if status < 400:
        return FatalError(f"HTTP {status} leads to {headers.get('Location')}; check base_url")
    if code in ("unsupported_parameter", "unsupported_value") and param:
        hint = HINTS.get(param, f'omit = ["{param}"]')
        return FatalError(f"{message} (in this model's table: {hint})")
    return RequestRefused(message, status)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """What the server asks to wait, in seconds, >= 0. None: it does not say.

    >>> noon = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
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
    zoned = then if then.tzinfo else then.replace(tzinfo=timezone.utc)
    return max(0.0, (zoned - now).total_seconds())


def _said(raw: bytes) -> tuple[str, str | None, str | None]:
    """The server's message, its error code and the parameter that it is about."""
    try:
        reply = read_json(raw)
    except TransientError:  # a page of HTML, or nothing
        return raw.decode("utf-8", "replace").strip(), None, None
    error: Any = reply.get("error") if isinstance(reply, dict) else None
    if not isinstance(error, dict):
        return error_message(reply), None, None
    code, kind, param = error.get("code"), error.get("type"), error.get("param")
    exhausted = "insufficient_quota" in (code, kind)
    return (
        error_message(reply),
        "insufficient_quota" if exhausted else code if isinstance(code, str) else None,
        param if isinstance(param, str) else None,
    )
