"""The window of one endpoint: how many requests may be in flight at once, and how fast they start.

The limit follows AIMD (additive increase, multiplicative decrease; Chiu and Jain 1989), as TCP's
congestion window does: it finds what the endpoint bears, wherever the recipe sets the maximum.
"""

import asyncio
from collections import deque

SHRINK = 0.7
"""Factor on the limit when the endpoint says that it is overloaded."""


class Window:
    """Slots for requests in flight, first come first served."""

    def __init__(self, maximum: int) -> None:
        self.maximum = maximum
        self.limit = float(maximum)
        """Requests that may be in flight, in [1, maximum]; its integer part counts."""
        self.taken = 0
        self.generation = 0
        """How often the limit was shrunk."""
        self._waiting: deque[asyncio.Future[None]] = deque()  # empty while a slot is free

    async def acquire(self) -> None:
        """Takes a slot, and waits for it in turn. A cancelled waiter leaves no trace."""
        if self._is_free():
            self.taken += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the slot was given in the same tick
                self.release()
            raise

    def is_wanted(self) -> bool:
        """Whether somebody waits for a slot."""
        return bool(self._waiting)

    def release(self) -> None:
        """Gives a slot back, to the one who waits longest."""
        self.taken -= 1
        self._admit()

    def grow(self) -> None:
        """A request succeeded: the limit grows by one for each `limit` successes."""
        self.limit = min(self.maximum, self.limit + 1 / self.limit)
        self._admit()

    def shrink(self, generation: int) -> None:
        """A request that was started in `generation` met an overload.

        Requests that were in flight together report one overload together: only the first counts.
        """
        if generation == self.generation:
            self.limit = max(1.0, self.limit * SHRINK)
            self.generation += 1

    def _is_free(self) -> bool:
        return self.taken + 1 <= self.limit

    def _admit(self) -> None:
        while self._waiting and self._is_free():
            turn = self._waiting.popleft()
            if not turn.done():  # a cancelled one is
                self.taken += 1
                turn.set_result(None)


class Pace:
    """Starts of requests, spaced evenly."""

    def __init__(self, per_minute: int | None) -> None:
        self._interval = 60 / per_minute if per_minute else 0.0
        self._next = 0.0

    async def wait(self) -> None:
        """Returns when the next request may start."""
        if not self._interval:
            return
        now = asyncio.get_running_loop().time()
        start = max(now, self._next)
        self._next = start + self._interval
        if start > now:
            await asyncio.sleep(start - now)
