"""Thrift: of a budget whose end is published, only so many units begin as it can finish.

Units that are half done when it ends are paid, and give no pair. The first one begins alone, and
where one fails another one more may be under way, so that nobody waits for the end of an outage one
unit at a time. Once a unit has been paid, a further one begins while what is left is enough for it and
for those under way: at the mean of those that were paid whole, or at the dearest of those of which
earlier runs had paid a part while there are no others.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pipelines.calls.budget import BOUNDS, SHARE, Cost, Purse, Share


class Thrift:
    """Lets units begin. Without `wanted` it lets all."""

    def __init__(self, purse: Purse, *, wanted: bool) -> None:
        self._purse = purse
        self._wanted = wanted and purse.is_bounded and purse.budget.on_limit == "publish"
        self._open: list[Share] = []
        self._whole, self._ended = Cost(), 0
        self._rest = Cost()  # the dearest rest of a unit that earlier runs had begun to pay
        self._unknown = 1  # units that may be under way while nobody knows what one takes
        self._change = asyncio.Condition()

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[None]:
        """Begins a unit once it may, and ends it."""
        if not self._wanted:
            yield
            return
        share = Share()
        async with self._change:
            await self._change.wait_for(self._may_begin)
            self._open.append(share)
        token = SHARE.set(share)
        try:
            yield
            self._learn(share)
        except Exception:
            self._unknown += not self._purse.reached
            raise
        finally:
            SHARE.reset(token)
            self._open.remove(share)
            async with self._change:
                self._change.notify_all()

    def _learn(self, share: Share) -> None:
        """Takes in what a unit took. One that was paid earlier tells nothing of the others."""
        if share.spent.calls and not share.resumed:
            self._whole += share.spent
            self._ended += 1
        elif share.spent.calls:
            self._rest = self._rest.or_more(share.spent)

    def _may_begin(self) -> bool:
        if not (self._ended or self._rest.calls):
            return len(self._open) < self._unknown
        if not self._open:
            return True
        spent = self._purse.spent
        under_way = sum((share.spent for share in self._open), Cost())
        for name in BOUNDS:
            if (limit := getattr(self._purse.budget, name)) is not None:
                whole, rest = getattr(self._whole, name), getattr(self._rest, name)
                each = whole / self._ended if self._ended else rest
                needed = each * (len(self._open) + 1) - getattr(under_way, name)
                if needed > limit - getattr(spent, name):
                    return False
        return True
