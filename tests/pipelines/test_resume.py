"""Nothing paid for is lost: builds that are really killed, again and again."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.builds import OVER_HTTP, run, write_questions, write_recipe
from tools.chat_server import ChatServer

KILLS = 20
WINDOW = 8
BUILD = "from tests.builds import run; from pathlib import Path; import sys; run(Path(sys.argv[1]))"


def test_twenty_kills_at_random_moments_cost_at_most_what_was_in_flight(tmp_path: Path) -> None:
    write_questions(tmp_path, range(300))
    latency = (20.0, 60.0)
    with ChatServer(latency_ms=latency) as server:
        write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
        undisturbed, _ = run(tmp_path, store="undisturbed")
        server.reset()

        moments = random.Random(7)
        killed = sum(_killed_at_a_random_moment(tmp_path, server, moments) for _ in range(KILLS))
        finished, meter = run(tmp_path)
        served = server.stats()

    assert killed == KILLS
    assert finished.manifest is not None
    assert undisturbed.manifest is not None
    assert finished.manifest.content_digest == undisturbed.manifest.content_digest
    assert meter.samples_paid > 0  # the last kill came before the end
    assert meter.samples_replayed > 0
    # a request in flight when the process died is asked again, and nothing else is
    assert served["completions"] - served["paid_twice"] == 300 * (4 + 4)
    assert served["paid_twice"] <= KILLS * WINDOW * 4


def _killed_at_a_random_moment(folder: Path, server: ChatServer, moments: random.Random) -> bool:
    """Whether a build was killed while it was calling; it waits for the first call of the build."""
    before = server.stats()["requests"]
    child = subprocess.Popen([sys.executable, "-c", BUILD, str(folder)], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while server.stats()["requests"] == before and child.poll() is None:
        assert time.monotonic() < deadline, "the build made no call within a minute"
        time.sleep(0.01)
    time.sleep(moments.uniform(0, 0.2))
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=30)
    return child.returncode == -signal.SIGKILL
