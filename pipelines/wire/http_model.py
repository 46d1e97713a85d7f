"""What all models behind an HTTP address share: who answers there, the key, connections, failures.

The key comes from the environment alone. It is in no field, and its value is taken out of every
text that a server sends, so that it reaches neither an error nor the ledger.
"""

import os
import re
from abc import abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from pydantic import ConfigDict, Field, PrivateAttr

from pipelines.backend import Backend, Reply, Request
from pipelines.errors import BackendError, FatalError, RecipeError, TransientError
from pipelines.part import Runtime, Where
from pipelines.wire.address import Address, address_of
from pipelines.wire.connection import Answer, BrokenOff, NoWay, Unsent
from pipelines.wire.fault import fault, read_error
from pipelines.wire.pool import Pool
from pipelines.wire.proxy import secrets_of
from pipelines.wire.secrets import LONGEST_MESSAGE, Secrets
from schemas.canonical import canonical_json

KEYS = {"api.openai.com": "OPENAI_API_KEY"}
"""The environment variable of a host's key, where the recipe names none."""
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
HEADER = re.compile(r"[A-Za-z0-9-]+(: *[A-Za-z0-9-]+)?")


@dataclass(frozen=True, slots=True)
class Session:
    """What the calls of an opened model use."""

    pool: Pool
    secrets: Secrets


