"""Servers to measure against, each in a process of its own on loopback."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.chat_server import ChatServer


@dataclass(frozen=True)
class Latency:
    """How long a server takes for a reply: fixed, or log-normal around a median."""

    median_ms: float
    sigma: float = 0.0

    @property
    def mean_ms(self) -> float:
        """Of a log-normal distribution: median x exp(sigma^2 / 2)."""
        return self.median_ms * 2.718281828459045 ** (self.sigma**2 / 2)

    def __str__(self) -> str:
        tail = f", log-normal tail of sigma {self.sigma:g}" if self.sigma else ""
        return f"{self.median_ms:g} ms{tail}"


@contextmanager
def serving(latency: Latency, stub: Path | None) -> Iterator[str]:
    """The base URL of a chat server: the stub in a C file, compiled here, or our own."""
    if stub is None:
        if latency.sigma:
            raise SystemExit("a log-normal tail needs --stub: tools/chat_server.py has none")
        with ChatServer(latency_ms=(latency.median_ms,)) as server:
            yield server.url
        return
    binary = Path(stub.name).with_suffix("")
    binary = Path("/tmp") / f"pairwright-{binary}"
    subprocess.run(["gcc", "-O2", "-o", str(binary), str(stub), "-lm"], check=True)
    port = _free_port()
    kind = f"lognormal:{latency.median_ms},{latency.sigma}" if latency.sigma else ""
    kind = kind or (f"fixed:{latency.median_ms}" if latency.median_ms else "0")
    process = subprocess.Popen(
        [str(binary), "--port", str(port), f"lat={kind}"], stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit(f"nothing listens on port {port}")
