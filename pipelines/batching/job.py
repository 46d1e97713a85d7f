"""A job: lines that run together, and the callers who wait for their results."""

import asyncio
from collections.abc import Callable
from typing import BinaryIO

from pipelines.batching.ended import Ended
from pipelines.batching.journal import Entry
from pipelines.batching.results import Results
from pipelines.batching.spool import Spool

ANSWERED_AT_ONCE = 256
"""Callers that are answered before anything else may run: Ctrl-C, or a look at another job."""


class Job:
    """One job, while it is collected, runs, and is handed out."""

    def __init__(self, entry: Entry, spool: Spool | None, show: Callable[[str], None]) -> None:
        self.entry = entry
        """What is on disk of it: its lines' custom_ids, and how far it got."""
        self.spool = spool
        """The lines of a job that this process collected; None for one of an earlier process, or one
        that broke off."""
        self.show = show
        """Tells whoever looks what state it is in."""
        self.ended: Ended | None = None
        self._results: Results | None = None
        self._waiting: list[tuple[str, asyncio.Future[bytes | None]]] = []
        self._done: list[str] = []

    @property
    def size(self) -> int:
        """Bytes of its lines; 0 where an earlier process had them."""
        return 0 if self.spool is None else self.spool.size

    def add(self, custom_id: str, line: bytes) -> None:
        """Takes in a line, while it is collected."""
        assert self.spool is not None
        self.spool.add(line)
        self.entry.add(custom_id)

    async def result(self, custom_id: str) -> bytes | None:
        """The result line of a request, once the job has ended; None: it has none."""
        if self.ended is not None:
            return self._found(custom_id)
        answer: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((custom_id, answer))
        return await answer

    async def end(self, ended: Ended) -> None:
        """Answers all who wait."""
        if self.spool is not None:
            self.spool.close()
        if ended.lines is not None:
            self._results = await _indexed(ended.lines)
        self.ended = ended
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), ANSWERED_AT_ONCE):
            for custom_id, answer in waiting[start : start + ANSWERED_AT_ONCE]:
                if not answer.done():
                    answer.set_result(self._found(custom_id))
            await asyncio.sleep(0)

    def fail(self, error: BaseException) -> None:
        """Gives `error` to all who wait."""
        for _, answer in self._waiting:
            if not answer.done():
                answer.set_exception(error)

    def break_off(self, error: Callable[[], BaseException]) -> None:
        """Gives an `error` to each who waits. It has not ended: who comes next finds it again."""
        if self.spool is not None:
            self.spool.close()
            self.spool = None  # from now on like one of an earlier process
        waiting, self._waiting = self._waiting, []
        for _, answer in waiting:
            if not answer.done():
                answer.set_exception(error())

    def done(self, custom_id: str) -> None:
        """Nobody needs this result any more; `write` notes it."""
        if not self._done:
            asyncio.get_running_loop().call_soon(self.write)
        self._done.append(custom_id)
        self.entry.left.discard(custom_id)

    def write(self) -> None:
        """Notes what is done: one line for all of a tick of the event loop."""
        done, self._done = self._done, []
        if done:
            self.entry.done(done)
        if not self.entry.left:
            self.close()

    def close(self) -> None:
        """Lets its files go."""
        if self.spool is not None:
            self.spool.close()
        if self._results is not None:
            self._results.close()

    def _found(self, custom_id: str) -> bytes | None:
        return None if self._results is None else self._results.get(custom_id)


async def _indexed(lines: BinaryIO) -> Results:
    try:
        return await asyncio.to_thread(Results, lines)
    except BaseException:
        lines.close()
        raise
