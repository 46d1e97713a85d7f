"""The drain, on the clock of the dispatcher's tests, which skips all waiting."""

import asyncio

import pytest

from pipelines.backend import Backend, Reply
from pipelines.calls.drain import LONGEST_DRAIN_S, STOPPING
from pipelines.calls.meter import Meter
from pipelines.errors import TransientError
from tests.pipelines.calls.test_dispatch import (
    REPLY,
    REQUEST,
    Free,
    Probe,
    Server,
    dispatcher,
    now,
    on_a_skipping_clock,
    probe,
)


class Job(Probe):
    in_jobs = True


def of_kind(kind: type[Probe], server: Server) -> Backend:
    model = kind()
    model._server = server
    return model


class Stopped:
    """Calls of some models, which are stopped after half a second."""

    def __init__(self, *models: Backend, calls: int = 3) -> None:
        self.meter, self.kept = Meter(), list[Reply]()
        self.dispatch = dispatcher(*models, meter=self.meter)
        self._calls = [model for model in models for _ in range(calls)]

    async def all_calls(self) -> None:
        async with asyncio.TaskGroup() as group:
            for model in self._calls:
                group.create_task(self.dispatch.call(model, REQUEST, self.kept.append))

    async def stop(self, *moments: float) -> float:
        """Cancels at each of `moments`; returns when it was over."""
        running = asyncio.create_task(self.dispatch.drain.stoppable(self.all_calls()))
        for moment in moments:
            await asyncio.sleep(moment - now())
            running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        return now()


@on_a_skipping_clock
async def test_replies_under_way_are_waited_for_and_kept_and_nothing_more_is_sent():
    server = Server(latency=4.0)
    stopped = Stopped(probe(server, window=2), calls=5)
    assert await stopped.stop(0.5) == pytest.approx(4.0)
    assert stopped.kept == [REPLY] * 2
    assert (len(server.starts), server.running) == (2, 0)
    assert (stopped.meter.step, stopped.meter.abandoned) == (STOPPING, 0)


@on_a_skipping_clock
async def test_what_is_longer_under_way_than_schedulers_wait_is_abandoned():
    server = Server(latency=1e6)
    stopped = Stopped(probe(server, window=3, timeout_s=1e6))
    assert await stopped.stop(0.5) == pytest.approx(0.5 + LONGEST_DRAIN_S)
    assert (stopped.kept, server.running, stopped.meter.abandoned) == ([], 0, 3)


@on_a_skipping_clock
async def test_who_stops_a_second_time_waits_for_nothing():
    server = Server(latency=20.0)
    stopped = Stopped(probe(server, window=3))
    assert await stopped.stop(0.5, 1.5) == pytest.approx(1.5)
    assert (stopped.kept, server.running, stopped.meter.abandoned) == ([], 0, 3)


@pytest.mark.parametrize("kind", [Free, Job])
@on_a_skipping_clock
async def test_what_costs_nothing_or_goes_on_elsewhere_is_not_waited_for(kind: type[Probe]):
    server, paid = Server(latency=20.0), Server(latency=2.0)
    stopped = Stopped(of_kind(kind, server), probe(paid, address="http://b"), calls=1)
    assert await stopped.stop(0.5) == pytest.approx(2.0)
    assert (stopped.kept, stopped.meter.abandoned) == ([REPLY], 0)


@on_a_skipping_clock
async def test_a_stop_with_nothing_under_way_is_a_stop_at_once():
    server = Server(TransientError("503", retry_after=30))
    stopped = Stopped(probe(server, window=1), calls=1)
    assert await stopped.stop(3.0) == pytest.approx(3.0)
    assert (len(server.starts), stopped.meter.step) == (1, "reading")


@on_a_skipping_clock
async def test_a_reply_that_fails_while_it_is_waited_for_is_not_asked_again():
    server = Server(TransientError("500"), latency=4.0)
    stopped = Stopped(probe(server, window=1), calls=1)
    assert await stopped.stop(0.5) == pytest.approx(4.0)
    assert (stopped.kept, len(server.starts)) == ([], 1)


@on_a_skipping_clock
async def test_what_is_not_stopped_goes_on_as_if_nothing_were_there():
    server = Server()
    stopped = Stopped(probe(server, window=3), calls=7)
    await stopped.dispatch.drain.stoppable(stopped.all_calls())
    assert (len(stopped.kept), stopped.meter.abandoned) == (7, 0)

    async def fails() -> None:
        raise TypeError

    with pytest.raises(TypeError):
        await stopped.dispatch.drain.stoppable(fails())
