"""Which units begin, from numbers worked out by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from pipelines.calls.budget import SHARE, Budget, BudgetReached, Cost, Purse
from pipelines.calls.meter import Meter
from pipelines.calls.thrift import Thrift


async def pay(purse: Purse, calls: int) -> None:
    for _ in range(calls):
        await purse.reserve(Cost(1))
        purse.settle(Cost(1), Cost(1))


async def begun(thrift: Thrift, purse: Purse, calls: int, most: int = 8) -> int:
    """How many of `most` units begin at once, each of which then pays for so many calls."""
    async with AsyncExitStack() as units:
        for number in range(most):
            try:
                async with asyncio.timeout(0.01):
                    await units.enter_async_context(thrift.unit())
            except TimeoutError:
                return number
            await pay(purse, calls)
    return most


def counts(budget: Budget, *, wanted: bool = True) -> tuple[int, int]:
    """How many units begin before any has ended, and after one of three calls has."""

    async def run() -> tuple[int, int]:
        purse = Purse(budget, Meter())
        thrift = Thrift(purse, wanted=wanted)
        first = await begun(thrift, purse, 0)
        async with thrift.unit():
            await pay(purse, 3)
        return first, await begun(thrift, purse, 0)

    return asyncio.run(run())


def test_the_first_unit_is_alone_and_then_as_many_begin_as_there_is_enough_for() -> None:
    assert counts(Budget(calls=11, on_limit="publish")) == (1, 2)  # 8 left: two of 3, not three
    assert counts(Budget(calls=12, on_limit="publish")) == (1, 3)


def test_what_units_under_way_have_paid_is_not_set_aside_again() -> None:
    async def run() -> int:
        purse = Purse(Budget(calls=12, on_limit="publish"), Meter())
        thrift = Thrift(purse, wanted=True)
        async with thrift.unit():
            await pay(purse, 3)
        return await begun(thrift, purse, 2)  # 9, 7, 5 left, of which 0, 1, 2 are for the others

    assert asyncio.run(run()) == 3


def test_where_the_end_is_not_published_or_calls_are_jobs_all_begin() -> None:
    assert counts(Budget(calls=11)) == (8, 8)
    assert counts(Budget(calls=11, on_limit="publish"), wanted=False) == (8, 8)
    assert counts(Budget(wall_s=60, on_limit="publish")) == (8, 8)


def test_units_that_were_paid_earlier_tell_nothing_and_are_let_through_one_by_one() -> None:
    async def run() -> int:
        purse = Purse(Budget(calls=9, on_limit="publish"), Meter())
        thrift = Thrift(purse, wanted=True)
        for _ in range(5):
            async with thrift.unit():
                pass
        return await begun(thrift, purse, 0)

    assert asyncio.run(run()) == 1


def test_a_unit_that_fails_makes_room() -> None:
    async def run() -> None:
        purse = Purse(Budget(calls=9, on_limit="publish"), Meter())
        thrift = Thrift(purse, wanted=True)
        with pytest.raises(ValueError, match="owed"):
            async with thrift.unit():
                raise ValueError("owed")
        async with asyncio.timeout(1), thrift.unit():
            pass

    asyncio.run(run())


async def all_fail(thrift: Thrift, most: int = 8) -> int:
    """How many units begin at once, all of which then fail unpaid."""
    async with AsyncExitStack() as units:
        for number in range(most):
            try:
                async with asyncio.timeout(0.01):
                    await units.enter_async_context(failing(thrift))
            except TimeoutError:
                return number
    return most


@asynccontextmanager
async def failing(thrift: Thrift) -> AsyncIterator[None]:
    with suppress(ConnectionError):
        async with thrift.unit():
            yield
            raise ConnectionError


def test_in_an_outage_twice_as_many_units_are_tried_each_time() -> None:
    async def run() -> list[int]:
        purse = Purse(Budget(tokens=9, on_limit="publish"), Meter())
        thrift = Thrift(purse, wanted=True)
        return [await all_fail(thrift) for _ in range(5)]

    assert asyncio.run(run()) == [1, 2, 4, 8, 8]


def test_what_a_unit_takes_is_believed_once_one_has_been_paid_whatever_failed() -> None:
    async def run() -> int:
        purse = Purse(Budget(calls=9, on_limit="publish"), Meter())
        thrift = Thrift(purse, wanted=True)
        for _ in range(3):
            await all_fail(thrift)
        async with thrift.unit():
            await pay(purse, 3)
        return await begun(thrift, purse, 0)  # 6 left

    assert asyncio.run(run()) == 2


def test_units_that_the_budget_stopped_let_no_others_begin() -> None:
    async def run() -> int:
        purse = Purse(Budget(calls=2, on_limit="publish"), Meter())
        thrift = Thrift(purse, wanted=True)
        for _ in range(3):
            with pytest.raises(BudgetReached):
                async with thrift.unit():
                    await pay(purse, 3)
        return await begun(thrift, purse, 0)

    assert asyncio.run(run()) == 1


def resumed(rests: list[int], whole: list[int]) -> int:
    """How many units begin of 24 calls, after such rests of begun ones and such whole ones."""

    async def run() -> int:
        purse = Purse(Budget(calls=24 + sum(rests + whole), on_limit="publish"), Meter())
        thrift = Thrift(purse, wanted=True)
        for number, calls in enumerate(rests + whole):
            async with thrift.unit():
                share = SHARE.get()
                assert share is not None
                share.resumed = number < len(rests)
                await pay(purse, calls)
        return await begun(thrift, purse, 0)

    return asyncio.run(run())


def test_a_unit_that_an_earlier_run_had_begun_to_pay_tells_nothing_once_one_is_paid_whole() -> None:
    assert resumed([1, 1], [6]) == 4
    assert resumed([], [6]) == 4


def test_until_then_the_dearest_of_them_is_the_measure() -> None:
    assert resumed([1, 4, 2], []) == 6
