"""The dispatcher, on a clock that skips all waiting: its times are exact, and no test sleeps."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Iterator
from functools import wraps
from itertools import chain, repeat
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import PrivateAttr

from pipelines.backend import Backend, Completion, Reply, Request, Sampling
from pipelines.calls.dispatch import LONGEST_RETRY_AFTER_S, Dispatcher
from pipelines.calls.meter import Meter
from pipelines.errors import FatalError, RequestRefused, TransientError

REQUEST = Request((), None, Sampling(), 1, None)
REPLY = Reply((Completion("yes"),), None)


class Skipping(selectors.DefaultSelector):
    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "nothing will ever happen again: a deadlock"
            self.now += timeout
        return ready


class SkippingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.clock = Skipping()
        super().__init__(self.clock)

    def time(self) -> float:
        return self.clock.now


def on_a_skipping_clock(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(**fixtures: Any) -> None:
        with asyncio.Runner(loop_factory=SkippingLoop) as runner:
            runner.run(test(**fixtures))

    return run


def now() -> float:
    return asyncio.get_running_loop().time()


class Server:
    """Takes `latency` seconds for each request, then raises or returns the next outcome."""

    def __init__(self, *outcomes: Exception | Reply, latency: float = 1.0) -> None:
        self.outcomes: Iterator[Exception | Reply] = chain(outcomes, repeat(REPLY))
        self.latency = latency
        self.running = 0
        self.most = 0
        self.starts: list[float] = []
        self.asked: list[Request] = []
        self.open: list[str] = []

    async def answer(self, request: Request) -> Reply:
        self.starts.append(now())
        self.asked.append(request)
        self.running += 1
        self.most = max(self.most, self.running)
        outcome = next(self.outcomes)
        try:
            await asyncio.sleep(self.latency)
        finally:
            self.running -= 1
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Probe(Backend):
    kind: str = "probe"
    address: str = "http://a"
    _server: Server = PrivateAttr()

    def model_identity(self) -> str:
        return "probe"

    def endpoint(self) -> str:
        return self.address

    async def open(self) -> None:
        if self.model == "broken":
            raise FatalError("cannot be opened")
        self._server.open.append(self.name)

    async def close(self) -> None:
        self._server.open.remove(self.name)

    async def complete(self, request: Request) -> Reply:
        return await self._server.answer(request)


class Free(Probe):
    billed: ClassVar[bool] = False


def probe(server: Server, **fields: Any) -> Probe:
    model = Probe(**fields)
    model._server = server
    return model


def dispatcher(*models: Backend, meter: Meter | None = None, backoff_s: float = 0.0) -> Dispatcher:
    named = {str(position): model for position, model in enumerate(models)}
    return Dispatcher(named, meter or Meter(), backoff_s=backoff_s)


def overload(retry_after: float | None = None) -> TransientError:
    return TransientError("429", retry_after=retry_after, overload=True)


def outcomes_of(results: list[Any]) -> list[str]:
    return [type(result).__name__ for result in results]


@on_a_skipping_clock
async def test_the_window_is_filled_and_never_exceeded():
    server = Server()
    model = probe(server, window=3)
    dispatch = dispatcher(model)
    replies = await asyncio.gather(*(dispatch.call(model, REQUEST) for _ in range(20)))
    assert replies == [REPLY] * 20
    assert server.most == 3
    assert now() == pytest.approx(7)  # ceil(20 / 3) rounds of one second


@on_a_skipping_clock
async def test_a_reply_leaves_its_slot_at_once_and_its_caller_goes_on_with_others():
    server, ends = Server(latency=0.02), []
    model = probe(server, window=2)
    dispatch = dispatcher(model)

    async def call() -> None:
        await dispatch.call(model, REQUEST)
        ends.append(now())

    await asyncio.gather(*(call() for _ in range(10)))
    assert server.starts == pytest.approx([0.02 * (n // 2) for n in range(10)])
    # those of 0.02 to 0.06 wait until 0.07; from 0.08 on no request is left to wait for a slot
    assert ends == pytest.approx([0.07] * 6 + [0.08] * 2 + [0.1] * 2)


@on_a_skipping_clock
async def test_a_reply_is_kept_at_once_whatever_becomes_of_its_caller():
    server, kept = Server(latency=0.02), []
    model = probe(server, window=1)
    dispatch = dispatcher(model)

    def keep(reply: Reply) -> None:
        kept.append((now(), reply))

    calls = [asyncio.create_task(dispatch.call(model, REQUEST, keep)) for _ in range(3)]
    await asyncio.sleep(0.03)
    assert not calls[0].done()  # it waits for others
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    assert kept == [(pytest.approx(0.02), REPLY)]
    assert all(call.cancelled() for call in calls)
    assert server.running == 0


@on_a_skipping_clock
async def test_a_reply_that_cannot_be_kept_ends_its_call_and_frees_its_slot():
    model = probe(Server(), window=1)
    dispatch = dispatcher(model)

    def full(reply: Reply) -> None:
        raise OSError("no space is left")

    with pytest.raises(OSError, match="no space"):
        await dispatch.call(model, REQUEST, full)
    assert await dispatch.call(model, REQUEST) == REPLY


@on_a_skipping_clock
async def test_requests_start_in_the_order_of_the_calls():
    server = Server()
    model = probe(server, window=2)
    dispatch = dispatcher(model)
    requests = [Request((), None, Sampling(), 1, seed) for seed in range(9)]
    await asyncio.gather(*(dispatch.call(model, request) for request in requests))
    assert server.asked == requests


@on_a_skipping_clock
async def test_models_with_one_endpoint_share_the_smallest_window_and_others_do_not():
    shared, apart = Server(), Server()
    one, two = probe(shared, window=2), probe(shared, window=5)
    other = probe(apart, window=4, address="http://b")
    dispatch = dispatcher(one, two, other)
    await asyncio.gather(
        *(dispatch.call(model, REQUEST) for model in (one, two, other) for _ in range(6))
    )
    assert (shared.most, apart.most) == (2, 4)


@on_a_skipping_clock
async def test_the_pause_of_retry_after_is_kept_and_the_slot_is_free_meanwhile():
    server = Server(TransientError("503", retry_after=30))
    model = probe(server, window=1)
    meter = Meter()
    dispatch = dispatcher(model, meter=meter)
    await asyncio.gather(dispatch.call(model, REQUEST), dispatch.call(model, REQUEST))
    assert server.starts == pytest.approx([0, 1, 31])
    assert (meter.retries, meter.in_flight) == (1, 0)


@on_a_skipping_clock
async def test_a_retry_after_beyond_the_longest_is_not_waited_for():
    server = Server(TransientError("429", retry_after=LONGEST_RETRY_AFTER_S + 1))
    model = probe(server)
    with pytest.raises(TransientError, match="429"):
        await dispatcher(model).call(model, REQUEST)
    assert now() == pytest.approx(1)
    assert len(server.starts) == 1


@on_a_skipping_clock
async def test_the_longest_retry_after_itself_is_waited_for():
    server = Server(TransientError("429", retry_after=LONGEST_RETRY_AFTER_S))
    model = probe(server)
    await dispatcher(model).call(model, REQUEST)
    assert server.starts == pytest.approx([0, 601])


@on_a_skipping_clock
async def test_a_call_has_max_tries_attempts_and_then_raises_the_last_error():
    server = Server(*(TransientError(str(number)) for number in range(9)))
    model = probe(server, max_tries=4)
    meter = Meter()
    dispatch = dispatcher(model, meter=meter)
    with pytest.raises(TransientError, match="3"):
        await dispatch.call(model, REQUEST)
    assert (len(server.starts), meter.retries, meter.in_flight) == (4, 3, 0)


@on_a_skipping_clock
async def test_the_backoff_is_drawn_from_nought_to_a_bound_that_doubles_up_to_the_cap(
    monkeypatch: pytest.MonkeyPatch,
):
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return high

    monkeypatch.setattr("pipelines.calls.dispatch.random.uniform", uniform)

    server = Server(*(TransientError("500") for _ in range(5)), latency=0)
    model = probe(server)
    dispatch = Dispatcher({"m": model}, Meter(), backoff_s=0.5, longest_backoff_s=5)
    await dispatch.call(model, REQUEST)
    assert drawn == [(0, 1), (0, 2), (0, 4), (0, 5), (0, 5)]
    assert server.starts == pytest.approx([0, 1, 3, 7, 12, 17])


def test_the_backoff_of_a_thousandth_attempt_is_still_a_number():
    model = probe(Server())
    assert 0 <= dispatcher(model, backoff_s=0.5)._jitter(5000) <= 60


@on_a_skipping_clock
async def test_an_overload_shrinks_the_window_once_for_all_that_were_in_flight_and_it_regrows():
    server = Server(*(overload() for _ in range(10)))
    model = probe(server, window=10)
    dispatch = dispatcher(model)
    first = [dispatch.call(model, REQUEST) for _ in range(10)]
    waves = asyncio.gather(*first, *(dispatch.call(model, REQUEST) for _ in range(190)))
    await asyncio.sleep(1.5)
    assert server.running == 7
    await waves
    assert server.most == 10
    widest = max(server.starts.count(start) for start in server.starts[10:])
    assert widest == 10  # back at the configured maximum, and not beyond


@on_a_skipping_clock
async def test_an_error_that_is_no_overload_leaves_the_window_alone():
    server = Server(*(TransientError("500") for _ in range(4)))
    model = probe(server, window=4)
    dispatch = dispatcher(model)
    calls = asyncio.gather(*(dispatch.call(model, REQUEST) for _ in range(12)))
    await asyncio.sleep(1.5)
    assert server.running == 4
    await calls


@on_a_skipping_clock
async def test_a_refused_request_fails_alone_and_at_once():
    server = Server(RequestRefused("bad", 400))
    model = probe(server, window=1)
    dispatch = dispatcher(model)
    results = await asyncio.gather(
        *(dispatch.call(model, REQUEST) for _ in range(3)), return_exceptions=True
    )
    assert outcomes_of(results) == ["RequestRefused", "Reply", "Reply"]
    assert len(server.starts) == 3


@on_a_skipping_clock
async def test_after_a_fatal_error_nothing_more_is_sent_to_the_endpoint():
    server, apart = Server(TransientError("500"), FatalError("401: wrong key")), Server()
    model, twin = probe(server, window=1), probe(server, window=1)
    other = probe(apart, address="http://b")
    dispatch = dispatcher(model, twin, other)
    waiting = [dispatch.call(backend, REQUEST) for backend in (model, model, model, twin)]
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert outcomes_of(results) == ["FatalError"] * 4
    assert {str(result) for result in results} == {"401: wrong key"}
    assert len(server.starts) == 2
    with pytest.raises(FatalError, match="wrong key"):
        await dispatch.call(model, REQUEST)
    assert len(server.starts) == 2
    assert await dispatch.call(other, REQUEST) == REPLY


@on_a_skipping_clock
async def test_after_a_fatal_error_a_call_fails_without_waiting_for_its_turn():
    server = Server(FatalError("404"))
    model = probe(server, requests_per_minute=1)
    dispatch = dispatcher(model)
    for _ in range(2):
        with pytest.raises(FatalError):
            await dispatch.call(model, REQUEST)
        assert now() == pytest.approx(1)


@on_a_skipping_clock
async def test_a_request_that_hangs_is_given_up_after_the_timeout_and_tried_again():
    server = Server(latency=1e6)
    model = probe(server, timeout_s=5.0, max_tries=2)
    meter = Meter()
    dispatch = dispatcher(model, meter=meter)
    with pytest.raises(TransientError, match="no reply within 5 s"):
        await dispatch.call(model, REQUEST)
    assert server.starts == pytest.approx([0, 5])
    assert (server.running, meter.in_flight, meter.retries) == (0, 0, 1)


@pytest.mark.parametrize("moment", [0.5, 3.0], ids=["in flight", "backing off"])
@on_a_skipping_clock
async def test_cancelling_the_caller_frees_its_slot_and_counts_no_retry(moment: float):
    server = Server(TransientError("503", retry_after=30))
    model = probe(server, window=1)
    meter = Meter()
    dispatch = dispatcher(model, meter=meter)
    caller = asyncio.create_task(dispatch.call(model, REQUEST))
    await asyncio.sleep(moment)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert (server.running, meter.in_flight, meter.retries) == (0, 0, 0)
    await dispatch.call(model, REQUEST)
    assert now() == pytest.approx(moment + 1)


@on_a_skipping_clock
async def test_cancelling_a_caller_that_waits_for_a_slot_lets_the_next_one_in():
    server = Server()
    model = probe(server, window=1)
    meter = Meter()
    dispatch = dispatcher(model, meter=meter)
    first, second, third = (asyncio.create_task(dispatch.call(model, REQUEST)) for _ in range(3))
    await asyncio.sleep(0.5)
    second.cancel()
    assert await asyncio.gather(first, third) == [REPLY, REPLY]
    assert server.starts == pytest.approx([0, 1])
    assert meter.in_flight == 0


@on_a_skipping_clock
async def test_requests_per_minute_spaces_the_starts_evenly_at_the_smallest_rate_given():
    server = Server()
    fast, slow = probe(server, requests_per_minute=600), probe(server, requests_per_minute=120)
    dispatch = dispatcher(fast, slow)
    await asyncio.gather(*(dispatch.call(model, REQUEST) for model in (fast, slow, fast, slow)))
    assert server.starts == pytest.approx([0, 0.5, 1.0, 1.5])
    await asyncio.sleep(100)  # a pause buys no burst afterwards
    await asyncio.gather(*(dispatch.call(fast, REQUEST) for _ in range(2)))
    assert server.starts[5] - server.starts[4] == pytest.approx(0.5)


@on_a_skipping_clock
async def test_models_are_open_from_the_first_call_that_may_be_paid_to_the_end():
    server = Server()
    one, other = probe(server, name="a"), probe(server, name="b")
    async with dispatcher(one, other) as dispatch:
        assert server.open == []
        await asyncio.gather(*(dispatch.call(model, REQUEST) for model in (other, one, other)))
        assert server.open == ["a", "b"]
    assert server.open == []


@on_a_skipping_clock
async def test_a_call_that_nobody_is_paid_for_opens_its_own_model_alone():
    server = Server()
    free, paid = Free(name="free"), probe(server, model="broken")
    free._server = server
    async with dispatcher(free, paid) as dispatch:
        await dispatch.call(free, REQUEST)
        assert server.open == ["free"]
        with pytest.raises(FatalError, match="cannot be opened"):
            await dispatch.call(paid, REQUEST)
    assert server.open == []


@on_a_skipping_clock
async def test_where_a_model_cannot_be_opened_none_is_called_and_those_that_were_are_closed():
    server = Server()
    one = probe(server, name="a")
    async with dispatcher(one, probe(server, name="b", model="broken")) as dispatch:
        calls = [dispatch.call(one, REQUEST) for _ in range(3)]
        failures = await asyncio.gather(*calls, return_exceptions=True)
        assert [str(failure) for failure in failures] == ["cannot be opened"] * 3
        with pytest.raises(FatalError, match="cannot be opened"):
            await dispatch.call(one, REQUEST)
        assert (server.starts, server.open) == ([], [])


FAULTS: list[Callable[[], Exception | Reply]] = [
    lambda: REPLY,
    overload,
    lambda: overload(retry_after=3),
    lambda: TransientError("500"),
    lambda: RequestRefused("400", 400),
]


@settings(deadline=None)
@given(
    window=st.integers(1, 4),
    calls=st.integers(1, 12),
    faults=st.lists(st.sampled_from(FAULTS), max_size=40),
    cancelled=st.dictionaries(st.integers(0, 11), st.floats(0, 20), max_size=6),
)
@on_a_skipping_clock
async def test_whatever_happens_no_slot_is_lost_and_every_attempt_is_counted(
    window: int,
    calls: int,
    faults: list[Callable[[], Exception | Reply]],
    cancelled: dict[int, float],
):
    server = Server(*(fault() for fault in faults))
    model = probe(server, window=window, max_tries=3)
    meter = Meter()
    dispatch = dispatcher(model, meter=meter, backoff_s=1)
    requests = [Request((), None, Sampling(), 1, seed) for seed in range(calls)]
    tasks = [asyncio.create_task(dispatch.call(model, request)) for request in requests]
    for number, moment in cancelled.items():
        if number < calls:
            asyncio.get_running_loop().call_at(moment, tasks[number].cancel)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert server.most <= window
    assert (server.running, meter.in_flight) == (0, 0)
    assert meter.retries == len(server.asked) - len({request.seed for request in server.asked})
    assert dispatch._endpoints["http://a"].window.taken == 0
    server.outcomes = repeat(REPLY)
    assert await dispatch.call(model, REQUEST) == REPLY
