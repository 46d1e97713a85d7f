"""A folder that looks like a model, and a command that looks like vLLM's server."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FAKE = Path(__file__).with_name("fake_vllm.py")


@dataclass(frozen=True)
class Fake:
    """The stand-in, what it is started with, and what it noted."""

    command: tuple[str, ...]
    file: Path
    monkeypatch: pytest.MonkeyPatch

    def behave(self, how: str) -> None:
        self.monkeypatch.setenv("FAKE_VLLM", how)

    def notes(self) -> list[dict[str, Any]]:
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [json.loads(line) for line in lines]

    @property
    def starts(self) -> list[dict[str, Any]]:
        return [note for note in self.notes() if "argv" in note]

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [note["request"] for note in self.notes() if "request" in note]

    async def started(self) -> None:
        """Returns when a server was started."""
        async with asyncio.timeout(30):
            while not self.starts:  # noqa: ASYNC110 - another process sets it
                await asyncio.sleep(0.05)

    def logs(self) -> list[Path]:
        return list(self.file.parent.glob("pairwright-vllm-*/vllm.log"))

    def pids(self) -> list[int]:
        return [note[who] for note in self.starts for who in ("pid", "engine")]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """The stand-in for vLLM's server; it serves unless told otherwise."""
    notes = tmp_path / "notes.jsonl"
    monkeypatch.setenv("FAKE_VLLM", "serve")
    monkeypatch.setenv("FAKE_VLLM_NOTES", str(notes))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return Fake((sys.executable, str(FAKE)), notes, monkeypatch)


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """A folder with the files of a model, weights of 3 bytes."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json", "README.md"):
        (folder / name).write_text("{}")
    (folder / "model.safetensors").write_bytes(b"abc")
    return folder


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except ProcessLookupError:  # it went between opening and reading
        return False
    except FileNotFoundError:
        if Path("/proc").is_dir():
            return False
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        return True
    return state != "Z"


@pytest.fixture
def ended() -> Callable[[list[int]], bool]:
    """Whether all of these processes end within ten seconds."""

    def wait(pids: list[int]) -> bool:
        assert pids
        deadline = time.monotonic() + 10
        while any(map(is_alive, pids)):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    return wait
