"""A server is started once, waited for, known from others, and ended."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.errors import FatalError
from pipelines.serving import server as servers
from pipelines.serving.leases import give_back, lease
from pipelines.serving.metrics import EngineFigures
from pipelines.serving.server import Launch, Server


def silent(_: str | None) -> None:
    """Nobody wants to know."""


def launch(fake: Any, limit_s: float = 60.0) -> Launch:
    return Launch(fake.command, "tiny", limit_s=limit_s)


async def test_all_who_wait_share_one_start(fake: Any, ended: Callable[[list[int]], bool]) -> None:
    server = Server(launch(fake))
    urls = await asyncio.gather(*(server.ready(silent) for _ in range(5)))
    assert len(set(urls)) == 1
    assert len(fake.starts) == 1
    server.check()
    assert await server.figures() == EngineFigures(200, 150, 640, 2)
    await server.stop()
    assert ended(fake.pids())


async def test_a_server_that_dies_says_why_and_where_its_log_is(fake: Any) -> None:
    fake.behave("die")
    server = Server(launch(fake))
    with pytest.raises(FatalError, match=r"did not start: api_server.py: error: unrec") as it:
        await server.ready(silent)
    await server.stop()
    [log] = fake.logs()
    assert f"the last lines of {log}:" in str(it.value)


async def test_a_server_that_is_never_ready_is_ended_at_the_deadline(
    fake: Any, ended: Callable[[list[int]], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.behave("never")
    monkeypatch.setattr(servers, "SAYS_EVERY_S", 0.0)
    said: list[str | None] = []
    server = Server(launch(fake, limit_s=1.0))
    with pytest.raises(FatalError, match=r"not ready within 1 s \(start_timeout_s\)"):
        await server.ready(said.append)
    assert said[0] is not None
    assert said[0].startswith("vLLM starts, ")
    assert ended(fake.pids())
    await server.stop()


async def test_stopping_breaks_off_a_start(fake: Any, ended: Callable[[list[int]], bool]) -> None:
    fake.behave("never")
    server = Server(launch(fake))
    waiting = asyncio.ensure_future(server.ready(silent))
    await fake.started()
    await server.stop()
    with pytest.raises(FatalError, match="stopped before it was ready"):
        await waiting
    assert ended(fake.pids())


async def test_a_cancelled_wait_leaves_the_start_to_the_others(fake: Any) -> None:
    server = Server(launch(fake))
    impatient = asyncio.ensure_future(server.ready(silent))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await server.ready(silent)).startswith("http://127.0.0.1:")
    await server.stop()


async def test_another_server_on_the_port_is_not_taken_for_ours(
    fake: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Server(launch(fake))
    url = await first.ready(silent)
    ports = iter([int(url.rpartition(":")[2].partition("/")[0]), 0])
    fresh = servers._free_port
    monkeypatch.setattr(servers, "_free_port", lambda: next(ports) or fresh())
    second = Server(launch(fake))
    assert await second.ready(silent) != url
    await second.stop()
    await first.stop()


async def test_the_last_lease_ends_the_server(
    fake: Any, ended: Callable[[list[int]], bool]
) -> None:
    once, again = lease(launch(fake)), lease(launch(fake))
    assert once is again
    await once.ready(silent)
    await give_back(launch(fake))
    again.check()
    await give_back(launch(fake))
    assert ended(fake.pids())
    assert lease(launch(fake)) is not once
    await give_back(launch(fake))


async def test_the_log_of_a_server_that_ended_well_is_gone(fake: Any) -> None:
    server = Server(launch(fake))
    await server.ready(silent)
    assert fake.logs()
    await server.stop()
    assert not fake.logs()
