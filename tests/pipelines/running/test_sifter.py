import asyncio
from typing import ClassVar

import polars as pl
import pytest

from pipelines.errors import RecipeError
from pipelines.filter import Filter, On
from pipelines.filters.finish_reason import FinishReason
from pipelines.running.sifter import Sifter
from pipelines.selection.frames import RESPONSES_BEFORE, TEXT_COLUMNS
from pipelines.selection.steps import make_sieve
from schemas.rows import Response

KNOWN = RESPONSES_BEFORE.union(TEXT_COLUMNS["responses"])


class Failing(Filter):
    """Cannot be evaluated."""

    on: ClassVar[On] = "responses"

    def drops(self) -> dict[str, pl.Expr]:
        return {"never": pl.col("text").cast(pl.Int64, strict=True) > 0}


def response(prompt: str, number: int, finish_reason: str) -> Response:
    return Response(
        response_id=f"{prompt}-{number}",
        prompt_id=prompt,
        model="m",
        model_identity="i#m",
        sampler="s",
        text="text",
        finish_reason=finish_reason,
    )


def units(count: int) -> list[list[Response]]:
    """Unit u has u % 4 responses; every third response of all was cut off."""
    return [
        [
            response(f"p{unit}", at, "length" if (unit + at) % 3 == 0 else "stop")
            for at in range(unit % 4)
        ]
        for unit in range(count)
    ]


async def test_units_that_come_together_get_what_each_would_get_alone() -> None:
    sieve = make_sieve([FinishReason(kind="finish_reason")], "responses", KNOWN)
    alone = [await Sifter(sieve).sift(responses) for responses in units(25)]
    together = Sifter(sieve)
    assert await asyncio.gather(*map(together.sift, units(25))) == alone
    for responses, (kept, drops) in zip(units(25), alone, strict=True):
        assert [one.response_id for one in kept] == [
            one.response_id for one in responses if one.finish_reason == "stop"
        ]
        assert {drop.id for drop in drops} == {
            one.response_id for one in responses if one.finish_reason == "length"
        }


async def test_a_unit_that_was_cancelled_holds_up_no_other() -> None:
    sifter = Sifter(make_sieve([FinishReason(kind="finish_reason")], "responses", KNOWN))
    first, second = (asyncio.create_task(sifter.sift(one)) for one in units(4)[2:])
    await asyncio.sleep(0)
    first.cancel()
    kept, drops = await second
    assert len(kept) + len(drops) == 3


async def test_a_filter_that_fails_fails_every_unit_that_waits() -> None:
    sifter = Sifter(make_sieve([Failing(kind="failing")], "responses", KNOWN))
    results = await asyncio.gather(
        *(sifter.sift(one) for one in units(4)[1:]), return_exceptions=True
    )
    assert [isinstance(one, RecipeError) for one in results] == [True] * 3
    with pytest.raises(RecipeError):
        await sifter.sift(units(2)[1])
