"""The route of a batch job through `vllm run-batch`: one run of the engine for each job.

    collected ── requests file ── run-batch ──> results file ──> result lines
        a stop:  noted, asked anew ───┘  or, once it is there, read

vLLM writes the results when the last of them is there, so a stop before loses one job's work.
Jobs that would have the same devices take turns, in all threads of this process.
"""

import re
import shutil
import threading
import time
from asyncio import sleep, to_thread
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, ClassVar

import orjson

from pipelines.batching.ended import Ended
from pipelines.batching.job import Job
from pipelines.errors import FatalError, TransientError
from pipelines.serving.child import Child, outside
from pipelines.serving.log import in_words, read_end

LOOKS_EVERY_S = 0.5
KINDS = ("requests", "part", "log", "results")
"""Files of a job beside its entry in the journal: `part` is what vLLM is writing."""
FAILED = "failed-log"
"""The log of a run that failed: the error names it, so it outlives its job."""
FAILED_KEPT_S = 14 * 86_400.0
PROGRESS = re.compile(r"Running batch: .*\| (\d+)/(\d+) \[")

Command = Callable[[], tuple[tuple[str, ...], dict[str, str]]]
"""Gives a command and its variables. Raises RecipeError where vLLM is not there."""

_taking_turns: dict[tuple[tuple[str, str], ...], threading.Lock] = {}


class Offline:
    """Runs jobs on this machine."""

    goes_on: ClassVar[bool] = False

    def __init__(self, command: Command, devices: Mapping[str, str]) -> None:
        """`devices` are the variables that may say which devices; equal ones take turns."""
        self._command = command
        self._turn = _taking_turns.setdefault(tuple(sorted(devices.items())), threading.Lock())
        self.jobs = 0
        self.seconds = 0.0
        """That runs took, starts included."""

    async def run(self, job: Job) -> Ended:
        """See `Route.run`. Raises FatalError where vLLM does not run, with what its log says."""
        results = _beside(job.entry.path, "results")
        if job.spool is None:
            return Ended(results.open("rb") if results.exists() else None)
        job.entry.note({"results": results.name})
        job.show("waiting for its turn")
        async with self._alone():
            await to_thread(_write, _beside(job.entry.path, "requests"), job.spool.open())
            await self._run(job)
        return Ended(results.open("rb"), partial(TransientError, "vLLM gave no result for it"))

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        while not self._turn.acquire(blocking=False):  # noqa: ASYNC110 - threads hold it, too
            await sleep(LOOKS_EVERY_S)
        try:
            yield
        finally:
            self._turn.release()

    async def _run(self, job: Job) -> None:
        """One run of vLLM; the results are there when it returns."""
        requests, unfinished, log, results = (_beside(job.entry.path, kind) for kind in KINDS)
        command, variables = self._command()
        files = ("--input-file", str(requests), "--output-file", str(unfinished))
        begun = time.monotonic()
        child = Child((*command, *files), outside(variables), log)
        try:
            while (status := child.status()) is None:
                job.show(_progress(log, time.monotonic() - begun))
                await sleep(LOOKS_EVERY_S)
        finally:
            await to_thread(child.stop)
        if status or not await to_thread(_any_answer, unfinished):
            log = log.rename(_beside(job.entry.path, FAILED))
            raise FatalError(f"vLLM ran no batch (status {status}): {in_words(log)}")
        unfinished.rename(results)
        for useless in (requests, log):
            useless.unlink()
        self.jobs += 1
        self.seconds += time.monotonic() - begun


def tidy(folder: Path) -> None:
    """Removes the files of jobs that the journal in `folder` no longer knows, and old logs."""
    for kind in KINDS:
        for file in folder.glob(f"*.{kind}"):
            if not file.with_suffix(".jsonl").exists():
                file.unlink(missing_ok=True)
    oldest = time.time() - FAILED_KEPT_S
    for file in folder.glob(f"*.{FAILED}"):
        with suppress(FileNotFoundError):  # another process tidies, too
            if file.stat().st_mtime < oldest:
                file.unlink()


def _beside(entry: Path, kind: str) -> Path:
    return entry.with_suffix(f".{kind}")


def _write(requests: Path, lines: BinaryIO) -> None:
    with lines, requests.open("wb") as file:
        shutil.copyfileobj(lines, file)


def _any_answer(results: Path) -> bool:
    """Whether any request was answered: an engine that dies fails all that are left."""
    with suppress(FileNotFoundError), results.open("rb") as lines:
        for line in lines:
            response = orjson.loads(line).get("response") or {}
            if response.get("status_code", 500) < 500:
                return True
    return False


def _progress(log: Path, seconds: float) -> str:
    """How far a run is, from the last bar in its log."""
    bars = PROGRESS.findall(read_end(log))
    if not bars:
        return f"vLLM starts, {seconds:.0f} s, log: {log}"
    done, total = map(int, bars[-1])
    return f"{done:,}/{total:,}"
