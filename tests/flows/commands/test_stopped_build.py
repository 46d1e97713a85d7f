"""A build that pays a server is stopped: on a terminal, as a user stops it."""

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.commands.test_build import pairwright, remote, terminal
from tools.chat_server import ChatServer


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
        yield running


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
def test_a_stop_waits_for_what_is_paid_so_that_nothing_is_paid_twice(
    recipe: Path, tmp_path: Path, server: ChatServer, sent: signal.Signals, code: int
) -> None:
    server.set(latency_ms=[500, 2500])
    few = ("--set", "models.pupil.window=6")
    with terminal("build", remote(recipe, server.url), *few, cwd=tmp_path) as build:
        build.wait_for(" 1/24 prompts")
        build.program.send_signal(sent)
        build.wait_for("stopping once replies under way are in (Ctrl-C: at once)")
        ended = build.end()
    assert ended == (code, "")
    (kept,) = re.findall(r"stopped: kept in \S+: (\d+) samples bought in this run", build.shown)
    assert "abandoned" not in build.shown
    served = server.stats()
    assert 6 * 8 <= int(kept) == served["completions"] < 24 * 8

    server.set(latency_ms=[0, 0])
    again = pairwright("build", recipe, cwd=tmp_path)
    assert again.returncode == 3, again.stderr  # of its random words no answer is right
    served = server.stats()
    assert (served["paid_twice"], served["completions"]) == (0, 24 * 8)


def test_a_second_stop_waits_for_nothing_and_says_what_is_abandoned(
    recipe: Path, tmp_path: Path, server: ChatServer
) -> None:
    server.set(latency_ms=[60_000, 60_000])
    few = ("--set", "models.pupil.window=6")
    with terminal("build", remote(recipe, server.url), *few, cwd=tmp_path) as build:
        build.wait_for("6 in flight")
        build.program.send_signal(signal.SIGINT)
        build.wait_for("stopping")
        stopped = time.monotonic()
        build.program.send_signal(signal.SIGINT)
        ended = build.end()
    assert ended == (130, "")
    assert time.monotonic() - stopped < 15
    assert re.search(r"0 samples bought in this run; 6 requests in flight abandoned\.", build.shown)
    assert "Traceback" not in build.shown
    assert not any((tmp_path / "data" / "store" / "tmp").iterdir())