class HttpModel(Backend):
    """One model behind an HTTP address: a request is one POST."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    base_url: Annotated[str, Runtime]
    """Where the server is, as in "https://api.openai.com/v1". A query such as "?api-version=..."
    is kept. No key belongs here."""
    path: Annotated[str, Runtime] = ""
    """What is appended to the path of `base_url`."""
    endpoint_identity: str = Field(default="", alias="identity")
    """Who answers there: with the model's id it is part of every ledger key, so that an answer is
    bought once wherever the server moves. Default: `base_url` without its query. An address of
    this machine needs one, for example "Qwen/Qwen2.5-7B-Instruct@a09a354, vllm 0.33"."""
    api_key_env: Annotated[str | None, Runtime] = None
    """Name of the environment variable that holds the key. Default: OPENAI_API_KEY for
    api.openai.com, no key elsewhere."""
    api_key_header: Annotated[str, Runtime] = "Authorization: Bearer"
    """The header that carries the key, and the word before it; "api-key" for Azure."""

    _session: Session | None = PrivateAttr(default=None)

    def check(self, where: Where) -> None:
        """Raises RecipeError for an address or a key's name that cannot be right."""
        super().check(where)
        try:
            address = self._address()
        except ValueError as error:
            raise where.error(str(error), "base_url") from None  # its cause may quote a password
        if address.is_loopback and not self.endpoint_identity:
            raise where.error(
                f"{address.place} is an address of this machine, which says nothing about what "
                'serves there; name it: identity = "MODEL@REVISION, SERVER VERSION"',
                "identity",
            )
        if self.api_key_env is not None and not VARIABLE.fullmatch(self.api_key_env):
            raise where.error(
                "the name of an environment variable is wanted (A-Z, 0-9, _), never the key itself",
                "api_key_env",
            )
        if not HEADER.fullmatch(self.api_key_header):
            raise where.error('a header is wanted, as in "api-key"', "api_key_header")

    def identity(self) -> dict[str, Any]:
        """As `Part.identity`, with the resolved identity in place of the address."""
        return super().identity() | {"endpoint_identity": self.model_identity()}

    def model_identity(self) -> str:
        """The declared identity or the address, and how the body differs from the usual one.

        The differences are in it so that a refusal of the one form is not kept for the other.
        """
        return self._who

    @cached_property
    def _who(self) -> str:
        who = self.endpoint_identity or self._address().place
        differences = self.differences()
        return f"{who} {canonical_json(differences).decode()}" if differences else who

    def differences(self) -> dict[str, Any]:
        """What of the request's form is part of who answers."""
        # other omissions show in the sampling parameters of the key
        return {"seed": "omitted"} if "seed" in self.omit else {}

    def endpoint(self) -> str:
        """Scheme, host, port and path: models that share them share a window."""
        return self._address().place

    def listing(self) -> Address:
        """Where the server lists its models, if it does; a GET there costs nothing."""
        return address_of(self.base_url, "/models")

    async def open(self) -> None:
        """Reads the key and makes the connection pool. Raises RecipeError without a key."""
        if self._session is not None:
            return
        headers, proxy, secrets = self._access()
        headers["Content-Type"] = "application/json"
        # within the call's own time, so that a call without a connection is known to be unpaid
        pool = Pool(self._address().url, headers, proxy, connect_s=0.9 * self.timeout_s)
        self._session = Session(pool, secrets)

    async def close(self) -> None:
        """Closes the connections; those in flight are dropped."""
        session, self._session = self._session, None
        if session is not None:
            session.pool.close()

    async def complete(self, request: Request) -> Reply:
        """One POST, one reply. Raises RequestRefused, TransientError or FatalError."""
        session = self._session
        assert session is not None, "open() comes before complete()"
        try:
            answer = await session.pool.post(self.body_of(request))
        except Unsent as error:
            failure: BackendError = TransientError(str(error), unsent=True)
        except NoWay as error:
            failure = FatalError(str(error))
        except BrokenOff as error:
            failure = TransientError(str(error), broke_off=True)
        else:
            try:
                return self._reply(answer, request, session.secrets)
            except BackendError as error:
                failure = error
        # raised out here: what it stems from may quote the request's headers, so the key
        place = f"{self.model} at {self._address().place}"
        failure.args = (session.secrets.shown(f"{place}: {failure}", 2 * LONGEST_MESSAGE),)
        raise failure.with_traceback(None)

    @abstractmethod
    def body_of(self, request: Request) -> bytes:
        """The body of the POST that asks `request`."""

    @abstractmethod
    def read(self, raw: bytes, request: Request) -> Reply:
        """The reply in the body of a 200. Raises BackendError."""

    def _reply(self, answer: Answer, request: Request, secrets: Secrets) -> Reply:
        """What an answer holds. Raises BackendError."""
        if 200 <= answer.status < 300:
            return self.read(secrets.disclosable(answer.body), request)
        said = read_error(answer.body)
        said = said._replace(message=secrets.shown(said.message))
        raise fault(answer.status, answer.headers, said, datetime.now(UTC))

    def _access(self) -> tuple[dict[str, str], str | None, Secrets]:
        """Headers with the key, the proxy if any, and what is never shown. Raises RecipeError."""
        address, headers = self._address(), {"User-Agent": "pairwright"}
        key, proxy = self._key(address), self._proxy(address)
        if key is not None:
            header, _, word = self.api_key_header.partition(":")
            headers[header] = f"{word.strip()} {key}".strip()
        secrets = secrets_of(urlsplit(proxy)) if proxy else []
        return headers, proxy, Secrets([*([key] if key else []), *secrets])

    def _address(self) -> Address:
        return address_of(self.base_url, self.path)

    def _key(self, address: Address) -> str | None:
        """The value of the key, from the environment. Raises RecipeError where it is missing."""
        variable = self.api_key_env or KEYS.get(address.host)
        if variable is None:
            return None
        key = os.environ.get(variable, "").strip()
        if not key:
            raise RecipeError(
                f"[models.{self.name}]: api_key_env: the environment variable {variable} is not "
                f"set; `export {variable}=...` sets it (the key is never stored)"
            )
        if not (key.isascii() and key.isprintable()):
            raise RecipeError(f"[models.{self.name}]: the value of {variable} cannot be a key")
        return key

    def _proxy(self, address: Address) -> str | None:
        """The proxy that the environment names, if any; never one for this machine.

        Looked up once: aiohttp's own `trust_env` starts a thread for every call.
        """
        proxy = getproxies().get(address.scheme)
        if proxy is None or address.is_loopback or proxy_bypass(address.host):
            return None
        try:
            parts = urlsplit(proxy)
            usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # its own message quotes what may be a password
            usable = False
        if not usable:
            raise RecipeError(
                f"[models.{self.name}]: {address.scheme.upper()}_PROXY must be an http:// URL; "
                'write "/", "@" and ":" of a password as %2F, %40 and %3A'
            )
        return proxy
