"""The pool against real sockets: what servers and proxies do, byte for byte."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from pipelines.wire import dial
from pipelines.wire import pool as pools
from pipelines.wire.connection import BrokenOff, NoWay, Unsent
from pipelines.wire.dial import tls
from pipelines.wire.pool import Pool
from pipelines.wire.proxy import secrets_of

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEADERS = {"Content-Type": "application/json"}


@asynccontextmanager
async def serving(talk: Talk, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that talks to each connection as told."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await talk(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def opened(url: str, proxy: str | None = None) -> AsyncIterator[Pool]:
    pool = Pool(url, HEADERS, proxy)
    try:
        yield pool
    finally:
        pool.close()


async def one_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
    return head + await reader.readexactly(length)


def saying(
    *parts: bytes, pause: float = 0.0, close: bool = False, seen: list[bytes] | None = None
) -> Talk:
    """Answers each request with the same bytes, part by part."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await one_request(reader)
            if seen is not None:
                seen.append(request)
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause)
            if close:
                return

    return talk


def sized(body: bytes, headers: bytes = b"", status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, headers, len(body), body)


async def body_from(*parts: bytes, **how: bool) -> bytes:
    async with (
        serving(saying(*parts, **how)) as port,
        opened(f"http://127.0.0.1:{port}/v1") as pool,
    ):  # type: ignore[arg-type]
        return (await pool.post(b"{}")).body


async def test_a_request_is_written_as_http_says() -> None:
    seen: list[bytes] = []
    async with (
        serving(saying(sized(b"ok"), seen=seen)) as port,
        opened(f"http://127.0.0.1:{port}/v1/chat/completions?api-version=1") as pool,
    ):
        answer = await pool.post(b'{"a":1}')
    head = b"POST /v1/chat/completions?api-version=1 HTTP/1.1\r\n"
    fields = b"Accept-Encoding: identity\r\nContent-Type: application/json\r\nContent-Length: 7"
    assert seen == [head + b"Host: 127.0.0.1:%d\r\n%b\r\n\r\n" % (port, fields) + b'{"a":1}']
    assert (answer.status, answer.body) == (200, b"ok")
    assert answer.headers == {"content-length": "2"}


async def test_an_answer_may_come_in_pieces() -> None:
    whole = sized(b"twelve bytes")
    assert await body_from(*(whole[i : i + 7] for i in range(0, len(whole), 7))) == b"twelve bytes"


async def test_an_answer_may_come_in_chunks() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert await body_from(head, b"3\r\nabc\r\n", b"2\r\nde\r\n", b"0\r\n\r\n") == b"abcde"


async def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    assert await body_from(b"HTTP/1.1 200 OK\r\n\r\n", b"abc", close=True) == b"abc"


async def test_an_answer_that_is_cut_off_is_no_answer() -> None:
    for cut in (
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 20",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ):
        with pytest.raises(BrokenOff):
            await body_from(cut, close=True)


async def test_an_interim_answer_is_passed_over() -> None:
    assert await body_from(b"HTTP/1.1 100 Continue\r\n\r\n", sized(b"then")) == b"then"


async def test_what_was_compressed_unasked_is_unpacked() -> None:
    packed = gzip.compress(b'{"choices": []}')
    assert await body_from(sized(packed, b"Content-Encoding: gzip\r\n")) == b'{"choices": []}'
    with pytest.raises(BrokenOff, match="unpacked"):
        await body_from(sized(packed[:12]))


async def test_what_is_not_http_is_no_answer() -> None:
    with pytest.raises(BrokenOff, match="not HTTP"):
        await body_from(b"SSH-2.0-OpenSSH_9\r\n\r\n")


@pytest.mark.parametrize(
    ("headers", "connections"), [(b"", 1), (b"Connection: close\r\n", 3)], ids=["kept", "closed"]
)
async def test_a_connection_is_used_again_where_the_server_keeps_it(
    headers: bytes, connections: int
) -> None:
    made: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.append(1)
        await saying(sized(b"ok", headers))(reader, writer)

    async with serving(talk) as port, opened(f"http://127.0.0.1:{port}/") as pool:
        for _ in range(3):
            assert (await pool.post(b"{}")).body == b"ok"
    assert len(made) == connections


async def test_a_connection_that_idled_too_long_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pools, "KEEP_ALIVE_S", 0.0)
    made: list[int] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.append(1)
        await saying(sized(b"ok"))(reader, writer)

    async with serving(talk) as port, opened(f"http://127.0.0.1:{port}/") as pool:
        await pool.post(b"{}")
        await asyncio.sleep(0.01)
        await pool.post(b"{}")
    assert len(made) == 2


async def test_an_answer_that_nobody_asked_for_is_never_taken_for_the_next_one() -> None:
    async with (
        serving(saying(sized(b"asked") + sized(b"unasked"))) as port,
        opened(f"http://127.0.0.1:{port}/") as pool,
    ):
        for _ in range(3):
            assert (await pool.post(b"{}")).body == b"asked"
            await asyncio.sleep(0.01)


async def test_the_begin_of_an_answer_that_nobody_asked_for_is_not_the_next_ones() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await one_request(reader)
            stale = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nst"
            writer.write(sized(b"true") + stale)
            await writer.drain()

    async with serving(talk) as port, opened(f"http://127.0.0.1:{port}/") as pool:
        for _ in range(3):
            assert (await pool.post(b"{}")).body == b"true"
            await asyncio.sleep(0.01)


async def test_the_status_of_one_answer_is_not_that_of_a_missing_one() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await one_request(reader)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await one_request(reader)

    async with serving(talk) as port, opened(f"http://127.0.0.1:{port}/") as pool:
        assert (await pool.post(b"{}")).status == 204
        with pytest.raises(BrokenOff):
            await pool.post(b"{}")


