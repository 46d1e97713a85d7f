"""The tray: when replies wait for others."""

import asyncio

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


async def test_a_caller_that_is_cancelled_is_gone_and_holds_nobody_up():
    kept: list[str] = []
    tray = Tray(lambda: True)
    gone, stays = (asyncio.ensure_future(come(tray, name, kept)) for name in "ab")
    await settle()
    gone.cancel()
    await stays
    assert kept == ["b"]
    assert gone.cancelled()
