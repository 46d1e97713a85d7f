"""One vLLM server: started on a free port of this machine, waited for, asked how it went, ended.

    start ─> child ─ /health ─> ready ─ calls ... ─> stop
               │ it ends, or the deadline passes: FatalError with what its log says

It is started by the first call, not before: a build that finds every sample in the ledger starts
none. Any thread and any event loop may wait for it.
"""

import http.client
import shutil
import socket
import tempfile
import threading
import time
from asyncio import sleep, to_thread
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

import orjson

from pipelines.errors import FatalError
from pipelines.serving.child import Child, outside
from pipelines.serving.log import in_words, read_end
from pipelines.serving.metrics import EngineFigures, read_figures

HOST = "127.0.0.1"
LOOKS_EVERY_S = 0.2
SAYS_EVERY_S = 2.0
ANSWER_S = 5.0
PORT_TRIES = 3
TAKEN = "ddress already in use"

Say = Callable[[str | None], None]
"""Is told the state of a server that is being started; None when it is ready."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How a server is started. Equal launches are one server."""

    command: tuple[str, ...]
    """The command and its arguments; where it listens and under which name is added."""
    model: str
    """The name that requests give the model."""
    environment: tuple[tuple[str, str], ...] = ()
    """Variables beside those of this process."""
    limit_s: float = 1800.0
    """Longest wait for the server to be ready, in seconds."""


class Server:
    """A server that is started when it is first needed."""

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.started_s: float | None = None
        """Seconds that its start took."""
        self.worked: tuple[float, float] | None = None
        """When the first call was sent and the last reply came, on the monotonic clock."""
        self._folder: Path | None = None
        self._child: Child | None = None
        self._base_url: Future[str] | None = None
        self._beginning = threading.Lock()
        self._stopping = threading.Event()

    async def ready(self, say: Say) -> str:
        """The base URL of the server once it answers. Raises FatalError where it cannot.

        `say` is called from another thread.
        """
        with self._beginning:
            if self._base_url is None:
                starter = ThreadPoolExecutor(1, "vllm")
                self._base_url = starter.submit(self._start, say)
                starter.shutdown(wait=False)
        future = self._base_url  # looked at, for who gives up must not cancel it for the others
        while not future.done():  # noqa: ASYNC110
            await sleep(LOOKS_EVERY_S)
        return future.result()

    def check(self) -> None:
        """Raises FatalError if the server has ended, as it does when its engine fails."""
        assert self._child is not None
        if (status := self._child.status()) is not None:
            raise FatalError(f"the vLLM server ended (status {status}): {in_words(self._log)}")

    async def figures(self) -> EngineFigures | None:
        """What the engine has counted since its start. None where it does not say."""
        if self.started_s is None:
            return None
        text = await to_thread(self._get, "/metrics")
        return None if text is None else read_figures(text.decode("utf-8", "replace"))

    async def stop(self) -> None:
        """Ends it, and returns when it has ended. Its log is kept where it failed."""
        await to_thread(self._end)

    @property
    def _log(self) -> Path:
        assert self._folder is not None
        return self._folder / "vllm.log"

    def _start(self, say: Say) -> str:
        begun = time.monotonic()
        self._folder = Path(tempfile.mkdtemp(prefix="pairwright-vllm-"))
        for further in range(PORT_TRIES - 1, -1, -1):
            self._launch_on(_free_port())
            try:
                self._wait(begun, say)
            except FatalError:
                if not further or TAKEN not in read_end(self._log):
                    raise
                self._log.unlink()
            else:
                break
        self.started_s = time.monotonic() - begun
        say(None)
        return f"http://{HOST}:{self._port}/v1"

    def _launch_on(self, port: int) -> None:
        """Starts the child. It has a second name, by which it is known from any other server."""
        self._port, self._token = port, f"pairwright-{token_hex(8)}"
        names = ("--served-model-name", self.launch.model, self._token)
        command = (*self.launch.command, *names, "--host", HOST, "--port", str(port))
        self._child = Child(command, outside(dict(self.launch.environment)), self._log)

    def _wait(self, begun: float, say: Say) -> None:
        """Returns when the server answers. Raises FatalError, and has ended it then."""
        assert self._child is not None
        said = begun
        try:
            while not self._answers():
                now = time.monotonic()
                if self._stopping.is_set():
                    raise FatalError("the vLLM server was stopped before it was ready")
                if self._child.wait(LOOKS_EVERY_S) is not None:
                    raise FatalError(f"the vLLM server did not start: {in_words(self._log)}")
                if now - begun > self.launch.limit_s:
                    late = f"not ready within {self.launch.limit_s:g} s (start_timeout_s)"
                    raise FatalError(f"the vLLM server is {late}: {in_words(self._log)}")
                if now - said >= SAYS_EVERY_S:
                    said = now
                    say(f"vLLM starts, {now - begun:.0f} s, log: {self._log}")
        except FatalError:
            self._child.stop()
            raise

    def _answers(self) -> bool:
        """Whether the server is healthy, and is the one that was started."""
        if self._get("/health") is None or (models := self._get("/v1/models")) is None:
            return False
        try:
            return any(model["id"] == self._token for model in orjson.loads(models)["data"])
        except (ValueError, TypeError, KeyError):
            return False

    def _get(self, path: str) -> bytes | None:
        """The body of a 200; None for anything else. No proxy is asked."""
        connection = http.client.HTTPConnection(HOST, self._port, timeout=ANSWER_S)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return body if answer.status == 200 else None

    def _end(self) -> None:
        self._stopping.set()
        with self._beginning:
            begun = self._base_url
        failed = begun is not None and begun.exception() is not None  # waits for the start
        if self._child is not None:
            failed |= self._child.status() is not None
            self._child.stop()
        if self._folder is not None and not failed:
            shutil.rmtree(self._folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port
