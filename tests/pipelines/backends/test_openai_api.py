import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI

from pipelines.backend import Request, Sampling
from pipelines.backends.openai_api import OpenaiApi
from pipelines.calls.dispatch import Dispatcher
from pipelines.calls.meter import Meter
from pipelines.errors import BackendError, FatalError, RecipeError, RequestRefused, TransientError
from pipelines.part import Where, load_part
from schemas.rows import Message
from tools.chat_server import ChatServer

KEY = "sk-test-5f0c1b7d9e3a2468ace0"
WHERE = Where("r.toml", "[models.m]", Path())
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxy_and_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, *map(str.upper, PROXIES), "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def running() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


@pytest.fixture
def server(running: ChatServer) -> ChatServer:
    """A server without faults, its counts at zero."""
    faults = dict.fromkeys(["e500", "e429", "e400", "hang", "drop", "truncate", "max_n"], 0)
    running.set(**faults, no_usage=False, echo_key=False, latency_ms=[0])
    running.reset()
    return running


def table_of(base_url: str, **fields: Any) -> dict[str, Any]:
    return {"kind": "openai_api", "base_url": base_url, "model": "m", "identity": "test"} | fields


def backend_of(base_url: str, **fields: Any) -> OpenaiApi:
    part = load_part("backends", table_of(base_url, **fields), WHERE)
    assert isinstance(part, OpenaiApi)
    return part


@asynccontextmanager
async def opened(base_url: str, **fields: Any) -> AsyncIterator[OpenaiApi]:
    backend = backend_of(base_url, **fields)
    await backend.open()
    try:
        yield backend
    finally:
        await backend.close()


def asking(text: str = "Hello", n: int = 1, seed: int = 1) -> Request:
    return Request((Message("user", text),), None, Sampling(), n, seed)


Answer = Callable[[bytes], bytes]


@asynccontextmanager
async def canned(answer: Answer, *, close: bool = False) -> AsyncIterator[str]:
    """The base URL of a server that gives `answer(whole request)`, byte for byte."""
    tasks: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                writer.write(answer(head + await reader.readexactly(length)))
                await writer.drain()
                if close:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        await server.wait_closed()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def http(status: int, body: bytes, headers: str = "") -> bytes:
    return f"HTTP/1.1 {status} x\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


OK = http(200, b'{"choices": [{"message": {"content": "fine"}}]}')


def answering(reply: bytes, requests: list[bytes] | None = None) -> Answer:
    def answer(request: bytes) -> bytes:
        if requests is not None:
            requests.append(request)
        return reply

    return answer


async def failure(call: Awaitable[Any]) -> BackendError:
    with pytest.raises(BackendError) as raised:
        await call
    return raised.value


# --- the recipe


def test_a_loopback_address_needs_an_identity() -> None:
    with pytest.raises(RecipeError, match="says nothing about what serves there"):
        backend_of("http://localhost:8000/v1", identity="")
    assert backend_of("http://localhost:8000/v1", identity="qwen@1").model_identity() == "qwen@1"


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"base_url": f"https://me:{KEY}@a.b/v1"}, "base_url"),
        ({"base_url": f"https://a.b/v1?key={KEY}"}, "base_url"),
        ({"api_key_env": KEY}, "api_key_env"),
        ({"api_key_header": f"Authorization: Bearer {KEY} x"}, "api_key_header"),
    ],
)
def test_a_key_in_the_recipe_is_refused_and_not_repeated(fields: dict[str, Any], key: str) -> None:
    with pytest.raises(RecipeError, match=key) as refused:
        backend_of(**({"base_url": "https://a.b/v1"} | fields))
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("field", ["api_key", "key", "headers"])
def test_there_is_no_field_for_a_key(field: str) -> None:
    with pytest.raises(RecipeError, match="no such key"):
        backend_of("https://a.b/v1", **{field: "x"})


def test_the_identity_of_a_remote_server_is_its_address_without_the_query() -> None:
    backend = backend_of("https://Me.example.com/openai/?api-version=1", identity="")
    assert backend.model_identity() == "https://me.example.com/openai"
    assert backend.endpoint() == "https://me.example.com/openai"


