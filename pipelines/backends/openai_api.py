"""Any server that speaks OpenAI's chat completions: OpenAI, Azure, vLLM, routers, llama.cpp...

It is aiohttp and orjson rather than OpenAI's own client, which costs ten times the CPU for each
call. The wire format is in `pipelines.wire`; here are the connection, the key and the address.

The key comes from the environment alone. It is in no field, and its value is taken out of every
text that a server sends, so that it reaches neither an error nor the ledger.
"""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from pydantic import ConfigDict, Field, PrivateAttr

from pipelines.backend import Backend, Reply, Request
from pipelines.errors import BackendError, RecipeError, TransientError
from pipelines.part import Runtime, Where
from pipelines.wire.address import COMPLETIONS, Address, address_of
from pipelines.wire.body import Dialect, MaxTokensField, SystemRole, request_body
from pipelines.wire.fault import fault, read_error
from pipelines.wire.reply import read_reply
from schemas.canonical import canonical_json

KEYS = {"api.openai.com": "OPENAI_API_KEY"}
"""The environment variable of a host's key, where the recipe names none."""
VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
HEADER = re.compile(r"[A-Za-z0-9-]+(: *[A-Za-z0-9-]+)?")
LONGEST_MESSAGE = 500
"""Characters of a server's message that are kept."""
SHORTEST_SECRET = 16
"""Characters from which on a key is also taken out of answers; "EMPTY" is a word like any other."""
KEEP_ALIVE_S = 4.0
"""Idle connections are closed before the server does it (uvicorn, and so vLLM, after 5 s): a
request that meets a closing connection may have been paid, so it is never sent again unasked."""


class OpenaiApi(Backend):
    """One model behind an HTTP endpoint that speaks chat completions."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True)

    base_url: Annotated[str, Runtime]
    """Where the server is, as in "https://api.openai.com/v1". A query such as "?api-version=..."
    is kept. No key belongs here."""
    path: Annotated[str, Runtime] = COMPLETIONS
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
    system_role: SystemRole = "system"
    """The role of system texts: "system", "developer" for OpenAI's reasoning models, or "user" for
    models without one: the text then opens the first user message."""
    max_tokens_field: MaxTokensField = "max_tokens"
    """The name of the length limit: "max_completion_tokens" for OpenAI's reasoning models."""

    _session: aiohttp.ClientSession | None = PrivateAttr(default=None)
    _secrets: tuple[re.Pattern[str], ...] = PrivateAttr(default=())
    _echoes: tuple[tuple[bytes, re.Pattern[bytes]], ...] = PrivateAttr(default=())

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
        """The declared identity or the address, and how the body differs from OpenAI's usual one.

        The differences are in it so that a refusal of the one form is not kept for the other.
        """
        who = self.endpoint_identity or self._address().place
        usual = Dialect()
        differences = {
            name: getattr(self, name)
            for name in ("system_role", "max_tokens_field")
            if getattr(self, name) != getattr(usual, name)
        }
        if "seed" in self.omit:  # other omissions show in the sampling parameters of the key
            differences["seed"] = "omitted"
        return f"{who} {canonical_json(differences).decode()}" if differences else who

    def endpoint(self) -> str:
        """Scheme, host, port and path: models that share them share a window."""
        return self._address().place

    async def open(self) -> None:
        """Reads the key and makes the connection pool. Raises RecipeError without a key."""
        if self._session is not None:
            return
        address = self._address()
        headers = {"Content-Type": "application/json", "User-Agent": "pairwright"}
        key = self._key(address)
        if key is not None:
            header, _, word = self.api_key_header.partition(":")
            headers[header] = f"{word.strip()} {key}".strip()
        proxy = self._proxy(address)
        password = urlsplit(proxy).password if proxy else None
        secrets = [secret for secret in (key, password) if secret]
        self._secrets = tuple(re.compile(spelt(secret)) for secret in secrets)
        self._echoes = tuple(
            (plainest(secret).encode(), re.compile(spelt(secret).encode()))
            for secret in secrets
            if len(secret) >= SHORTEST_SECRET
        )
        self._session = aiohttp.ClientSession(
            headers=headers,
            proxy=proxy,
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self.timeout_s),
        )

    async def close(self) -> None:
        """Closes the connections; those in flight are dropped."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def complete(self, request: Request) -> Reply:
        """One POST, one reply. Raises RequestRefused, TransientError or FatalError."""
        dialect = Dialect(self.system_role, self.max_tokens_field)
        status, headers, raw = await self._post(request_body(request, self.model, dialect))
        if not 200 <= status < 300:
            said = read_error(raw)
            said = said._replace(message=self._shown(said.message))
            raise self._placed(fault(status, headers, said, datetime.now(UTC)))
        try:
            return read_reply(self._disclosable(raw), request.n)
        except TransientError as error:
            raise self._placed(error) from None

    async def _post(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body of the answer. Raises TransientError where there is none."""
        assert self._session is not None, "open() comes before complete()"
        try:
            # a redirection would carry the key to another host
            async with self._session.post(
                self._address().url, data=body, allow_redirects=False
            ) as answer:
                return answer.status, answer.headers, await answer.read()
        except TimeoutError:
            late = f"no reply within {self.timeout_s:g} s (timeout_s)"
            failure = TransientError(late, broke_off=True)
        except aiohttp.ClientConnectorError as error:
            failure = TransientError(f"{type(error).__name__}: {error}", unsent=True)
        except (aiohttp.ClientError, OSError) as error:
            failure = TransientError(f"{type(error).__name__}: {error}", broke_off=True)
        # raised out here: the error it stems from holds the request's headers, so the key
        raise self._placed(failure)

    def _placed(self, error: BackendError) -> BackendError:
        """`error` with model and address before its message, and no secret in it."""
        place = f"{self.model} at {self._address().place}"
        error.args = (self._shown(f"{place}: {error}", 2 * LONGEST_MESSAGE),)
        return error

    def _shown(self, text: str, longest: int = LONGEST_MESSAGE) -> str:
        """The beginning of `text` without any secret (cut last: half a key is a secret too)."""
        for secret in self._secrets:
            text = secret.sub("[key]", text)
        return text if len(text) <= longest else text[:longest] + "..."

    def _disclosable(self, raw: bytes) -> bytes:
        """`raw` without the key, which a test server or a proxy may echo in its answer."""
        for hint, echo in self._echoes:
            if hint in raw:  # a hundred times as fast as the expression
                raw = echo.sub(b"[key]", raw)
        return raw

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
        if urlsplit(proxy).scheme not in ("http", "https"):
            raise RecipeError(
                f"[models.{self.name}]: {address.scheme.upper()}_PROXY must be an http:// URL"
            )
        return proxy


def spelt(secret: str) -> str:
    r"""A regular expression for `secret` in any spelling that JSON, or JSON within JSON, allows.

    >>> [bool(re.search(spelt("a/b"), text)) for text in ("a/b", r"a\/b", r"a\\u002Fb", "a-b")]
    [True, True, True, False]
    """
    return "".join(rf"\\{{0,4}}(?:{re.escape(one)}|(?i:u{ord(one):04x}))" for one in secret)


def plainest(secret: str) -> str:
    """The longest part of `secret` that no server escapes.

    >>> plainest("sk-abc/d+e"), plainest("--")
    ('abc', '')
    """
    return str(max(re.findall("[A-Za-z0-9]*", secret), key=len))
