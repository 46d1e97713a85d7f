"""The endpoints that a recipe's models are called at: keys and reachability, without a paid call."""

import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from typing import TYPE_CHECKING

import orjson

from pipelines.errors import RecipeError
from pipelines.health.check import Check, fault, ok, warning
from pipelines.wire.address import Address

if TYPE_CHECKING:
    from pipelines.backend import Backend
    from pipelines.judge import Judge
    from pipelines.recipe import Recipe
    from pipelines.sampler import Sampler
    from pipelines.wire.http_model import HttpModel

TIMEOUT_S = 10.0
BRIEF_S = 3.0
"""As long as a plan or a build waits for all lists of models together."""
NOT_LISTED = "is not listed"
NEAREST = 3
"""Names that are suggested; of a short list all are told."""
SHORT_LIST = 8
LONGEST_REPLY = 2**24
"""Bytes of a list of models that are read."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirection would carry the key to another host."""

    def redirect_request(self, *_: object) -> None:
        return None


def called(recipe: "Recipe") -> "list[Backend]":
    """The models that samplers and judges of a recipe may call."""
    callers: tuple[Sampler | Judge, ...] = (*recipe.samplers, *recipe.judges)
    names = {name for caller in callers for name in caller.models()}
    return [model for name, model in recipe.models.items() if name in names]


def check_briefly(models: "Sequence[Backend]") -> list[Check]:
    """What is not ok of `models`, all looked at together, in `BRIEF_S` seconds or a little more."""
    if not models:
        return []
    with ThreadPoolExecutor(len(models)) as threads:
        found = threads.map(lambda model: list(check_model(model, BRIEF_S)), models)
        return [check for checks in found for check in checks if check.status != "ok"]


def unkeyed(models: "Iterable[Backend]") -> list[Check]:
    """Those of `models` whose key is missing, for which nobody is asked."""
    from pipelines.wire.http_model import HttpModel

    over_http = [model for model in models if isinstance(model, HttpModel)]
    return [_unset(model) for model in over_http if key_variable(model) and not _key(model)]


def unlisted(models: "Sequence[Backend]") -> list[Check]:
    """Those of `models` that their servers do not list, where these list some."""
    return [check for check in check_briefly(models) if check.finding.endswith(NOT_LISTED)]


def check_model(model: "Backend", timeout_s: float = TIMEOUT_S) -> Iterator[Check]:
    """Whether the model's key is set, and its endpoint answers a GET for the list of models."""
    from pipelines.wire.http_model import HttpModel

    subject = f"model {model.name}"
    if not isinstance(model, HttpModel):
        yield _within(model)
        return
    variable, key = key_variable(model), _key(model)
    if variable and not key:
        yield _unset(model)
        return  # without it nothing can be learnt of the endpoint
    if variable:
        yield ok(subject, f"its key is in {variable}")
    yield _reached(model, key, timeout_s)


def _within(model: "Backend") -> Check:
    """Of a model without an address: whether vLLM is there, if the model is run by it."""
    from pipelines.serving.vllm import Vllm

    subject = f"model {model.name}"
    try:
        found = f", vLLM {model.environment.version}" if isinstance(model, Vllm) else ""
    except RecipeError as error:
        return fault(subject, str(error))
    return ok(subject, f"{model.kind}: there is no endpoint to reach{found}")


def key_variable(model: "HttpModel") -> str | None:
    """The environment variable of the model's key; None where it needs none."""
    from pipelines.wire.http_model import KEYS

    return model.api_key_env or KEYS.get(model.listing().host)


def _key(model: "HttpModel") -> str:
    """Its value; "" where it is not set, or none is needed."""
    variable = key_variable(model)
    return os.environ.get(variable, "").strip() if variable else ""


def _unset(model: "HttpModel") -> Check:
    variable = key_variable(model)
    missing = f"the environment variable {variable} is not set"
    return fault(f"model {model.name}", missing, f"export {variable}=...")


def _reached(model: "HttpModel", key: str, timeout_s: float) -> Check:
    subject, address = f"model {model.name}", model.listing()
    tried = f"GET {address.place}"
    try:
        reply = _get(address, _headers(model, key), timeout_s)
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


def _get(address: Address, headers: dict[str, str], timeout_s: float) -> bytes:
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    if address.is_loopback:
        handlers.append(urllib.request.ProxyHandler({}))
    opener = urllib.request.build_opener(*handlers)
    request = urllib.request.Request(address.url, headers=headers)  # noqa: S310 - http(s) alone
    with opener.open(request, timeout=timeout_s) as answer:
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
    if not names:
        return ok(subject, f"{tried}: it answers, with an empty list of models")
    return warning(subject, f"{tried}: {wanted} {NOT_LISTED}", _nearest(wanted, names))


def _nearest(wanted: str, names: list[str]) -> str:
    """The listed names nearest to `wanted`, also without what stands before a slash in them.

    >>> _nearest("gpt-4-turbo", ["openai/gpt-4-turbo", "qwen/qwen3-8b"])
    'did you mean "openai/gpt-4-turbo"? Listed: openai/gpt-4-turbo, qwen/qwen3-8b'
    >>> _nearest("x", [f"model-{number}" for number in range(300)])
    'it lists 300 others'
    """
    folded = {form.lower(): name for name in names for form in (name.rpartition("/")[2], name)}
    forms = (wanted.lower(), wanted.lower().rpartition("/")[2])
    close = [one for form in forms for one in get_close_matches(form, folded, NEAREST)]
    found = list(dict.fromkeys(folded[one] for one in close))[:NEAREST]
    known = f"Listed: {', '.join(sorted(names))}" if len(names) <= SHORT_LIST else ""
    told = known or f"it lists {len(names)} others"
    if not found:
        return told
    meant = " or ".join(f'"{name}"' for name in found)
    return f"did you mean {meant}? {known}".rstrip()


def _without(key: str, text: str) -> str:
    return text.replace(key, "[key]") if key else text
