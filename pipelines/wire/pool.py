"""A pool of connections to one address, through a proxy where there is one.

Ours rather than a library's because a call is the product's unit of work: a request through it
costs a third of the CPU that it costs in aiohttp (`bench/calls.py`). TLS is Python's own `ssl`.
"""

import asyncio
import ssl
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from pipelines.wire.connection import Answer, Connection, NoWay, Unsent
from pipelines.wire.dial import dial
from pipelines.wire.proxy import authorization, head_of, tunnelled

CONNECT_S = 30.0
"""Longest wait for a connection, in seconds."""
KEEP_ALIVE_S = 4.0
"""Idle connections are closed before the server does it (uvicorn, and so vLLM, after 5 s): a
request that meets a closing connection may have been paid, so it is never sent again unasked."""


class Pool:
    """Connections to the server of one URL. For one event loop."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        proxy: str | None = None,
        connect_s: float = CONNECT_S,
    ) -> None:
        """`url` is what is called, query included; `headers` go with every request."""
        self._connect_s = min(connect_s, CONNECT_S)
        self._server, self._proxy = urlsplit(url), urlsplit(proxy) if proxy else None
        self._idle: list[Connection] = []  # the one used last stands last
        self._busy: set[Connection] = set()
        fields = {"Host": self._server.netloc, "Accept-Encoding": "identity", **headers}
        target = (self._server.path or "/") + (
            f"?{self._server.query}" if self._server.query else ""
        )
        if self._proxy and self._server.scheme == "http":
            target = f"http://{self._server.netloc}{target}"
            fields |= authorization(self._proxy)
        self._head = head_of(f"POST {target} HTTP/1.1", fields) + b"Content-Length: "

    async def post(self, body: bytes) -> Answer:
        """The answer to one POST. Raises Unsent, NoWay, or BrokenOff where it may have been paid."""
        connection = self._reusable() or await self._connect()
        self._busy.add(connection)
        try:
            answer = await connection.ask(b"%b%d\r\n\r\n" % (self._head, len(body)), body)
        finally:
            self._busy.discard(connection)
        if connection.is_open:
            self._idle.append(connection)
        else:
            connection.close()
        return answer

    def close(self) -> None:
        """Closes all connections; requests under way break off."""
        for connection in (*self._idle, *self._busy):
            connection.close()
        self._idle.clear()

    def _reusable(self) -> Connection | None:
        """The idle connection that was used last, if it is not too old."""
        if not self._idle:
            return None
        oldest = asyncio.get_running_loop().time() - KEEP_ALIVE_S
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open and connection.idle_since > oldest:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        """A new connection. Raises Unsent or NoWay."""
        first = self._proxy or self._server
        try:
            async with asyncio.timeout(self._connect_s):
                return await self._reached(first)
        except TimeoutError:
            why = f"none within {self._connect_s:g} s"
        except NoWay:
            raise
        except ssl.SSLCertVerificationError as error:
            unknown = f"{first.hostname}: its certificate is not trusted: {error.verify_message}"
            raise NoWay(f"{unknown} (check base_url, or SSL_CERT_FILE)") from None
        except (OSError, ssl.SSLError, UnicodeError) as error:
            why = str(error)
        raise Unsent(f"no connection to {first.hostname}: {why}")  # no cause: it may hold headers

    async def _reached(self, first: SplitResult) -> Connection:
        if self._proxy and self._server.scheme == "https":
            return await tunnelled(self._server, self._proxy)
        _, connection = await dial(Connection, first)
        return connection
