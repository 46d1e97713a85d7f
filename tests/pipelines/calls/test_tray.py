"""The tray: when replies wait for others, and that none is lost there."""

import asyncio
import signal

import pytest

from pipelines.calls.tray import LONGEST_WAIT_S, Tray


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def come(tray: Tray, name: str, kept: list[str]) -> None:
    await tray.turn()
    kept.append(name)


async def test_a_reply_is_worked_on_at_once_where_nothing_else_is_to_be_sent():
    kept: list[str] = []
    await asyncio.wait_for(come(Tray(lambda: False), "a", kept), LONGEST_WAIT_S / 2)
    assert kept == ["a"]


async def test_replies_wait_for_the_first_one_that_is_in_a_hurry_and_keep_their_order():
    kept: list[str] = []
    hurry = False
    tray = Tray(lambda: not hurry)
    lying = [asyncio.ensure_future(come(tray, name, kept)) for name in "abc"]
    await settle()
    assert kept == []
    hurry = True
    await come(tray, "d", kept)
    await asyncio.gather(*lying)
    assert sorted(kept) == ["a", "b", "c", "d"]
    assert [name for name in kept if name != "d"] == ["a", "b", "c"]


async def test_no_reply_lies_longer_than_the_longest_wait():
    kept: list[str] = []
    tray, loop = Tray(lambda: True), asyncio.get_running_loop()
    began = loop.time()
    first = asyncio.ensure_future(come(tray, "a", kept))
    await asyncio.sleep(LONGEST_WAIT_S / 2)
    second = asyncio.ensure_future(come(tray, "b", kept))
    await asyncio.gather(first, second)
    assert loop.time() - began >= LONGEST_WAIT_S * 0.99
    assert kept == ["a", "b"]
    await come(tray, "c", kept)  # and the next one starts a wait of its own
    assert kept == ["a", "b", "c"]


async def test_a_caller_that_is_cancelled_keeps_its_reply_first_and_ends_at_its_next_wait():
    kept: list[str] = []
    went_on = False

    async def caller() -> None:
        nonlocal went_on
        await come(tray, "a", kept)
        await asyncio.sleep(0)
        went_on = True

    tray = Tray(lambda: True)
    task = asyncio.ensure_future(caller())
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert kept == ["a"]
    assert not went_on
    assert task.cancelled()


async def test_a_caller_that_is_cancelled_in_the_moment_of_its_turn_keeps_its_reply_too():
    kept: list[str] = []

    async def caller() -> None:
        await come(tray, "a", kept)
        await asyncio.sleep(60)

    tray = Tray(lambda: True)
    task = asyncio.ensure_future(caller())
    await settle()
    tray.clear()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert kept == ["a"]


async def test_a_group_that_breaks_keeps_what_lies_in_the_tray():
    kept: list[str] = []
    tray = Tray(lambda: True)

    async def fails() -> None:
        await settle()
        raise ValueError("refused for good")

    async def caller(name: str) -> None:
        await come(tray, name, kept)
        await asyncio.sleep(60)

    async def all_of_them() -> None:
        async with asyncio.TaskGroup() as group:
            for name in "abc":
                group.create_task(caller(name))
            group.create_task(fails())

    with pytest.raises(ExceptionGroup):
        await all_of_them()
    assert sorted(kept) == ["a", "b", "c"]  # a group cancels in no order


def test_ctrl_c_keeps_the_reply_and_is_still_an_interrupt():
    kept: list[str] = []

    async def caller() -> None:
        tray = Tray(lambda: True)
        asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)
        await come(tray, "a", kept)
        await asyncio.sleep(60)

    with pytest.raises(KeyboardInterrupt), asyncio.Runner() as runner:
        runner.run(caller())
    assert kept == ["a"]
