"""The dispatcher: every request goes through it, one attempt at a time.

    slot of the endpoint's window -> budget -> pace -> one attempt ──> reply
         ^                                                │ TransientError: the slot is freed
         └──────── full jitter, Retry-After <─────────────┘

A reply leaves its slot and is kept at once; its caller goes on together with others (`tray.py`).
Where a run is stopped, replies under way are waited for (`drain.py`).

Nothing here decides content: only when a request is sent, and how often.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from pipelines.backend import Backend, Reply, Request
from pipelines.calls.budget import Budget, BudgetReached, Cost, Purse, actual, worst_case
from pipelines.calls.drain import Drain, is_paid
from pipelines.calls.meter import Meter
from pipelines.calls.tray import Tray
from pipelines.calls.window import Pace, Window
from pipelines.errors import BackendError, FatalError, TransientError

Keep = Callable[[Reply], None]
"""Stores a reply."""

UNBOUNDED = Budget()
ONE_CALL = Cost(calls=1)

LONGEST_RETRY_AFTER_S = 600.0
"""A server that asks for a longer pause is not waited for: the call is owed at once."""


class Endpoint:
    """What the models at one address share."""

    def __init__(self, models: list[Backend]) -> None:
        paces = [model.requests_per_minute for model in models if model.requests_per_minute]
        self.window = Window(min(model.window for model in models))
        self.tray = Tray(self.window.is_wanted)
        self.pace = Pace(min(paces, default=None))
        self.fatal: FatalError | None = None

    def check(self) -> None:
        """Raises FatalError if the endpoint raised one: it is sent nothing more."""
        if self.fatal is not None:
            raise FatalError(str(self.fatal)) from self.fatal


class Dispatcher:
    """Sends the requests of a build. As a context manager it closes the models that it opened.

    A model is opened before its first call, and all of them before the first call that may be paid:
    a missing key stops whoever has something to pay while nothing is paid, and nobody else.
    `folder`, the ledger's, is for what a model must keep through a stop.
    Before a further attempt it waits up to `backoff_s` seconds, doubled with each attempt up to
    `longest_backoff_s`.
    """

    def __init__(
        self,
        models: Mapping[str, Backend],
        meter: Meter,
        budget: Budget = UNBOUNDED,
        folder: Path | None = None,
        *,
        backoff_s: float = 0.5,
        longest_backoff_s: float = 60.0,
    ) -> None:
        self._meter = meter
        self._folder = folder
        self.purse = Purse(budget, meter)
        self.drain = Drain(meter)
        self._backoff_s = backoff_s
        self._longest_backoff_s = longest_backoff_s
        self._closed = {id(model): model for model in models.values()}
        self._opening, self._opened = asyncio.Lock(), AsyncExitStack()
        sharing: dict[str, list[Backend]] = {}
        for model in models.values():
            sharing.setdefault(model.endpoint(), []).append(model)
        self._endpoints = {address: Endpoint(shared) for address, shared in sharing.items()}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._opened.__aexit__(kind, error, traceback)

    async def call(self, backend: Backend, request: Request, keep: Keep | None = None) -> Reply:
        """The reply to `request`, after at most `backend.max_tries` attempts.

        `keep` is given it as soon as it is there: what stops the caller from then on loses nothing.
        Raises RequestRefused at once; TransientError after the last attempt, or when the server
        asks for a pause of more than `LONGEST_RETRY_AFTER_S`; FatalError at once, and from then on
        for every call to the same endpoint. Before, what `Backend.open` raises.
        """
        if id(backend) in self._closed:
            await self._open(backend)
        endpoint = self._endpoints[backend.endpoint()]
        attempt = 0
        while True:
            try:
                reply = await self._attempt(endpoint, backend, request, attempt)
                break
            except BudgetReached:
                raise
            except TransientError as error:
                attempt += 1
                asked = error.retry_after or 0.0
                if attempt >= backend.max_tries or asked > LONGEST_RETRY_AFTER_S:
                    raise
            await self.purse.in_time(asyncio.sleep(asked + self._jitter(attempt)))
        if keep is not None:
            keep(reply)
        await endpoint.tray.turn()
        return reply

    async def _open(self, backend: Backend) -> None:
        """Opens a model that is about to be called; if that may be paid, all that are closed."""
        async with self._opening:
            closed = self._closed.items()
            wanted = {key: model for key, model in closed if model is backend or backend.billed}
            async with AsyncExitStack() as opened:  # closes them again if one cannot be opened
                for model in wanted.values():
                    if self._folder is not None:
                        model.equip(self._folder, self._meter)
                    await model.open()
                    opened.push_async_callback(model.close)
                self._opened.push_async_exit(opened.pop_all())
            for key in wanted:
                del self._closed[key]

    async def _attempt(
        self, endpoint: Endpoint, backend: Backend, request: Request, attempt: int
    ) -> Reply:
        endpoint.check()
        await endpoint.window.acquire()
        try:
            return await self._pay(endpoint, backend, request, attempt)
        finally:
            endpoint.window.release()

    async def _pay(
        self, endpoint: Endpoint, backend: Backend, request: Request, attempt: int
    ) -> Reply:
        """One attempt within the budget; one that broke off may have been billed in full."""
        worst = worst_case(backend, request) if self.purse.is_bounded else ONE_CALL
        await self.purse.reserve(worst)
        took = Cost()
        try:
            # after the budget: a call that is not made waits for no start
            await self.purse.in_time(endpoint.pace.wait())
            endpoint.check()
            await self.drain.enter(backend)
            self._meter.retries += attempt > 0
            took = worst
            try:
                reply = await self._send(endpoint, backend, request)
            finally:
                self.drain.leave(backend)
            took = actual(backend, reply.usage, worst)
            return reply
        except BackendError as error:
            passing = error if isinstance(error, TransientError) else None
            if passing and passing.unsent:
                took = Cost()
            elif took.calls and not (passing and passing.broke_off):
                took = Cost(calls=1)
            raise
        finally:
            self.purse.settle(worst, took)

    async def _send(self, endpoint: Endpoint, backend: Backend, request: Request) -> Reply:
        window = endpoint.window
        generation = window.generation
        self._meter.in_flight += 1
        try:
            async with asyncio.timeout(backend.timeout_s):
                reply = await backend.complete(request)
        except asyncio.CancelledError:
            self._meter.abandoned += is_paid(backend)
            raise
        except TimeoutError as error:
            late = f"{backend.model} at {backend.endpoint()}: no reply within {backend.timeout_s:g} s (timeout_s)"
            raise TransientError(late, broke_off=True) from error
        except TransientError as error:
            if error.overload:
                window.shrink(generation)
            raise
        except FatalError as error:
            endpoint.fatal = endpoint.fatal or error
            raise
        finally:
            self._meter.in_flight -= 1
        window.grow()
        return reply

    def _jitter(self, attempt: int) -> float:
        """Seconds to wait after failed attempt number `attempt`, from 1.

        Full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS 2015): uniform(0, min(cap,
        base * 2**attempt)). It comes on top of the pause that a server asks for, so that the
        calls that were all told the same do not come back at the same moment.
        """
        bound = min(self._longest_backoff_s, self._backoff_s * 2.0 ** min(attempt, 64))
        return random.uniform(0, bound)  # noqa: S311 - it decides when, never what
