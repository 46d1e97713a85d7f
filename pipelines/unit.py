"""A unit: one prompt on its way, and all that its coroutine may do.

A unit's coroutine is a deterministic function of (unit, recipe, replies). Its only effect is a
call through `Unit.sample`, memoised by the ledger; its only randomness is `Unit.draw`. There is
no clock and no shared generator, and results are gathered in the order they were asked for. So
resume is replay, and the order in which replies arrive changes nothing.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from pipelines.backend import (
    AS_THE_MODEL,
    SCORING,
    Backend,
    Completion,
    Reply,
    Request,
    Sampling,
)
from pipelines.calls.budget import SHARE
from pipelines.calls.ledger import request_key
from pipelines.errors import RequestRefused, TransientError
from pipelines.judging.bounds import within_bounds
from pipelines.part import Part
from pipelines.running.workshop import Workshop
from schemas.canonical import draw_integer, draw_unit
from schemas.rows import Judgment, Message, Prompt, Response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable


T = TypeVar("T")


class OwedError(Exception):
    """A call of this unit is still owed after its last try: the unit waits for the next run."""


async def gather(calls: "Iterable[Awaitable[T]]") -> list[T]:
    """The results in the order asked for. All calls end before the first error is raised.

    So what the others bought reaches the ledger, and nothing runs on behind a failed unit.
    """
    asked = list(calls)
    if len(asked) < 2:
        return [await call for call in asked]
    first, *others = asked
    tasks = [asyncio.ensure_future(call) for call in others]
    try:
        found: T | Exception = await first  # not in a task of its own, which would cost as much
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise
    except Exception as error:  # noqa: BLE001 - raised below, once the others have ended
        found = error
    results = [found, *await asyncio.gather(*tasks, return_exceptions=True)]
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return cast("list[T]", results)


@dataclass(frozen=True, slots=True)
class Unit:
    """One prompt, with the calls that its coroutine may make."""

    prompt: Prompt
    workshop: Workshop
    caller: str = ""
    """The part that makes the calls, for the accounts: "samplers.independent"."""
    earlier: Mapping[str, Sequence[Response]] = field(default_factory=dict)
    """Sampler -> its responses, of those that the caller starts from (`Sampler.starts_from`)."""

    def by(self, part: Part) -> "Unit":
        """The same unit, with the calls of `part` put down to it."""
        return replace(self, caller=f"{part.shelf}.{part.name}")

    @property
    def unit_id(self) -> str:
        """The key of the unit's partition in the ledger, and of its random draws."""
        return self.prompt.prompt_id

    @property
    def at_worst(self) -> bool:
        """Whether as many calls are to be made as there may ever be: plans count them."""
        return False

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

    def drawn(self, sampler: str) -> Sequence[Response]:
        """The answers of a sampler that the caller starts from (`Sampler.starts_from`).

        What is no answer by itself (`Response.partial`) is not among them.
        """
        return [one for one in self.earlier[sampler] if not one.partial]

    async def judge(self, name: str, responses: Sequence[Response]) -> list[Judgment]:
        """What a judge of the recipe says of `responses`, to a sampler that asks it.

        It is no evidence: the judges' own pass, whose calls are then in the ledger, gives the rows.
        """
        judge = self.workshop.judges[name]
        return within_bounds(await judge.judge(self.by(judge), responses))

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
        key = self.key(model, messages, sampling, tools)
        wanted = range(first_index, first_index + n)
        busy = self.workshop.busy
        while key in busy:
            await busy[key].wait()
        busy[key] = done = asyncio.Event()
        try:
            found = self._replayed(key, wanted)
            self._count_before(model, backend, key, found)
            missing = [index for index in wanted if index not in found]
            if missing:
                effective = backend.effective(sampling or AS_THE_MODEL)
                asked = Request(tuple(messages), tools, effective, len(missing), None)
                bought = await gather(
                    self._buy(model, backend, key, run, asked)
                    for run in runs(missing, backend.max_n)
                )
                for part in bought:
                    found.update(part)
        finally:
            del busy[key]
            done.set()
        return [found[index] for index in wanted]

    async def score(
        self, model: str, messages: Sequence[Message], tools: str | None = None
    ) -> Completion:
        """What `model` makes of the last message, an assistant's: `logprobs` are of its tokens.

        The text is that message's. As with `sample`, what the ledger holds is not bought again.
        """
        [completion] = await self.sample(model, messages, sampling=SCORING, tools=tools)
        return completion

    def key(
        self,
        model: str,
        messages: Sequence[Message],
        sampling: Sampling | None,
        tools: str | None,
    ) -> bytes:
        """The key under which the ledger holds what `sample` is asked with these."""
        backend = self.model(model)
        given = backend.effective(sampling or AS_THE_MODEL).given
        identity = backend.model_identity(), backend.model
        return request_key(*identity, tuple(messages), tools, given)

    def _replayed(self, key: bytes, wanted: range) -> dict[int, Completion]:
        """The samples that the ledger holds, by their index."""
        ledger, found = self.workshop.ledger, {}
        for index in wanted:
            known = ledger.get(self.unit_id, key, index)
            if known is not None:
                found[index] = known
        self.workshop.meter.samples_replayed += len(found)
        return found

    def _count_before(
        self, model: str, backend: Backend, key: bytes, found: "Iterable[int]"
    ) -> None:
        """Counts what the replies behind replayed samples took, once for each reply from before."""
        shop = self.workshop
        for index in found:
            bought = shop.ledger.bought_with(key, index)
            if bought is None:
                continue
            if not bought.before:
                shop.meter.samples_equal += 1
                continue
            if (share := SHARE.get()) is not None:
                share.resumed = True
            if shop.counted.first(bought.place):
                shop.meter.paid_before(model, bought, backend.prices)

    def _seed(self, backend: Backend, key: bytes, index: int) -> int | None:
        if "seed" in backend.omit:
            return None
        return draw_integer(self.workshop.seed, key.hex(), index) % 2**31

    async def _buy(
        self, model: str, backend: Backend, key: bytes, indices: list[int], asked: Request
    ) -> dict[int, Completion]:
        """Pays for `indices`; after a reply with fewer choices than asked, for the rest.

        A refusal of several choices may be about their number, which no key holds: they are asked
        for one by one, and only the refusal of a single one is final.
        """
        bought: dict[int, Completion] = {}
        most = len(indices)
        while indices:
            seed = self._seed(backend, key, indices[0])
            n = min(most, len(indices))
            request = Request(
                asked.messages, asked.tools, asked.sampling, n, seed, first=indices[0]
            )
            keep = partial(self._keep, model, backend, key, indices, request)
            try:
                reply = await self.workshop.dispatcher.call(backend, request, keep)
            except RequestRefused as refused:
                if request.n > 1:
                    most = 1
                    continue
                error = Completion(text=None, error=str(refused), status=refused.status)
                reply = Reply((error,) * len(indices), None)
                keep(reply)
                self.workshop.meter.refused_requests += 1
            except TransientError as error:
                raise OwedError(f"{model}: {error}") from error
            got = dict(zip(indices, reply.completions, strict=False))
            if not got:
                raise OwedError(f"{model}: a reply without any choice")
            bought.update(got)
            indices = indices[len(got) :]
        return bought

    def _keep(
        self,
        model: str,
        backend: Backend,
        key: bytes,
        indices: list[int],
        request: Request,
        reply: Reply,
    ) -> None:
        """Stores what `reply` has, as the first of the samples `indices`, and counts it."""
        shop, completions = self.workshop, reply.completions[: len(indices)]
        if not completions:
            return
        kept = indices[: len(completions)]
        shop.ledger.put(self.unit_id, key, kept, reply, backend.qualified_model)
        backend.kept(request)
        if not any(completion.error for completion in completions):
            shop.meter.paid(model, reply.usage, backend.prices)
            shop.meter.samples_paid += len(kept)


def runs(indices: list[int], longest: int) -> list[list[int]]:
    """Consecutive indices in runs of at most `longest`: one request each.

    >>> runs([0, 1, 4, 5, 6], 2)
    [[0, 1], [4, 5], [6]]
    """
    found: list[list[int]] = []
    for index in indices:
        if found and len(found[-1]) < longest and found[-1][-1] == index - 1:
            found[-1].append(index)
        else:
            found.append([index])
    return found
