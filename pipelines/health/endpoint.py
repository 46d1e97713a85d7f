"""The endpoints that a recipe's models are called at: keys and reachability, without a paid call."""

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING

import orjson

from pipelines.errors import nearest
from pipelines.health.check import Check, fault, ok, warning
from pipelines.wire.address import Address

if TYPE_CHECKING:
    from pipelines.backend import Backend
    from pipelines.wire.http_model import HttpModel

TIMEOUT_S = 10.0
LONGEST_REPLY = 2**24
"""Bytes of a list of models that are read."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection would carry the key to another host."""

    def redirect_request(self, *_: object) -> None:
        return None


def check_model(model: "Backend") -> Iterator[Check]:
    """Whether the model's key is set, and its endpoint answers a GET for the list of models."""
    from pipelines.wire.http_model import HttpModel

    subject = f"model {model.name}"
    if not isinstance(model, HttpModel):
        yield ok(subject, f"{model.kind}: there is no endpoint to reach")
        return
    variable = key_variable(model)
    key = os.environ.get(variable, "").strip() if variable else ""
    if variable and not key:
        yield fault(subject, f"the environment variable {variable} is not set",
                    f"export {variable}=...")  # fmt: skip
    elif variable:
        yield ok(subject, f"its key is in {variable}")
    yield _reached(model, key)


def key_variable(model: "HttpModel") -> str | None:
    """The environment variable of the model's key; None where it needs none."""
    from pipelines.wire.http_model import KEYS

    return model.api_key_env or KEYS.get(model.listing().host)


def _reached(model: "HttpModel", key: str) -> Check:
    subject, address = f"model {model.name}", model.listing()
    tried = f"GET {address.place}"
    try:
        reply = _get(address, _headers(model, key))
    except urllib.error.HTTPError as error:
        return _refused(subject, tried, error.code, model.api_key_env)
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = getattr(error, "reason", None) or error
        return fault(subject, f"{tried}: {_without(key, str(why))}", "is the server running?")
    return _listed(subject, tried, model.model, reply)


def _headers(model: "HttpModel", key: str) -> dict[str, str]:
    if not key:
        return {}
    header, _, word = model.api_key_header.partition(":")
    return {header: f"{word.strip()} {key}".strip()}


def _get(address: Address, headers: dict[str, str]) -> bytes:
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if address.is_loopback:
        handlers.append(urllib.request.ProxyHandler({}))
    opener = urllib.request.build_opener(*handlers)
    request = urllib.request.Request(address.url, headers=headers)  # noqa: S310 - http(s) alone
    with opener.open(request, timeout=TIMEOUT_S) as answer:
        reply: bytes = answer.read(LONGEST_REPLY)
    return reply


def _refused(subject: str, tried: str, status: int, variable: str | None) -> Check:
    if status in (401, 403):
        help_ = f"check the value of {variable}" if variable else "name its key: api_key_env"
        return fault(subject, f"{tried}: HTTP {status}", help_)
    if status in (404, 405, 501):
        return ok(subject, f"{tried}: HTTP {status}; it is there, and lists no models")
    return warning(subject, f"{tried}: HTTP {status}", "try again later")


def _listed(subject: str, tried: str, wanted: str, reply: bytes) -> Check:
    try:
        names = [str(one["id"]) for one in orjson.loads(reply)["data"]]
    except (ValueError, KeyError, TypeError):
        return ok(subject, f"{tried}: it answers, with no list of models")
    if wanted in names:
        return ok(subject, f"{tried}: it lists {wanted}")
    hint = nearest(wanted, names) if len(names) <= 20 else f"it lists {len(names)} others"
    return warning(subject, f"{tried}: {wanted} is not listed", hint)


def _without(key: str, text: str) -> str:
    return text.replace(key, "[key]") if key else text
