"""The window's numbers by hand, and its turns."""

import asyncio

import pytest

from pipelines.calls.window import Window


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_each_overload_multiplies_the_limit_by_seven_tenths_and_one_slot_always_stays():
    window = Window(10)
    limits = []
    for generation in range(8):
        window.shrink(generation)
        limits.append(round(window.limit, 6))
    assert limits == [7.0, 4.9, 3.43, 2.401, 1.6807, 1.17649, 1.0, 1.0]


def test_an_overload_of_a_request_that_started_before_the_last_shrink_is_not_counted_again():
    window = Window(100)
    window.shrink(0)
    window.shrink(0)
    assert window.limit == 70
    window.shrink(1)
    assert window.limit == pytest.approx(49)


def test_the_limit_grows_by_one_over_itself_and_stops_at_the_maximum():
    window = Window(8)
    window.limit = 4.0
    window.grow()
    assert window.limit == 4.25
    window.limit = 7.9
    window.grow()
    assert window.limit == 8


def test_about_one_window_of_successes_grows_the_limit_by_one():
    window = Window(100)
    window.limit = 10.0
    for _ in range(10):
        window.grow()
    assert 10.9 < window.limit < 11  # each step is 1/limit, and the limit rises on the way


async def test_slots_are_given_in_the_order_in_which_they_were_asked_for():
    window, order = Window(1), []

    async def take(name: int) -> None:
        await window.acquire()
        order.append(name)
        await asyncio.sleep(0)
        window.release()

    await asyncio.gather(*(take(name) for name in range(20)))
    assert order == list(range(20))
    assert window.taken == 0


async def test_nobody_overtakes_a_waiter_when_a_slot_comes_free():
    window = Window(1)
    await window.acquire()
    waiter = asyncio.create_task(window.acquire())
    await settle()
    window.release()
    latecomer = asyncio.create_task(window.acquire())
    await settle()
    assert waiter.done()
    assert not latecomer.done()
    window.release()
    await latecomer


async def test_a_waiter_that_is_cancelled_is_passed_over():
    window = Window(1)
    await window.acquire()
    first, second = (asyncio.create_task(window.acquire()) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    window.release()
    await second
    assert window.taken == 1


async def test_a_waiter_cancelled_in_the_tick_in_which_it_got_the_slot_hands_it_on():
    window = Window(1)
    await window.acquire()
    first, second = (asyncio.create_task(window.acquire()) for _ in range(2))
    await settle()
    window.release()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    await second
    assert window.taken == 1


async def test_growth_admits_a_waiter_without_a_release():
    window = Window(2)
    window.limit = 1.0
    await window.acquire()
    waiter = asyncio.create_task(window.acquire())
    await settle()
    assert not waiter.done()
    window.grow()
    await waiter
    assert window.taken == 2


async def test_after_a_shrink_no_slot_is_given_until_those_in_flight_are_below_the_limit():
    window = Window(4)
    for _ in range(4):
        await window.acquire()
    window.shrink(0)  # 2.8: two
    waiter = asyncio.create_task(window.acquire())
    for _ in range(2):
        window.release()
        await settle()
        assert not waiter.done()
    window.release()
    await waiter
    assert window.taken == 2
