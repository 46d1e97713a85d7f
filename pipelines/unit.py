"""A unit: one prompt on its way, and all that its coroutine may do.

A unit's coroutine is a deterministic function of (unit, recipe, replies). Its only effect is a
call through `Unit.sample`, memoised by the ledger; its only randomness is `Unit.draw`. There is
no clock and no shared generator, and results are gathered in the order they were asked for. So
resume is replay, and the order in which replies arrive changes nothing.
"""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar, cast

from pipelines.backend import AS_THE_MODEL, Backend, Completion, Reply, Request, Sampling
from pipelines.calls.dispatch import Dispatcher
from pipelines.calls.ledger import Ledger, request_key
from pipelines.errors import RequestRefused, TransientError
from pipelines.meter import Meter
from pipelines.part import Part
from schemas.canonical import draw_integer, draw_unit
from schemas.rows import Judgment, Message, Prompt, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterable

    from pipelines.intake.records import Records


T = TypeVar("T")


class OwedError(Exception):
    """A call of this unit is still owed after its last try: the unit waits for the next run."""


async def gather(calls: "Iterable[Awaitable[T]]") -> list[T]:
    """The results in the order asked for. All calls end before the first error is raised.

    So what the others bought reaches the ledger, and nothing runs on behind a failed unit.
    """
    asked = list(calls)
    if len(asked) == 1:
        return [await asked[0]]
    results = await asyncio.gather(*asked, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("list[T]", results)


@dataclass(frozen=True, slots=True)
class Workshop:
    """What all units of a build share."""

    seed: int
    models: dict[str, Backend]
    ledger: Ledger
    dispatcher: Dispatcher
    meter: Meter
    records: "Records"
    locks: dict[bytes, tuple[asyncio.Lock, int]] = field(default_factory=dict)
    """One lock for each request key in flight, so that equal requests are paid once."""


@dataclass(frozen=True, slots=True)
class Unit:
    """One prompt, with the calls that its coroutine may make."""

    prompt: Prompt
    workshop: Workshop
    caller: str = ""
    """The part that makes the calls, for the accounts: "samplers.independent"."""

    def by(self, part: Part) -> "Unit":
        """The same unit, with the calls of `part` put down to it."""
        return replace(self, caller=f"{part.shelf}.{part.name}")

    @property
    def unit_id(self) -> str:
        """The key of the unit's partition in the ledger, and of its random draws."""
        return self.prompt.prompt_id

    def draw(self, *path: str | int) -> float:
        """A number in [0, 1) that depends on (recipe seed, unit, path) alone."""
        return draw_unit(self.workshop.seed, self.unit_id, *path)

    def shuffled(self, count: int, *path: str | int) -> list[int]:
        """A permutation of range(count) that depends on (recipe seed, unit, path) alone."""
        return sorted(range(count), key=lambda position: self.draw(*path, position))

    def recorded_responses(self, part: str) -> list[Response]:
        """The responses that the recorded part of this name has for the unit's prompt."""
        return self.workshop.records.responses(part, self.prompt.prompt_id)

    def recorded_judgments(self, part: str) -> list[Judgment]:
        """The judgments that the recorded part of this name has for the unit's prompt."""
        return self.workshop.records.judgments(part, self.prompt.prompt_id)

    def model(self, name: str) -> Backend:
        """The model of the recipe with this name."""
        return self.workshop.models[name]

    async def sample(
        self,
        model: str,
        messages: Sequence[Message],
        *,
        sampling: Sampling | None = None,
        tools: str | None = None,
        n: int = 1,
        first_index: int = 0,
    ) -> list[Completion]:
        """Samples `first_index` to `first_index + n - 1` of `model` for `messages`, in that order.

        What the ledger holds is not bought again; equal requests of this build are paid once. A
        request that the endpoint refuses for good gives completions with `error` set. Raises
        OwedError when a call failed in a way that may pass, after its last try.
        """
        backend = self.model(model)
        effective = backend.effective(sampling or AS_THE_MODEL)
        key = request_key(
            backend.model_identity(), backend.model, tuple(messages), tools, effective.given
        )
        wanted = range(first_index, first_index + n)
        found: dict[int, Completion] = {}
        async with self._only_one(key):
            for index in wanted:
                known = self.workshop.ledger.get(self.unit_id, key, index)
                if known is not None:
                    found[index] = known
            self.workshop.meter.samples_replayed += len(found)
            requests = [
                (run, Request(tuple(messages), tools, effective, len(run), seed))
                for run in _runs([index for index in wanted if index not in found], backend.max_n)
                for seed in [self._seed(backend, key, run[0])]
            ]
            bought = await gather(
                self._buy(model, backend, key, run, request) for run, request in requests
            )
        for part in bought:
            found.update(part)
        return [found[index] for index in wanted]

    def _seed(self, backend: Backend, key: bytes, index: int) -> int | None:
        if "seed" in backend.omit:
            return None
        return draw_integer(self.workshop.seed, key.hex(), index) % 2**31

    async def _buy(
        self, model: str, backend: Backend, key: bytes, indices: list[int], request: Request
    ) -> dict[int, Completion]:
        """Pays for `indices`; after a reply with fewer choices than asked, for the rest.

        A refusal of several choices may be about their number, which no key holds: they are asked
        for one by one, and only the refusal of a single one is final.
        """
        bought: dict[int, Completion] = {}
        most = len(indices)
        while indices:
            try:
                reply = await self.workshop.dispatcher.call(backend, request)
            except RequestRefused as refused:
                if request.n > 1:
                    most, request = 1, replace(request, n=1)
                    continue
                error = Completion(text=None, error=str(refused), status=refused.status)
                reply = Reply((error,) * len(indices), None)
                self.workshop.meter.refused_requests += 1
            except TransientError as error:
                raise OwedError(f"{model}: {error}") from error
            got = dict(zip(indices, reply.completions, strict=False))
            if not got:
                raise OwedError(f"{model}: a reply without any choice")
            identity = f"{backend.model_identity()}#{backend.model}"
            self.workshop.ledger.put(self.unit_id, key, list(got), reply, identity)
            if not any(completion.error for completion in got.values()):
                self.workshop.meter.paid(model, reply.usage, backend.prices)
                self.workshop.meter.samples_paid += len(got)
            bought.update(got)
            indices = indices[len(got) :]
            if indices:
                seed = self._seed(backend, key, indices[0])
                request = replace(request, n=min(most, len(indices)), seed=seed)
        return bought

    @asynccontextmanager
    async def _only_one(self, key: bytes) -> "AsyncIterator[None]":
        locks = self.workshop.locks
        lock, waiting = locks.get(key, (asyncio.Lock(), 0))
        locks[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = locks[key]
            if waiting == 1:
                del locks[key]
            else:
                locks[key] = (lock, waiting - 1)


def _runs(indices: list[int], longest: int) -> list[list[int]]:
    """Consecutive indices in runs of at most `longest`: one request each.

    >>> _runs([0, 1, 4, 5, 6], 2)
    [[0, 1], [4, 5], [6]]
    """
    runs: list[list[int]] = []
    for index in indices:
        if runs and len(runs[-1]) < longest and runs[-1][-1] == index - 1:
            runs[-1].append(index)
        else:
            runs.append([index])
    return runs
