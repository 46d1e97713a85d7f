import asyncio
from dataclasses import replace

import pytest

from pipelines.backend import Completion
from pipelines.calls.ledger import Ledger
from pipelines.calls.meter import Meter
from pipelines.errors import RequestRefused
from pipelines.unit import OwedError, gather
from schemas.rows import Message

ASKED = (Message("user", "Hello?"),)


def only_one_choice(request, choice):
    if request.n > 1:
        raise RequestRefused("n must be 1", 400)
    return Completion("Hi.", finish_reason="stop")


def never(request, choice):
    raise RequestRefused("too long", 400)


async def test_a_refusal_of_several_choices_is_not_kept_for_a_single_one(make_unit, model, prompt):
    sole = model("m", only_one_choice)
    unit = make_unit(prompt("Hello?"), sole)

    bought = await unit.sample("m", ASKED, n=3)

    assert [(one.text, one.error) for one in bought] == [("Hi.", None)] * 3
    assert [request.n for request in sole.asked] == [3, 1, 1, 1]
    assert len({request.seed for request in sole.asked[1:]}) == 3
    assert await unit.sample("m", ASKED, n=3) == bought
    assert len(sole.asked) == 4


async def test_a_request_that_is_refused_alone_too_is_refused_for_good(make_unit, model, prompt):
    poisoned = model("m", never)
    unit = make_unit(prompt("Hello?"), poisoned)

    bought = await unit.sample("m", ASKED, n=3)

    assert [one.status for one in bought] == [400] * 3
    assert await unit.sample("m", ASKED, n=3) == bought
    assert [request.n for request in poisoned.asked] == [3, 1]


async def test_an_equal_request_is_told_apart_from_what_was_there_before(
    make_unit, model, prompt, tmp_path
):
    first = make_unit(prompt("Hello?"), model("m", only_one_choice))
    for _ in range(3):
        await first.sample("m", ASKED)
    meter = first.workshop.meter
    assert (meter.samples_paid, meter.samples_equal, meter.samples_before) == (1, 2, 0)

    with Ledger(tmp_path / "ledger") as opened_later:
        later = replace(first.workshop, ledger=opened_later, meter=Meter())
        await replace(first, workshop=later).sample("m", ASKED)
    assert (later.meter.samples_equal, later.meter.samples_before) == (0, 1)


async def test_all_calls_end_before_the_first_error_is_raised_and_a_stop_stops_all():
    ended = []

    async def call(name, seconds, error=None):
        try:
            await asyncio.sleep(seconds)
        except asyncio.CancelledError:
            ended.append(f"{name} stopped")
            raise
        ended.append(name)
        if error is not None:
            raise error
        return name

    assert await gather([]) == []
    assert await gather([call("a", 0.02), call("b", 0)]) == ["a", "b"]
    with pytest.raises(OwedError, match="first"):
        await gather(
            [call("c", 0, OwedError("first")), call("d", 0.02), call("e", 0.01, OwedError("x"))]
        )
    with pytest.raises(OwedError, match="last"):
        await gather([call("f", 0.01), call("g", 0, OwedError("last"))])
    assert ended == ["b", "a", "c", "e", "d", "g", "f"]

    waiting = asyncio.create_task(gather([call("h", 9), call("i", 9), call("j", 0)]))
    await asyncio.sleep(0.02)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert sorted(ended[7:]) == ["h stopped", "i stopped", "j"]
