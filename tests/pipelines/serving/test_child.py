"""A child ends with its parent, however that ends, and takes all that it started with it."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.serving import child as children
from pipelines.serving.child import Child, outside

Ended = Callable[[list[int]], bool]

FAMILY = """
import json, os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.{term})
inner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(json.dumps([os.getpid(), inner.pid]), flush=True)
time.sleep({seconds})
"""


def family(term: str = "SIG_DFL", seconds: float = 600) -> list[str]:
    """A command that starts a process of its own and prints the ids of both."""
    return [sys.executable, "-c", FAMILY.format(term=term, seconds=seconds)]


def pids_in(log: Path) -> list[int]:
    deadline = time.monotonic() + 20
    while not (log.exists() and log.read_text().endswith("]\n")):
        assert time.monotonic() < deadline, log.read_text() if log.exists() else "no log"
        time.sleep(0.02)
    pids: list[int] = json.loads(log.read_text().splitlines()[-1])
    return pids


def test_stopping_a_child_ends_all_that_it_started(tmp_path: Path, ended: Ended) -> None:
    running = Child(family(), outside({}), tmp_path / "log")
    pids = pids_in(tmp_path / "log")
    assert running.status() is None
    running.stop()
    assert ended(pids)
    assert running.status() == 128 + signal.SIGTERM
    running.stop()


def test_what_a_child_leaves_behind_ends_with_it(tmp_path: Path, ended: Ended) -> None:
    running = Child(family(seconds=0), outside({}), tmp_path / "log")
    pids = pids_in(tmp_path / "log")
    assert running.wait(20) == 0
    assert ended(pids)
    running.stop()


def test_a_killed_parent_leaves_no_orphan(tmp_path: Path, ended: Ended) -> None:
    program = (
        "import sys, time; from pathlib import Path; "
        "from pipelines.serving.child import Child, outside; "
        f"child = Child({family()!r}, outside({{}}), Path(sys.argv[1])); time.sleep(600)"
    )
    log = tmp_path / "log"
    with subprocess.Popen([sys.executable, "-c", program, str(log)], cwd=Path.cwd()) as parent:
        pids = pids_in(log)
        parent.kill()
    assert ended(pids)


def test_a_child_that_ignores_sigterm_is_killed(
    tmp_path: Path, ended: Ended, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = tmp_path / "warden.py"
    impatient.write_text(children.WARDEN.read_text().replace("GRACE_S = 15.0", "GRACE_S = 0.2"))
    monkeypatch.setattr(children, "WARDEN", impatient)
    running = Child(family("SIG_IGN"), outside({}), tmp_path / "log")
    pids = pids_in(tmp_path / "log")
    running.stop()
    assert ended(pids)


def test_a_command_that_is_not_there_says_so_in_the_log(tmp_path: Path) -> None:
    running = Child(["/no/such/program"], outside({}), tmp_path / "log")
    assert running.wait(20) == 127
    assert "error: /no/such/program: No such file" in (tmp_path / "log").read_text()
    running.stop()


def test_a_child_sees_our_variables_but_not_our_python(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PYTHONPATH", "VIRTUAL_ENV", "HF_HOME"):
        monkeypatch.setenv(name, "ours")
    seen = outside({"CUDA_VISIBLE_DEVICES": "1"})
    assert seen["HF_HOME"] == "ours"
    assert seen["CUDA_VISIBLE_DEVICES"] == "1"
    assert not {"PYTHONPATH", "VIRTUAL_ENV"} & seen.keys()
