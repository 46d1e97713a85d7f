"""The drain: when a run is stopped, nothing more is sent, and what is under way is waited for.

Its replies are paid whether anybody waits for them or not; each is kept the moment it comes.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from pipelines.backend import Backend
from pipelines.calls.meter import Meter

T = TypeVar("T")

LONGEST_DRAIN_S = 25.0
"""Schedulers kill 30 seconds after they asked a process to stop (Kubernetes, Prefect)."""
STOPPING = "stopping once replies under way are in (Ctrl-C: at once)"
"""The step of the meter meanwhile."""


class Drain:
    """What is under way at all endpoints, as far as it is paid. For one event loop.

    Jobs are not waited for: they may take hours, and their provider keeps what they answered.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._under_way = 0
        self._is_closed = False
        self._empty = asyncio.Event()

    async def enter(self, backend: Backend) -> None:
        """Counts a request that is about to be sent. Once the run is stopped, it never returns."""
        if self._is_closed:
            await asyncio.get_running_loop().create_future()
        self._under_way += is_paid(backend)

    def leave(self, backend: Backend) -> None:
        """A request that was sent has ended."""
        self._under_way -= is_paid(backend)
        if self._is_closed and not self._under_way:
            self._empty.set()

    async def close(self) -> None:
        """Lets nothing in any more, and waits for what is under way: `LONGEST_DRAIN_S` at most."""
        self._is_closed = True
        if self._under_way:
            self._meter.step = STOPPING
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_DRAIN_S):
                    await self._empty.wait()

    async def stoppable(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of `work`, which goes on until the drain is empty where it is cancelled."""
        running = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            await self.close()
            raise
        finally:
            if not running.done():
                running.cancel()
                await asyncio.wait([running])


def is_paid(backend: Backend) -> bool:
    """Whether a request that was sent is paid, and lost where nobody waits for its reply."""
    return backend.billed and not backend.in_jobs
