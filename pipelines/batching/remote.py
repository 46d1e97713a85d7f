"""The route through a provider: upload, create, poll, download.

    collected ── upload ──> file_id noted ── create ──> batch_id noted ── poll ──> results
        a stop:  nothing paid        is it listed? ─ yes ─┘          go on polling

A batch is created from a file that is noted before, and no two batches have the same one. So a stop
between creating a batch and noting its id is mended by looking through the list for that file.
"""

import asyncio
import math
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import BinaryIO, ClassVar, TypeVar, cast

from pipelines.batching.ended import Ended
from pipelines.batching.job import Job
from pipelines.batching.journal import Entry
from pipelines.batching.provider import Batch, Provider
from pipelines.errors import BackendError, FatalError, RequestRefused, TransientError

TRIES = 6
"""Attempts to upload a file, to create a batch, or to find a file of results that is not there.
Looks at a batch that is under way have no end."""
GROWTH = 1.5
LONGEST_PAUSE = 20
"""Times the first pause."""
CLOCK_SKEW_S = 86_400.0
"""How much the provider's clock may differ, in seconds."""
RESULTS_S = 30 * 86_400.0
"""How long providers keep a batch and its results, in seconds."""
TOO_MUCH = "token_limit_exceeded"
"""The error of a batch that would exceed the tokens an account may have enqueued."""

T = TypeVar("T")


class NotVisibleError(FatalError):
    """A batch that was created is not there, as for the key of another project."""