def test_a_declared_identity_moves_with_the_server() -> None:
    here, there = backend_of("http://localhost:1/v1"), backend_of("https://a.b/v1")
    assert here.identity() == there.identity()
    assert here.endpoint() != there.endpoint()


def test_what_only_says_how_to_connect_is_not_in_the_fingerprint() -> None:
    plain = backend_of("https://a.b/v1")
    keyed = backend_of("https://a.b/v1", api_key_env="K", api_key_header="api-key", window=2)
    assert plain.identity() == keyed.identity()


@pytest.mark.parametrize(
    "fields",
    [
        {"system_role": "user"},
        {"max_tokens_field": "max_completion_tokens"},
        {"omit": ("seed",)},
    ],
)
def test_another_dialect_asks_anew(fields: dict[str, Any]) -> None:
    plain, other = backend_of("https://a.b/v1"), backend_of("https://a.b/v1", **fields)
    assert plain.model_identity() != other.model_identity()


def test_the_model_is_named_after_its_table_by_default() -> None:
    assert backend_of("https://a.b/v1", model="", name="pupil").model == "pupil"


def test_omit_names_parameters_that_exist() -> None:
    with pytest.raises(RecipeError, match='did you mean "temperature"'):
        backend_of("https://a.b/v1", omit=("temprature",))


# --- the key


async def test_a_missing_key_stops_the_build_before_any_call(server: ChatServer) -> None:
    backend = backend_of(server.url, api_key_env="NO_SUCH_KEY")
    with pytest.raises(RecipeError, match="NO_SUCH_KEY"):
        await backend.open()
    assert server.stats()["requests"] == 0


async def test_openai_needs_its_usual_key() -> None:
    with pytest.raises(RecipeError, match="OPENAI_API_KEY"):
        await backend_of("https://api.openai.com/v1", identity="").open()


