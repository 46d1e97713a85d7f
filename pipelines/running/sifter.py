"""The sifter: early filters for the responses of many units at once.

A filter is a Polars expression, and starting Polars costs more than a unit's few rows. So the units
that come to it in one turn of the event loop are sifted together; a filter looks at one row at a
time, so the company that a row is in changes nothing.
"""

import asyncio
from collections import defaultdict
from itertools import chain

from pipelines.selection.steps import Sieve
from pipelines.staging.evidence import responses_frame
from schemas.rows import Drop, Response

Sifted = tuple[list[Response], list[Drop]]
"""The responses that are kept, in their order, and why the others are not."""


class Sifter:
    """Applies the filters on responses that need no judgment. For one event loop at a time."""

    def __init__(self, filters: Sieve) -> None:
        self._filters = filters
        self._waiting: list[tuple[list[Response], asyncio.Future[Sifted]]] = []

    async def sift(self, responses: list[Response]) -> Sifted:
        """What the filters keep of a unit's responses before any judge is asked."""
        if not self._filters.flags or not responses:
            return responses, []
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._sift)
        turn: asyncio.Future[Sifted] = loop.create_future()
        self._waiting.append((responses, turn))
        return await turn

    def _sift(self) -> None:
        waiting, self._waiting = self._waiting, []
        waiting = [(responses, turn) for responses, turn in waiting if not turn.done()]
        try:
            together = self._together([responses for responses, _ in waiting])
        except Exception as error:  # noqa: BLE001 - each unit that waits raises it
            for _, turn in waiting:
                turn.set_exception(error)
            return
        for (_, turn), sifted in zip(waiting, together, strict=True):
            turn.set_result(sifted)

    def _together(self, units: list[list[Response]]) -> list[Sifted]:
        rows = responses_frame(list(chain.from_iterable(units)), self._filters.columns)
        kept, dropped = self._filters.sift(rows)
        if not dropped.height:
            return [(responses, []) for responses in units]
        ids, drops = set(kept["response_id"]), defaultdict(list)
        for row in dropped.iter_rows(named=True):
            drops[row["prompt_id"]].append(Drop(**row))
        return [
            (
                [response for response in responses if response.response_id in ids],
                drops[responses[0].prompt_id],
            )
            for responses in units
        ]