class Remote:
    """Runs jobs at a provider."""

    goes_on: ClassVar[bool] = True

    def __init__(self, provider: Provider, window: str, pause_s: float) -> None:
        """`window` is how long a batch may take; `pause_s` the first pause between two looks."""
        self._provider, self._window, self._pause_s = provider, window, pause_s

    async def run(self, job: Job) -> Ended:
        """See `Route.run`."""
        if job.spool is not None:
            batch: Batch | None = await self._submitted(job)
        else:
            job.show("looking for it")
            batch = await self.find(job.entry)
        if batch is None:
            return Ended()
        is_past = job.spool is None and batch.is_ending
        batch = await self._watched(job, batch)
        if batch.status == "failed" and not is_past:
            return self._failed(batch)
        results = await self._downloaded(job, batch)
        # what ended before this run, whoever ended it: what it lacks is asked anew at once
        return Ended(results) if is_past else Ended(results, partial(_without_result, batch))

    async def _submitted(self, job: Job) -> Batch:
        """Uploads and creates. Each step is noted before the next."""
        assert job.spool is not None
        job.show(f"uploading {len(job.entry.ids):,} requests")
        name, lines = f"{job.entry.name}.jsonl", job.spool.open
        file_id = await self._patiently(lambda: self._provider.upload(name, lines()), TRIES)
        job.entry.note({"file_id": file_id})
        batch = await self._created(job, file_id)
        job.entry.note({"batch_id": batch.id})
        return batch

    async def _created(self, job: Job, file_id: str) -> Batch:
        """The batch of a file, created once, even where the answer to that was lost."""
        for attempt in count(1):
            try:
                return await self._provider.create(file_id, self._window, job.entry.name)
            except RequestRefused as error:
                raise FatalError(str(error)) from error
            except TransientError as error:
                failure = error
            await asyncio.sleep(max(failure.retry_after or 0.0, self._pause(attempt)))
            if found := await self._listed(file_id, job.entry.made.timestamp()):
                return found
            if attempt == TRIES:
                raise failure
        raise AssertionError("counting has no end")

    async def find(self, entry: Entry, tries: float = math.inf) -> Batch | None:
        """The batch of a job that another process sent; None: there is none, or none any more.

        Raises BackendError; NotVisibleError where there must be one, and this key does not see it.
        """
        if batch_id := entry.facts.get("batch_id"):
            known = await self._patiently(lambda: self._provider.retrieve(batch_id), tries)
            if known is None and time.time() - entry.made.timestamp() < RESULTS_S:
                raise NotVisibleError(
                    f"batch {batch_id} is not visible to this key. Use a key of the project that "
                    f"sent it; to have its requests asked and paid again, delete {entry.path}"
                )
            return known
        file_id, made, young_s = entry.facts["file_id"], entry.made.timestamp(), entry.age_s
        found = await self._listed(file_id, made, tries)
        if found is None and young_s < 2 * self._pause_s:  # its creation may be under way there
            await asyncio.sleep(2 * self._pause_s - young_s)
            found = await self._listed(file_id, made, tries)
        if found is not None:
            entry.note({"batch_id": found.id})
        return found

    async def _listed(self, file_id: str, made: float, tries: float = math.inf) -> Batch | None:
        """The batch that was created from a file at `made` (Unix time) or later, if any."""

        async def search() -> Batch | None:
            async for batch in self._provider.batches():
                if batch.input_file_id == file_id:
                    return batch
                if 0 < batch.created_at < made - CLOCK_SKEW_S:
                    break
            return None

        return await self._patiently(search, tries)

    async def _watched(self, job: Job, batch: Batch) -> Batch:
        """The batch when it is over."""
        for look in count(1):
            job.show(batch.state)
            if batch.is_over:
                break
            await asyncio.sleep(self._pause(look))
            seen = await self._patiently(partial(self._provider.retrieve, batch.id))
            if seen is None:
                raise TransientError(f"batch {batch.id} is gone")
            batch = seen
        with suppress(BackendError):  # nobody needs any more what it was made from
            await self._provider.delete(batch.input_file_id)
        return batch

    def _failed(self, batch: Batch) -> Ended:
        """What becomes of a job that the provider did not accept."""
        if any(code == TOO_MUCH for code, _ in batch.errors):
            return Ended(too_large=True)
        said = "; ".join(f"{code}: {message}" for code, message in batch.errors[:3])
        if said:
            return Ended(rest=partial(FatalError, f"batch {batch.id} was not accepted: {said}"))
        silent = f"batch {batch.id} failed, and its provider does not say why"
        return Ended(rest=partial(TransientError, silent))

    async def _downloaded(self, job: Job, batch: Batch) -> BinaryIO:
        """The result lines: of what was answered, then of what failed."""
        job.show("downloading")
        folder = job.entry.path.parent
        results = cast("BinaryIO", tempfile.TemporaryFile(dir=folder))  # noqa: SIM115 - returned
        try:
            for file_id in batch.files:
                await self._fetched(file_id, results)
                results.write(b"\n")
        except BaseException:
            results.close()
            raise
        return results

    async def _fetched(self, file_id: str, results: BinaryIO) -> None:
        """Appends a file, unless it is gone for good: what is in it would be paid again."""
        for attempt in range(1, TRIES + 1):
            if await self._patiently(partial(self._provider.download, file_id, results)):
                return
            if attempt < TRIES:
                await asyncio.sleep(self._pause(attempt))

    async def _patiently(self, call: Callable[[], Awaitable[T]], tries: float = math.inf) -> T:
        """What `call` gives, however often it takes. Raises BackendError."""
        for attempt in count(1):
            try:
                return await call()
            except RequestRefused as error:
                raise FatalError(str(error)) from error
            except TransientError as error:
                if attempt >= tries:
                    raise
                await asyncio.sleep(max(error.retry_after or 0.0, self._pause(attempt)))
        raise AssertionError("counting has no end")

    def _pause(self, number: int) -> float:
        """Seconds before look or attempt `number`, from 1: half as long again each time."""
        return self._pause_s * min(LONGEST_PAUSE, GROWTH ** min(number - 1, 64))


def _without_result(batch: Batch) -> BackendError:
    """What a request meets that a batch which is over has no result for."""
    if batch.status == "cancelled":  # whoever did that does not want it sent again at once
        asked = math.inf
        message = f"batch {batch.id} was cancelled; the next build asks anew"
        return TransientError(message, retry_after=asked)
    return TransientError(f"batch {batch.id} ({batch.status}) has no result for this request")
