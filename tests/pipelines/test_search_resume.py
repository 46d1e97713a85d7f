"""A search that is killed goes on where it was: what it grows is the same tree, and paid once."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.builds import run, write_questions, write_recipe
from tools.chat_server import ChatServer

KILLS = 3
WINDOW = 8
BUILD = "from tests.builds import run; from pathlib import Path; import sys; run(Path(sys.argv[1]))"
SEARCH = """
name = "trial"
seed = 3

[sources.questions]
kind = "jsonl"
path = "questions.jsonl"

[prompts]
text = "question"
key = "id"

[models.policy]
kind = "openai_api"
base_url = "{url}"
identity = "loopback"
policy = "on"
window = 8

[[samplers]]
kind = "mcts"
model = "policy"
evaluation = {{ votes = 2 }}
iterations = 8
width = 2
max_new_tokens = 16
max_tokens = 48

[[pairings]]
kind = "step_siblings"
"""


def test_a_killed_search_goes_on_and_grows_the_same_tree(tmp_path: Path) -> None:
    write_questions(tmp_path, range(10))
    with ChatServer(latency_ms=(5.0, 15.0)) as server:
        write_recipe(tmp_path, SEARCH.format(url=server.url))
        undisturbed, _ = run(tmp_path, store="undisturbed")
        once = server.stats()["completions"]
        server.reset()

        moments = random.Random(7)
        killed = sum(_killed_in_mid_search(tmp_path, server, moments) for _ in range(KILLS))
        finished, meter = run(tmp_path)
        served = server.stats()

    assert killed == KILLS
    assert finished.manifest is not None
    assert undisturbed.manifest is not None
    assert finished.manifest.content_digest == undisturbed.manifest.content_digest
    assert meter.samples_replayed > 0
    assert meter.samples_paid > 0  # the last kill came before the end
    assert served["completions"] - served["paid_twice"] == once
    assert served["paid_twice"] <= KILLS * WINDOW * 4


def _killed_in_mid_search(folder: Path, server: ChatServer, moments: random.Random) -> bool:
    """Whether a build was killed while it was calling; it waits for calls of the build."""
    before = server.stats()["requests"]
    child = subprocess.Popen([sys.executable, "-c", BUILD, str(folder)], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while server.stats()["requests"] < before + 20 and child.poll() is None:
        assert time.monotonic() < deadline, "the build made no call within a minute"
        time.sleep(0.01)
    time.sleep(moments.uniform(0, 0.1))
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=30)
    return child.returncode == -signal.SIGKILL
