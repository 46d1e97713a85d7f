"""The collector: requests that come together make a job, and each waits for its own result.

    result(id) ── known to the journal? ── yes: the job that an earlier process left ─┐
                          └ no: a line of the job that is being collected             │
                                      │ full, or nobody came for `quiet_s`            │
                                      └───────────────> route.run ──────────────> result lines

A stage needs no name here. Judges are asked only when the answers are there, so while samples are
drawn no request of theirs comes, the collector falls quiet, and the job is sent.
"""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

from pipelines.batching.ended import Ended
from pipelines.batching.job import Job
from pipelines.batching.journal import Entry, Journal
from pipelines.batching.route import Route
from pipelines.batching.spool import Spool
from pipelines.calls.meter import Meter
from pipelines.errors import BackendError, FatalError, TransientError

TOO_FEW = Ended()
"""What became of a job that was not worth sending."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a job is sent."""

    requests: int
    """Most lines of a job."""
    size: int
    """Most bytes of its file."""
    quiet_s: float
    """It is sent when no request has come for so long, in seconds."""
    fewest: int = 1
    """Fewer lines make no job."""


class Collector:
    """The jobs of one model, for one event loop."""

    def __init__(self, route: Route, journal: Journal, bounds: Bounds, meter: Meter) -> None:
        """Takes up what the journal holds. Raises StoreError where it cannot be read."""
        self._route, self._journal, self._bounds, self._meter = route, journal, bounds, meter
        self._most_bytes = bounds.size
        self._alone: asyncio.Lock | None = None  # there once no two jobs are to run at a time
        self._collecting: Job | None = None
        self._latest = 0.0  # when a request came, in the event loop's time
        self._timer: asyncio.TimerHandle | None = None
        self._running: dict[Job, asyncio.Task[None]] = {}
        self._jobs: dict[str, Job] = {}  # by custom_id: the newest of each
        self._open: set[Job] = set()  # those that somebody may still need
        for entry in journal.entries():
            job = self._job(entry, None)
            for custom_id in list(entry.left):
                self.done(custom_id)
                self._jobs[custom_id] = job

    async def result(self, custom_id: str, line: Callable[[], bytes]) -> bytes | None:
        """The result line of a request, which `line` makes where it is still to be asked.

        None: too few came together for a job. Raises what a route raises, and StoreError.
        """
        while True:
            job = self._jobs.get(custom_id) or self._collect(custom_id, line())
            if job.ended is None and job is not self._collecting:
                self._start(job)
            found = await job.result(custom_id)
            if found is not None:
                return found
            if self._jobs.get(custom_id) is job:
                self.done(custom_id)
            if job.ended is TOO_FEW:
                return None
            if job.ended is not None and job.ended.rest is not None:
                raise job.ended.rest()

    def done(self, custom_id: str) -> None:
        """Nobody needs this result any more: who asks for it again has it asked anew."""
        job = self._jobs.pop(custom_id, None)
        if job is not None:
            job.done(custom_id)
            if not job.entry.left:
                self._open.discard(job)

    async def close(self) -> None:
        """Leaves the jobs under way to the next run; what was only collected is forgotten."""
        if self._timer is not None:
            self._timer.cancel()
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await asyncio.sleep(0)  # what is done is written first
        for job in self._open:
            job.close()

    def _job(self, entry: Entry, spool: Spool | None) -> Job:
        def show(state: str) -> None:
            self._meter.jobs[entry.name] = state

        job = Job(entry, spool, show)
        self._open.add(job)
        return job

    def _collect(self, custom_id: str, line: bytes) -> Job:
        """The job that is being collected, with one more line."""
        job = self._collecting
        if job is not None and job.size + len(line) > self._most_bytes:
            self._send()
            job = None
        if job is None:
            job = self._collecting = self._job(self._journal.new(), Spool(self._journal.folder))
        job.add(custom_id, line)
        self._jobs[custom_id] = job
        loop = asyncio.get_running_loop()
        self._latest = loop.time()
        if len(job.entry.ids) == self._bounds.requests:
            self._send()
        elif self._timer is None:
            self._timer = loop.call_later(self._bounds.quiet_s, self._look)
        return job

    def _look(self) -> None:
        """Sends the job if nobody came for a while; else looks again when that may be."""
        loop, self._timer = asyncio.get_running_loop(), None
        quiet = self._latest + self._bounds.quiet_s
        if loop.time() >= quiet:
            self._send()
        else:
            self._timer = loop.call_at(quiet, self._look)

    def _send(self) -> None:
        job, self._collecting = self._collecting, None
        if job is not None:
            self._start(job)

    def _start(self, job: Job) -> None:
        if job not in self._running:
            task = self._running[job] = asyncio.create_task(self._run(job))
            task.add_done_callback(partial(self._stopped, job))

    async def _run(self, job: Job) -> None:
        if job.spool is not None and len(job.entry.ids) < self._bounds.fewest:
            ended = TOO_FEW
        else:
            async with self._alone or nullcontext():
                ended = await self._ended(job)
        await job.end(ended)

    async def _ended(self, job: Job) -> Ended:
        try:
            ended = await self._route.run(job)
        except BackendError as error:
            if self._route.goes_on and job.entry.facts:
                raise  # it may be under way or over there: to forget it would be to pay it again
            return Ended(rest=partial(_same, error))
        if not ended.too_large or job.spool is None:
            return ended
        if len(job.entry.ids) == 1:
            return Ended(rest=partial(TransientError, "not even one request fits the limit"))
        self._alone = self._alone or asyncio.Lock()
        self._most_bytes = min(self._most_bytes, job.size // 2)
        return Ended()

    def _stopped(self, job: Job, task: "asyncio.Task[None]") -> None:
        del self._running[job]
        if not (task.cancelled() and self._route.goes_on and job.entry.facts):
            self._meter.jobs.pop(job.entry.name, None)
        if not task.cancelled():
            error = task.exception()
            if isinstance(error, BackendError):
                job.break_off(partial(_same, error))
            elif error is not None:
                job.fail(error)


def _same(error: BackendError) -> BackendError:
    """An error of its own for each caller: one that is raised twice gathers their traces."""
    if isinstance(error, TransientError):
        again, wait, unsent = type(error), error.retry_after, error.unsent
        return again(str(error), retry_after=wait, unsent=unsent)
    return FatalError(str(error))
