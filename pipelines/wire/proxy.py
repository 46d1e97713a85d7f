"""The way through a proxy to a server that speaks TLS: CONNECT, then TLS within the connection."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from typing import cast
from urllib.parse import SplitResult, unquote

from pipelines.wire.connection import Connection, NoWay
from pipelines.wire.dial import dial, port_of, tls

LONGEST_HEAD = 65_536
"""Bytes of a proxy's answer that are read at the most."""


class Tunnel(asyncio.Protocol):
    """Waits for a proxy's answer to CONNECT, of which only the status counts."""

    def __init__(self) -> None:
        self.status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._received = b""

    def data_received(self, received: bytes) -> None:
        """A part of the answer; nothing comes after it before TLS begins."""
        self._received += received
        if self.status.done():
            return
        if b"\r\n\r\n" in self._received:
            self.status.set_result(_status(self._received))
        elif len(self._received) > LONGEST_HEAD:
            self.status.set_exception(OSError("the proxy's answer has no end"))

    def connection_lost(self, error: Exception | None) -> None:
        """The proxy has closed."""
        if not self.status.done():
            self.status.set_exception(OSError(f"the proxy closed the connection: {error or ''}"))


async def tunnelled(server: SplitResult, proxy: SplitResult) -> Connection:
    """A connection to `server` through `proxy`. Raises OSError, or NoWay where it is refused."""
    loop = asyncio.get_running_loop()
    transport, tunnel = await dial(Tunnel, proxy)
    try:
        host = f"[{server.hostname}]" if ":" in (server.hostname or "") else server.hostname
        place = f"{host}:{port_of(server)}"
        head = head_of(f"CONNECT {place} HTTP/1.1", {"Host": place, **authorization(proxy)})
        transport.write(head + b"\r\n")
        status = await tunnel.status
        if status in (401, 403, 407):
            raise NoWay(f"the proxy answered {status} (check the proxy's user and password)")
        if status != 200:
            raise OSError(f"the proxy answered {status}")
        connection = Connection()
        secured = await loop.start_tls(
            transport, connection, tls(), server_hostname=server.hostname
        )
        connection.connection_made(cast("asyncio.BaseTransport", secured))
    except BaseException:
        transport.abort()
        raise
    return connection


def head_of(first: str, fields: Mapping[str, str]) -> bytes:
    """The first line and the headers of a request, each with its end."""
    lines = [first, *(f"{name}: {value}" for name, value in fields.items())]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


def authorization(proxy: SplitResult) -> dict[str, str]:
    """The header that tells a proxy who asks."""
    if proxy.username is None:
        return {}
    user = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(user.encode()).decode()}"}


def secrets_of(proxy: SplitResult) -> list[str]:
    """The proxy's password in each spelling in which it is sent or might be shown."""
    if not proxy.password:
        return []
    sent = authorization(proxy)["Proxy-Authorization"].removeprefix("Basic ")
    return list(dict.fromkeys((proxy.password, unquote(proxy.password), sent)))


def _status(answer: bytes) -> int:
    r"""The status in the first line of an answer; 0 where it is no HTTP.

    >>> _status(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"), _status(b"SSH-2.0\r\n\r\n")
    (407, 0)
    """
    words = answer.split(b"\r\n", 1)[0].split(b" ")
    is_http = words[0].startswith(b"HTTP/1.") and len(words) > 1 and words[1].isdigit()
    return int(words[1]) if is_http else 0
