"""The tray: where replies that were kept lie until they are worked on, many together.

To make the next requests of a reply takes twice the CPU where it wakes a core that slept and finds
its caches cold (docs/performance.md). While others wait for a slot there is no hurry: the reply has
left its slot to one of them, so the window stays full.
"""

import asyncio
from collections.abc import Callable

LONGEST_WAIT_S = 0.05
"""How long a reply may lie in the tray. Some replies that came together are enough to gain."""


class Tray:
    """Replies of one endpoint that wait for others. For one event loop."""

    def __init__(self, in_no_hurry: Callable[[], bool]) -> None:
        """`in_no_hurry`: whether enough else is to be sent while replies lie here."""
        self._in_no_hurry = in_no_hurry
        self._lying: list[asyncio.Future[None]] = []

    async def turn(self) -> None:
        """Returns when a reply is to be worked on: at once where there is a hurry."""
        if not self._in_no_hurry():
            self.clear()
            return
        loop = asyncio.get_running_loop()
        if not self._lying:
            loop.call_later(LONGEST_WAIT_S, self.clear)
        turn = loop.create_future()
        self._lying.append(turn)
        await turn

    def clear(self) -> None:
        """Lets all that lie here be worked on, in the order in which they came."""
        lying, self._lying = self._lying, []
        for turn in lying:
            if not turn.done():  # a cancelled one is
                turn.set_result(None)
