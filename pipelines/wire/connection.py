"""One HTTP/1.1 connection: a request is written, its answer is read, then comes the next one.

httptools (llhttp, the parser of Node.js) reads the answers. There are no streams in between, since
a chat completion is only of use as a whole.
"""

import asyncio
import gzip
import zlib
from typing import NamedTuple, cast

import httptools


class Answer(NamedTuple):
    """What a server answered to one request."""

    status: int
    raw_headers: list[tuple[bytes, bytes]]
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """The headers by their names in small letters; of several with one name, the last."""
        return {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in self.raw_headers
        }


class BrokenOff(ConnectionError):
    """The request was sent, or begun, and there is no whole answer: it may have been paid."""


class Unsent(ConnectionError):
    """There is no connection, so nothing was sent."""


class NoWay(ConnectionError):
    """There will be no connection: a proxy or a certificate says so, whatever is asked."""


class Connection(asyncio.Protocol):
    """A connection to a server or to its proxy."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiting: asyncio.Future[Answer] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._status = 0
        self._stays = True
        self.idle_since = 0.0
        """When its last answer was complete, in the event loop's time."""

    @property
    def is_open(self) -> bool:
        """Whether a further request can be sent."""
        return self._transport is not None and self._stays and not self._transport.is_closing()

    @property
    def transport(self) -> asyncio.Transport:
        """The transport, which is there once the connection was made."""
        assert self._transport is not None
        return self._transport

    async def ask(self, head: bytes, body: bytes) -> Answer:
        """The answer to a request. Raises BrokenOff; cancelled, it closes the connection."""
        assert self._waiting is None, "one request at a time"
        self._waiting = self._loop.create_future()
        self._headers, self._body, self._status = [], [], 0
        try:
            self.transport.write(head + body)
            return await self._waiting
        except BaseException:
            self.close()
            raise
        finally:
            self._waiting = None

    def close(self) -> None:
        """Closes at once; a request that is under way breaks off."""
        self._stays = False
        if self._transport is not None:
            self._transport.abort()

    # asyncio calls these

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands, perhaps anew within TLS."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, received: bytes) -> None:
        """A part of an answer."""
        try:
            self._parser.feed_data(received)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"the answer is not HTTP: {error}")

    def connection_lost(self, error: Exception | None) -> None:
        """The server has closed. That also ends an answer that states no length."""
        self._stays = False
        if self._status >= 200 and error is None and not self._states_its_length():
            self._complete()
        self._fail(str(error) if error else "the server closed the connection")

    # the parser calls these

    def on_message_begin(self) -> None:
        """An answer begins; one that nobody asked for must not be taken for the next one."""
        self._headers, self._body, self._status = [], [], 0
        if self._waiting is None or self._waiting.done():
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is read: now the parser knows status and persistence."""
        self._status = self._parser.get_status_code()
        if self._status >= 200:
            self._stays = self._stays and self._parser.should_keep_alive()

    def on_body(self, part: bytes) -> None:
        """A part of the body."""
        self._body.append(part)

    def on_message_complete(self) -> None:
        """The whole answer is read; "100 Continue" and its kind announce another."""
        if self._status >= 200:
            self._complete()

    def _states_its_length(self) -> bool:
        stated = (b"content-length", b"transfer-encoding")
        return any(name.lower() in stated for name, _ in self._headers)

    def _complete(self) -> None:
        self.idle_since = self._loop.time()
        if self._waiting is None or self._waiting.done():
            return
        parts = self._body
        try:
            body = _plain(parts[0] if len(parts) == 1 else b"".join(parts))
        except (OSError, EOFError, zlib.error) as error:
            self._fail(f"the answer cannot be unpacked: {error}")
        else:
            self._waiting.set_result(Answer(self._status, self._headers, body))

    def _fail(self, why: str) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(BrokenOff(why))
        self.close()


def _plain(body: bytes) -> bytes:
    """`body`, unpacked where a server compressed it unasked."""
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
