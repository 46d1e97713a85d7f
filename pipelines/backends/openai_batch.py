"""OpenAI's Batch API, and others that speak it: the same answers, hours later, at half the price.

    [models.policy]
    kind = "openai_batch"
    base_url = "https://api.openai.com/v1"
    model = "gpt-5-mini"

Requests are collected into jobs (`pipelines.batching`). A sample has the same key in the ledger by
either route, so what one has bought the other does not buy again, and the same recipe by either
makes the same dataset. `docs/batch.md` tells what a stop costs: nothing.
"""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import Field, PrivateAttr

from pipelines.backend import Reply, Request
from pipelines.backends.openai_api import OpenaiApi
from pipelines.batching.collect import Bounds, Collector
from pipelines.batching.journal import Entry, Journal
from pipelines.batching.lines import make_custom_id, read_line, request_line
from pipelines.batching.provider import Provider
from pipelines.batching.remote import TRIES, NotVisibleError, Remote
from pipelines.calls.meter import Meter
from pipelines.errors import BackendError, TransientError
from pipelines.part import Real, Runtime
from pipelines.wire.body import request_body
from pipelines.wire.score import scored_text
from pipelines.wire.secrets import LONGEST_MESSAGE

MOST_REQUESTS = 50_000
MOST_BYTES = 200 * 10**6
"""What OpenAI takes in one file."""
ONLINE_S = 600.0
"""Longest wait for the reply to a call that makes no job."""


class OpenaiBatch(OpenaiApi):
    """One model behind endpoints that take files of requests and run them as batch jobs."""

    in_jobs: ClassVar[bool] = True

    window: Annotated[int, Runtime] = Field(default=20_000, ge=1)
    """Most requests that wait at once at this endpoint, so also the most of one job. A prompt that
    waits takes about 12 KiB of memory, and one whose four answers are judged about 50 KiB."""
    timeout_s: Annotated[Real, Runtime] = Field(default=90_000.0, gt=0)
    """Longest wait for one result, in seconds: a day, and an hour."""
    collect_s: Annotated[Real, Runtime] = Field(default=10.0, gt=0)
    """A job is sent when no further request has come for so long, in seconds."""
    job_requests: Annotated[int, Runtime] = Field(default=MOST_REQUESTS, ge=1)
    """Most requests of one job; OpenAI takes up to 50,000, and 200 MB."""
    completion_window: Annotated[str, Runtime] = "24h"
    """How long the provider may take for a job, as it has it; then the job expires."""
    poll_s: Annotated[Real, Runtime] = Field(default=15.0, gt=0)
    """Seconds before the first look at a job; each later pause is half as long again, up to 20
    times this."""
    online_below: Annotated[int, Runtime] = Field(default=0, ge=0, le=1000)
    """Fewer requests than this make no job: they are asked one by one at once, at the full price.
    0: all go as jobs."""

    _collector: Collector | None = PrivateAttr(default=None)
    _provider: Provider | None = PrivateAttr(default=None)
    _place: tuple[Path, Meter] | None = PrivateAttr(default=None)

    def identity(self) -> dict[str, Any]:
        """That of the online route: by which of them an answer came is not content."""
        return super().identity() | {"kind": "openai_api"}

    def endpoint(self) -> str:
        """The batches at the model's address: they share no window with calls there."""
        return f"{super().endpoint()}/batches"

    def price_factors(self) -> tuple[float, float]:
        """The batch price; at the most the full one, where small jobs go online."""
        factor = self.prices.batch
        return factor, max(factor, 1.0) if self.online_below else factor

    def equip(self, folder: Path, meter: Meter) -> None:
        """The ledger's folder holds the journal of jobs."""
        self._place = folder, meter

    async def open(self) -> None:
        """Takes up the jobs of earlier runs. Raises RecipeError without a key, and StoreError."""
        await super().open()
        assert self._place is not None, "equip() comes before open()"
        folder, meter = self._place
        self._provider = self._open_provider()
        bounds = Bounds(self.job_requests, MOST_BYTES, self.collect_s, max(1, self.online_below))
        remote = Remote(self._provider, self.completion_window, self.poll_s)
        self._collector = Collector(remote, Journal(folder, self.route), bounds, meter)

    async def close(self) -> None:
        """Leaves the jobs under way to the next run."""
        collector, self._collector = self._collector, None
        if collector is not None:
            await collector.close()
        provider, self._provider = self._provider, None
        if provider is not None:
            await provider.close()
        await super().close()

    async def complete(self, request: Request) -> Reply:
        """Waits for the job that the request becomes part of. Raises BackendError."""
        collector = self._collector
        assert collector is not None, "open() comes before complete()"
        custom_id = self._custom_id(request)
        raw = await collector.result(custom_id, partial(self._line, custom_id, request))
        if raw is None:
            return await self._online(request)
        try:
            return self._read(raw, request)
        except BackendError:
            collector.done(custom_id)
            raise

    def kept(self, request: Request) -> None:
        """The result of the request's job is needed no more."""
        if self._collector is not None:
            self._collector.done(self._custom_id(request))

    async def states(self, folder: Path, *, cancel: bool = False) -> list[tuple[Entry, str]]:
        """The jobs of this model that a ledger's folder knows of, and how far each is.

        With `cancel`, those that are under way are cancelled. Raises RecipeError without a key,
        BackendError and StoreError.
        """
        found = []
        provider = self._open_provider()
        try:
            remote = Remote(provider, self.completion_window, self.poll_s)
            for entry in Journal(folder, self.route).entries():
                try:
                    batch = await remote.find(entry, TRIES)
                except NotVisibleError:
                    found.append((entry, "not visible to this key"))
                    continue
                if batch is not None and cancel and not batch.is_ending:
                    batch = await provider.cancel(batch.id)
                found.append((entry, "was not sent" if batch is None else batch.state))
        finally:
            await provider.close()
        return found

    @property
    def route(self) -> str:
        """What the journal calls the jobs of this model: address and model id."""
        return f"{self._address().place} {self.model}"

    def _open_provider(self) -> Provider:
        """The endpoints of files and batches. Raises RecipeError without a key."""
        headers, proxy, secrets = self._access()
        return Provider(self.base_url, headers, proxy, secrets)

    async def _online(self, request: Request) -> Reply:
        """One call, with the patience of a call."""
        try:
            async with asyncio.timeout(ONLINE_S):
                return await super().complete(request)
        except TimeoutError:
            late = f"{self.model} at {super().endpoint()}: no reply within {ONLINE_S:g} s"
            raise TransientError(late, broke_off=True) from None

    def _body(self, request: Request) -> bytes:
        return request_body(request, self.model, self._dialect)

    def _custom_id(self, request: Request) -> str:
        return make_custom_id(self.model_identity(), request.first, self._body(request))

    def _line(self, custom_id: str, request: Request) -> bytes:
        return request_line(custom_id, self._body(request))

    def _read(self, raw: bytes, request: Request) -> Reply:
        """The reply in a result line. Raises BackendError, with no secret in it."""
        assert self._session is not None
        secrets = self._session.secrets
        try:
            return read_line(secrets.disclosable(raw), request.n, scored_text(request))
        except BackendError as error:
            place = f"{self.model} at {self.endpoint()}"
            error.args = (secrets.shown(f"{place}: {error}", 2 * LONGEST_MESSAGE),)
            raise