async def test_many_requests_at_once_get_their_own_answers() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = await one_request(reader)
            await asyncio.sleep(int(request[-1:]) / 1000)
            writer.write(sized(request.partition(b"\r\n\r\n")[2]))

    async with serving(echo) as port, opened(f"http://127.0.0.1:{port}/") as pool:
        bodies = [b"%d" % number for number in range(200)]
        answers = await asyncio.gather(*map(pool.post, bodies))
    assert [answer.body for answer in answers] == bodies


async def test_a_cancelled_request_closes_its_connection() -> None:
    closed = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await one_request(reader)
        assert await reader.read() == b""
        closed.set()

    async with serving(silent) as port, opened(f"http://127.0.0.1:{port}/") as pool:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await pool.post(b"{}")
        await asyncio.wait_for(closed.wait(), 5)


async def test_without_a_connection_nothing_was_sent() -> None:
    async with opened("http://127.0.0.1:9/") as pool:
        with pytest.raises(Unsent, match=r"no connection to 127\.0\.0\.1"):
            await pool.post(b"{}")


# --- TLS and proxies


@pytest.fixture
def server_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for models.test, which the client trusts as the system's."""
    authority = trustme.CA()
    file = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(file))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    tls.cache_clear()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "models.test").configure_cert(context)
    return context


@pytest.fixture(autouse=True)
def _trust_the_system_again() -> Iterator[None]:
    yield
    tls.cache_clear()


async def test_tls_is_spoken_with_an_https_server(server_tls: ssl.SSLContext) -> None:
    async with (
        serving(saying(sized(b"sealed")), server_tls) as port,
        opened(f"https://127.0.0.1:{port}/v1") as pool,
    ):
        assert (await pool.post(b"{}")).body == b"sealed"
        assert (await pool.post(b"{}")).body == b"sealed"


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    tls.cache_clear()
    async with (
        serving(saying(sized(b"sealed")), server_tls) as port,
        opened(f"https://127.0.0.1:{port}/v1") as pool,
    ):
        with pytest.raises(NoWay, match="certificate"):
            await pool.post(b"{}")


def proxying(
    to_port: int, seen: list[bytes], answer: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n"
) -> Talk:
    """A proxy that opens a tunnel to a port of this machine, whatever host is asked for."""

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while part := await source.read(65_536):
            target.write(part)
            await target.drain()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer)
        await writer.drain()
        if b" 200 " in answer:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to_port)
            try:
                await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
            finally:
                far_writer.close()

    return talk


async def test_an_https_server_is_reached_through_a_tunnel(server_tls: ssl.SSLContext) -> None:
    seen: list[bytes] = []
    requests: list[bytes] = []
    async with (
        serving(saying(sized(b"sealed"), seen=requests), server_tls) as port,
        serving(proxying(port, seen)) as proxy,
        opened("https://models.test/v1", f"http://me:pass%20word@127.0.0.1:{proxy}") as pool,
    ):
        for _ in range(2):
            assert (await pool.post(b"{}")).body == b"sealed"
    head = b"CONNECT models.test:443 HTTP/1.1\r\nHost: models.test:443\r\n"
    assert seen == [head + b"Proxy-Authorization: Basic bWU6cGFzcyB3b3Jk\r\n\r\n"]
    assert requests[0].startswith(b"POST /v1 HTTP/1.1\r\nHost: models.test\r\n")
    assert b"Proxy-Authorization" not in requests[0]


async def test_a_proxy_that_refuses_the_password_is_not_asked_again() -> None:
    async with (
        serving(proxying(9, [], b"HTTP/1.1 407 No\r\n\r\n")) as proxy,
        opened("https://models.test/v1", f"http://127.0.0.1:{proxy}") as pool,
    ):
        with pytest.raises(NoWay, match="user and password"):
            await pool.post(b"{}")


def test_a_proxys_password_is_a_secret_in_each_spelling() -> None:
    assert secrets_of(urlsplit("http://me:p%40ss@proxy:1")) == ["p%40ss", "p@ss", "bWU6cEBzcw=="]


@pytest.mark.parametrize("answer", [b"HTTP/1.1 502 No\r\n\r\n", b"SSH-2.0\r\n\r\n", b""])
async def test_a_proxy_that_opens_no_tunnel_sends_nothing(answer: bytes) -> None:
    async with (
        serving(proxying(9, [], answer)) as proxy,
        opened("https://models.test/v1", f"http://127.0.0.1:{proxy}") as pool,
    ):
        with pytest.raises(Unsent, match="proxy"):
            await pool.post(b"{}")


@contextmanager
def swallowing() -> Iterator[int]:
    """The port of an address that answers no packet: its queue of connections is full."""
    with socket.socket() as listening, ExitStack() as waiting:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port: int = listening.getsockname()[1]
        for _ in range(3):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield port


async def test_an_address_that_swallows_packets_gives_way_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    with swallowing() as dead:
        async with serving(saying(sized(b"here"))) as port, opened("http://models.test") as pool:

            async def two(*_: object) -> list[object]:
                return [(*stream, ("127.0.0.1", dead)), (*stream, ("127.0.0.1", port))]

            monkeypatch.setattr(dial, "addresses_of", two)
            async with asyncio.timeout(10):
                assert (await pool.post(b"{}")).body == b"here"


async def test_a_connection_that_takes_too_long_is_unsent() -> None:
    with swallowing() as dead:
        pool = Pool(f"http://127.0.0.1:{dead}", HEADERS, connect_s=0.2)
        with pytest.raises(Unsent, match=r"none within 0\.2 s"):
            await pool.post(b"{}")
