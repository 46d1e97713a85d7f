"""Samplers that start from the responses of others, within one unit."""

import asyncio

import pytest

from pipelines.errors import RecipeError
from pipelines.part import Where
from pipelines.running.waves import check_waves, draw_all
from pipelines.sampler import Drawn, Sampler
from pipelines.unit import OwedError, Unit
from schemas.rows import Message, Prompt, Response

PROMPT = Prompt("p", (Message("user", "q"),))


class Echo(Sampler):
    """Draws one response whose text names those that it starts from."""

    kind: str = "echo"
    starts: tuple[str, ...] = ()
    delay_s: int = 0

    def starts_from(self) -> tuple[str, ...]:
        return self.starts

    async def draw(self, unit: Unit) -> Drawn:
        await asyncio.sleep(self.delay_s / 1000)
        told = [one.text for name in self.starts for one in unit.drawn(name)]
        text = "+".join([self.name, *(text or "" for text in told)])
        return Drawn([Response(text, "p", text, "m", "m", self.name)])


class Owing(Echo):
    """Always owes its call."""

    async def draw(self, unit: Unit) -> Drawn:
        raise OwedError("later")


def echo(name: str, *starts: str, delay_s: int = 0) -> Echo:
    return Echo(name=name, starts=starts, delay_s=delay_s)


async def texts(*samplers: Sampler) -> list[str | None]:
    drawn = await draw_all(Unit(PROMPT, None), samplers)  # type: ignore[arg-type]
    return [one.responses[0].text for one in drawn]


async def test_a_sampler_gets_the_responses_of_those_it_starts_from_in_whatever_order_they_stand():
    samplers = echo("c", "b", "a"), echo("b", "a"), echo("a", delay_s=5)
    assert await texts(*samplers) == ["c+b+a+a", "b+a", "a"]
    assert await texts(*reversed(samplers)) == ["a", "b+a", "c+b+a+a"]


async def test_what_is_no_answer_by_itself_is_not_started_from():
    class Searching(Echo):
        async def draw(self, unit: Unit) -> Drawn:
            step = Response("step", "p", "half", "m", "m", self.name, partial=True)
            return Drawn([step, Response("end", "p", "whole", "m", "m", self.name)])

    assert (await texts(echo("b", "a"), Searching(name="a")))[0] == "b+whole"


async def test_a_sampler_that_is_started_from_twice_is_drawn_once():
    drawn = []

    class Counting(Echo):
        async def draw(self, unit: Unit) -> Drawn:
            drawn.append(self.name)
            return await super().draw(unit)

    await texts(Counting(name="a"), echo("b", "a"), echo("c", "a"))
    assert drawn == ["a"]


async def test_a_sampler_waits_for_its_own_and_for_no_other():
    order = []

    class Ordered(Echo):
        async def draw(self, unit: Unit) -> Drawn:
            found = await super().draw(unit)
            order.append(self.name)
            return found

    await texts(
        Ordered(name="slow", delay_s=40), Ordered(name="fast"), Ordered(name="b", starts=("fast",))
    )
    assert order == ["fast", "b", "slow"]


async def test_what_is_owed_by_one_is_owed_by_those_that_start_from_it():
    with pytest.raises(OwedError, match="later"):
        await texts(Owing(name="a"), echo("b", "a"))


@pytest.mark.parametrize(
    ("samplers", "message"),
    [
        ([echo("b", "aa"), echo("ab")], 'no such sampler "aa"; did you mean "ab"'),
        ([echo("a", "a")], "starts from itself, by way of a"),
        ([echo("a", "b"), echo("b", "c"), echo("c", "a")], "starts from itself, by way of"),
    ],
)
def test_a_recipe_whose_samplers_cannot_be_put_in_order_is_refused(samplers, message, tmp_path):
    with pytest.raises(RecipeError, match=message):
        check_waves(samplers, Where("recipe.toml", "", tmp_path))
