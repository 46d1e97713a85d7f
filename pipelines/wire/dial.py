"""Dialling: a connection to the first address of a host that answers (RFC 8305, Happy Eyeballs).

A host often has several addresses (IPv6 and IPv4), and one of them may swallow every packet. So
the next one is tried beside it after `HEAD_START_S`, by aiohappyeyeballs: uvloop knows no such
thing.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeVar
from urllib.parse import SplitResult

from aiohappyeyeballs import AddrInfoType, start_connection

PORTS = {"http": 80, "https": 443}
HEAD_START_S = 0.25
"""Seconds that an address has before the next one is tried too: what RFC 8305 advises."""

ProtocolT = TypeVar("ProtocolT", bound=asyncio.Protocol)


async def dial(
    protocol: Callable[[], ProtocolT], address: SplitResult
) -> tuple[asyncio.Transport, ProtocolT]:
    """A connection to `address`, in TLS where it says "https". Raises OSError or SSLError."""
    loop = asyncio.get_running_loop()
    host = str(address.hostname)
    connected = await start_connection(
        await addresses_of(host, port_of(address)), happy_eyeballs_delay=HEAD_START_S, loop=loop
    )
    secure = address.scheme == "https"
    try:
        return await loop.create_connection(
            protocol,
            sock=connected,
            ssl=tls() if secure else None,
            server_hostname=host if secure else None,
        )
    except BaseException:
        connected.close()
        raise


async def addresses_of(host: str, port: int) -> Sequence[AddrInfoType]:
    """The addresses of a host, the preferred one first. Raises OSError."""
    loop = asyncio.get_running_loop()
    return await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def port_of(address: SplitResult) -> int:
    """The port of an address, stated or usual."""
    return address.port or PORTS[address.scheme]


@lru_cache
def tls() -> ssl.SSLContext:
    """How servers are trusted: the operating system's certificates, or SSL_CERT_FILE."""
    return ssl.create_default_context()
