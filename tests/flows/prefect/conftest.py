"""A real Prefect server and a real process worker, started once for the tests of this folder."""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

POOL = "tests"
ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
START_S, RUN_S, LOCKED_S = 120.0, 90.0, 30.0
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Prefect:
    """A server, as its REST interface shows it."""

    def __init__(self, home: Path, port: int) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{port}/api"
        self.env = os.environ | {
            "PREFECT_HOME": str(home),
            "PREFECT_API_URL": self.url,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "DO_NOT_TRACK": "1",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def ask(self, path: str, body: Any = None) -> Any:
        """The JSON at `path`: a GET, or a POST of `body`.

        A server on SQLite answers 503 while another of its writers holds the database, and asks to
        come back, as Prefect's own client does.
        """
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/{path}", content, headers)
        until_s = time.monotonic() + LOCKED_S
        while True:
            try:
                with DIRECT.open(request, timeout=30) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code != 503 or time.monotonic() > until_s:
                    raise
            time.sleep(0.5)

    def python(self, *arguments: str, cwd: Path) -> str:
        """What a Python with the project prints; it must succeed."""
        child = subprocess.run(
            [sys.executable, *arguments],
            cwd=cwd, env=self.env | {"PWD": str(cwd)}, capture_output=True, text=True, timeout=RUN_S, check=False,
        )  # fmt: skip
        assert child.returncode == 0, child.stderr
        return child.stdout

    def start(self, deployment: str, **parameters: Any) -> str:
        """Asks for a run of a deployment of the flow; its id."""
        found = self.ask(f"deployments/name/build-dataset/{deployment}")
        once = secrets.token_hex(8)  # asked again, it is still one run
        asked = {"parameters": parameters, "state": {"type": "SCHEDULED"}, "idempotency_key": once}
        return str(self.ask(f"deployments/{found['id']}/create_flow_run", asked)["id"])

    def last_state(self, run: str) -> dict[str, Any] | None:
        """The last state of a run; None while it goes on."""
        state: dict[str, Any] = self.ask(f"flow_runs/{run}")["state"]
        return state if state["type"] in ENDED else None

    def ended(self, run: str) -> dict[str, Any]:
        """The last state of a run, for which it waits."""
        state: dict[str, Any] = until(lambda: self.last_state(run), RUN_S)
        return state

    def cancel(self, run: str) -> None:
        """Cancels a run, as the button does."""
        self.ask(f"flow_runs/{run}/set_state", {"state": {"type": "CANCELLING"}})

    def artifacts(self, run: str) -> dict[str, str]:
        """Type -> what it shows, of the artifacts of a run and its tasks."""
        asked = {"artifacts": {"flow_run_id": {"any_": [run]}}}
        return {one["type"]: str(one["data"]) for one in self.ask("artifacts/filter", asked)}


def until(look: Callable[[], Any], seconds: float) -> Any:
    """What `look` finds, once it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing within {seconds:g} s"
        time.sleep(0.2)
    return found


@contextmanager
def child(command: list[str], env: dict[str, str], log: Path) -> Iterator[None]:
    """A process with a group of its own, which ends with the context."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", *command],
            cwd=log.parent, env=env, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture(scope="module")
def prefect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefect]:
    """The server, on a free port of this machine, with SQLite in a folder of its own."""
    if find_spec("prefect") is None:
        pytest.skip("prefect is not installed: pip install 'pairwright[prefect]'")
    home = tmp_path_factory.mktemp("prefect")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Prefect(home, port)
    command = ["server", "start", "--host", "127.0.0.1", "--port", str(port)]

    def healthy() -> bool:
        try:
            return bool(server.ask("health"))
        except (OSError, urllib.error.URLError):
            return False

    with child(command, server.env, home / "server.log"):
        until(healthy, START_S)
        yield server


@pytest.fixture(scope="module")
def worker(prefect: Prefect) -> Iterator[Prefect]:
    """The server with a process worker."""
    prefect.ask("work_pools/", {"name": POOL, "type": "process"})
    command = ["worker", "start", "--pool", POOL, "--type", "process"]
    with child(command, prefect.env, prefect.home / "worker.log"):
        yield prefect