@pytest.mark.parametrize("value", ["with\nnewline", "schlüssel"])
async def test_what_cannot_be_a_key_is_refused_and_not_repeated(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", value)
    with pytest.raises(RecipeError, match="TEST_KEY") as refused:
        await backend_of("https://a.b/v1", api_key_env="TEST_KEY").open()
    assert value not in str(refused.value)


@pytest.mark.parametrize(
    ("header", "sent"),
    [
        ("Authorization: Bearer", f"Authorization: Bearer {KEY}\r\n"),
        ("api-key", f"api-key: {KEY}\r\n"),
        ("Authorization:Api-Key", f"Authorization: Api-Key {KEY}\r\n"),
    ],
)
async def test_the_key_is_sent_in_its_header(
    header: str, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", f"{KEY}\n")
    requests: list[bytes] = []
    async with (
        canned(answering(OK, requests)) as url,
        opened(url, api_key_env="TEST_KEY", api_key_header=header) as backend,
    ):
        await backend.complete(asking())
    assert sent.encode() in requests[0]


@pytest.mark.parametrize("fault", ["e500", "e400", "e429"])
async def test_a_server_that_echoes_the_key_does_not_spread_it(
    fault: str, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    server.set(echo_key=True, **{fault: 1})
    async with opened(server.url, api_key_env="TEST_KEY") as backend:
        error = await failure(backend.complete(asking()))
        assert KEY not in repr(backend)
        assert KEY not in json.dumps(backend.identity())
    assert "[key] simulated" in str(error)
    assert KEY not in "".join(traceback.format_exception(error)) + repr(error)


async def test_an_answer_that_echoes_the_key_does_not_spread_it(
    server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    server.set(echo_key=True)
    async with opened(server.url, api_key_env="TEST_KEY") as backend:
        reply = await backend.complete(asking())
    assert (reply.completions[0].text or "").startswith("[key] ")


@pytest.mark.parametrize(
    "said",
    [
        "x" * 490 + KEY,  # half a key would be left at the cut
        KEY.replace("-", "\\u002d"),  # as a JSON escape
    ],
)
async def test_no_part_of_the_key_is_left_in_an_error(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    body = f'{{"error": {{"message": "{said}"}}}}'.encode()
    async with (
        canned(answering(http(400, body))) as url,
        opened(url, api_key_env="TEST_KEY") as backend,
    ):
        error = await failure(backend.complete(asking()))
    assert "sk-test" not in str(error)


async def test_a_connection_error_carries_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    async with opened("http://127.0.0.1:9/v1", api_key_env="TEST_KEY") as backend:
        error = await failure(backend.complete(asking()))
    assert isinstance(error, TransientError)
    assert error.__cause__ is None
    assert error.__context__ is None


# --- the call


async def test_choices_and_usage_come_back(server: ChatServer) -> None:
    async with opened(server.url) as backend:
        three = await backend.complete(asking(n=3))
        one = await backend.complete(asking())
    assert len({completion.text for completion in three.completions}) == 3
    assert three.usage is not None
    assert one.usage is not None
    assert one.completions[0].completion_tokens == one.usage.completion_tokens
    assert server.stats()["statuses"] == {"200": 2}


async def test_fewer_choices_than_asked_come_back_as_they_are(server: ChatServer) -> None:
    server.set(max_n=2)
    async with opened(server.url) as backend:
        assert len((await backend.complete(asking(n=5))).completions) == 2


async def test_missing_usage_is_none(server: ChatServer) -> None:
    server.set(no_usage=True)
    async with opened(server.url) as backend:
        assert (await backend.complete(asking())).usage is None


async def test_openais_own_client_gets_the_same_answer(server: ChatServer) -> None:
    async with opened(server.url) as backend:
        ours = await backend.complete(asking(n=2))
    async with AsyncOpenAI(base_url=server.url, api_key="x") as client:
        theirs = await client.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "Hello"}], n=2, seed=1
        )
    assert len(theirs.choices) == len(ours.completions) == 2
    assert server.stats()["unique_bodies"] == 1
    assert [c.text for c in ours.completions] == [c.message.content for c in theirs.choices]


async def test_hundreds_of_calls_may_be_in_flight(server: ChatServer) -> None:
    server.set(latency_ms=[500])
    async with opened(server.url) as backend:
        await asyncio.gather(*(backend.complete(asking(seed=seed)) for seed in range(300)))
    assert server.stats()["max_in_flight"] > 100  # more than aiohttp's default pool


async def test_azure_keeps_its_query() -> None:
    requests: list[bytes] = []
    async with (
        canned(answering(OK, requests)) as url,
        opened(f"{url}/deployments/gpt?api-version=2026-01-01") as backend,
    ):
        await backend.complete(asking())
    line = requests[0].partition(b"\r\n")[0]
    expected = b"POST /v1/deployments/gpt/chat/completions?api-version=2026-01-01 HTTP/1.1"
    assert line == expected


# --- what goes wrong


async def test_429_passes_on_what_the_server_asks_to_wait(server: ChatServer) -> None:
    server.set(e429=1, retry_after=0.3)
    async with opened(server.url) as backend:
        error = await failure(backend.complete(asking()))
    assert isinstance(error, TransientError)
    assert (error.retry_after, error.overload) == (0.3, True)


@pytest.mark.parametrize("fault", ["e500", "drop", "truncate"])
async def test_what_may_pass_is_transient(fault: str, server: ChatServer) -> None:
    server.set(**{fault: 1})
    async with opened(server.url) as backend:
        assert isinstance(await failure(backend.complete(asking())), TransientError)
        server.set(**{fault: 0})
        assert (await backend.complete(asking())).completions


async def test_a_reply_that_hangs_ends_at_the_timeout(server: ChatServer) -> None:
    server.set(hang=1)
    backend = backend_of(server.url, timeout_s=0.2, max_tries=1)
    async with Dispatcher({"m": backend}, Meter()) as dispatcher:
        error = await failure(dispatcher.call(backend, asking()))
    assert isinstance(error, TransientError)
    assert str(error).startswith(f"m at {server.url}: no reply within 0.2 s (timeout_s)")


async def test_a_cancelled_call_stays_cancelled(server: ChatServer) -> None:
    server.set(hang=1)
    async with opened(server.url) as backend:
        call = asyncio.create_task(backend.complete(asking()))
        await asyncio.sleep(0.05)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_a_refused_request_keeps_status_and_the_servers_words(server: ChatServer) -> None:
    server.set(e400=1)
    async with opened(server.url) as backend:
        error = await failure(backend.complete(asking()))
    assert isinstance(error, RequestRefused)
    assert error.status == 400
    assert "simulated 400" in str(error)


async def test_the_servers_words_are_kept_up_to_500_characters() -> None:
    async with canned(answering(http(422, b"y" * 9000))) as url, opened(url) as backend:
        assert str(await failure(backend.complete(asking()))).count("y") == 500


async def test_a_wrong_model_is_fatal_and_says_how_to_list_models() -> None:
    body = b'{"error": {"message": "The model m does not exist", "code": "model_not_found"}}'
    async with canned(answering(http(404, body))) as url, opened(url, model="gpt-9") as backend:
        error = await failure(backend.complete(asking()))
    assert isinstance(error, FatalError)
    assert "gpt-9 at http://127.0.0.1" in str(error)
    assert "/models" in str(error)


async def test_a_redirection_is_not_followed() -> None:
    elsewhere: list[bytes] = []
    async with canned(answering(OK, elsewhere)) as other:
        moved = http(307, b"", f"Location: {other}/chat/completions\r\n")
        async with canned(answering(moved)) as url, opened(url) as backend:
            assert isinstance(await failure(backend.complete(asking())), FatalError)
    assert elsewhere == []


async def test_an_unreadable_200_may_pass_and_says_where() -> None:
    async with canned(answering(http(200, b'{"choices": ['))) as url, opened(url) as backend:
        error = await failure(backend.complete(asking()))
    assert isinstance(error, TransientError)
    assert str(error).startswith(f"m at {url}: ")


async def test_garbage_instead_of_http_may_pass() -> None:
    async with canned(answering(b"SSH-2.0-nope\r\n\r\n")) as url, opened(url) as backend:
        assert isinstance(await failure(backend.complete(asking())), TransientError)


async def test_connections_that_the_server_closes_cost_nothing() -> None:
    async with canned(answering(OK), close=True) as url, opened(url) as backend:
        for _ in range(5):
            assert (await backend.complete(asking())).completions[0].text == "fine"
            await asyncio.sleep(0.01)


# --- proxies


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY"])
async def test_a_proxy_never_stands_before_this_machine(
    name: str, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with opened(server.url) as backend:
        assert (await backend.complete(asking())).completions


async def test_a_remote_server_is_reached_through_the_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    requests: list[bytes] = []
    async with canned(answering(OK, requests)) as url:
        proxy = url.removesuffix("/v1").replace("://", "://me:pass-word-1@")
        monkeypatch.setenv("http_proxy", proxy)
        async with opened("http://models.invalid/v1") as backend:
            await backend.complete(asking())
    assert requests[0].startswith(b"POST http://models.invalid/v1/chat/completions HTTP/1.1")
    assert b"Proxy-Authorization: Basic " in requests[0]


async def test_the_proxys_password_is_in_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://me:pass-word-1@127.0.0.1:9")
    async with opened("http://models.invalid/v1") as backend:
        error = await failure(backend.complete(asking()))
    assert isinstance(error, TransientError)
    assert "pass-word-1" not in str(error)


async def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[bytes] = []
    async with canned(answering(OK, requests)) as url:
        monkeypatch.setenv("http_proxy", url.removesuffix("/v1"))
        monkeypatch.setenv("no_proxy", "models.invalid")
        async with opened("http://models.invalid/v1") as backend:
            assert isinstance(await failure(backend.complete(asking())), TransientError)
    assert requests == []


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "http://me:se/zzyx@127.0.0.1:9"])
async def test_a_proxy_of_another_kind_is_refused(
    proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(RecipeError, match="HTTPS_PROXY") as refused:
        await backend_of("https://a.b/v1").open()
    assert "zzyx" not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("escaped", [r"\/", r"\u002F", r"\\\/", "/"])
async def test_an_answer_that_echoes_the_key_in_another_spelling_does_not_spread_it(
    escaped: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "sk-test/0123456789abcdef")
    echo = f"sk-test{escaped}0123456789abcdef"
    choice = f'{{"message": {{"content": "{echo}", "reasoning": "{echo}"}}}}'
    async with (
        canned(answering(http(200, f'{{"choices": [{choice}]}}'.encode()))) as url,
        opened(url, api_key_env="TEST_KEY") as backend,
    ):
        (one,) = (await backend.complete(asking())).completions
    assert (one.text, one.reasoning) == ("[key]", "[key]")
