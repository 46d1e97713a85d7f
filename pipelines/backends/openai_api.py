"""Any server that speaks OpenAI's chat completions: OpenAI, Azure, vLLM, routers, llama.cpp...

It is aiohttp and orjson rather than OpenAI's own client, which costs ten times the CPU for each
call. The wire format is in `pipelines.wire`; here are the connection, the key and the address.

The key comes from the environment alone. It is in no field, and its value is taken out of every
text that a server sends, so that it reaches neither an error nor the ledger.
"""

import os
import re
from datetime import datetime, timezone
from typing import Annotated, Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
from pydantic import ConfigDict, Field, PrivateAttr

from pipelines.backend import Backend, Reply, Request
from pipelines.errors import BackendError, RecipeError, TransientError
from pipelines.part import Runtime, Where
from pipelines.wire.address import COMPLETIONS, Address, address_of
from pipelines.wire.body import Dialect, MaxTokensField, SystemRole, request_body
from pipelines.wire.fault import fault
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
    _secrets: tuple[str, ...] = PrivateAttr(default=())

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
        proxy = _proxy_of(address)
        password = proxy and aiohttp.client.URL(proxy).password
        self._secrets = tuple(secret for secret in (key, password) if secret)
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
        if status != 200:
            raise self._told(fault(status, headers, raw, now=datetime.now(timezone.utc)))
        try:
            return read_reply(self._without_secrets(raw), request.n)
        except TransientError as error:
            raise self._told(error) from None
