from decimal import Decimal

import pytest

from pipelines.errors import RecipeError
from schemas.rows import ToolCall
from tests.pipelines.tables import part

JUDGE = part("judges", "tool_call")
GOLD = '[weather(city="Oslo", days=2), time()]'


async def verdicts(make_unit, prompt, respond, reference, *texts):
    asked = prompt("How is it?", reference=reference)
    responses = [respond(asked, text, f"r{number}") for number, text in enumerate(texts)]
    rows = await JUDGE.judge(make_unit(asked), responses)
    return [(row.score, row.error) for row in rows]


async def test_calls_are_compared_as_a_set_and_arguments_as_json(make_unit, prompt, respond):
    right = '[time(), weather(days=2.0, city="Oslo")]'
    texts = (
        GOLD,
        right,
        '[weather(city="Oslo", days=2)]',
        '[time(), weather(days="2", city="Oslo")]',
    )
    found = await verdicts(make_unit, prompt, respond, GOLD, *texts)
    assert found == [(1.0, None), (1.0, None), (0.0, None), (0.0, None)]


async def test_a_call_that_cannot_be_read_is_wrong_and_says_why(make_unit, prompt, respond):
    texts = ("<tool_call>{</tool_call>", '[weather(city="Oslo"', "It rains.", "")
    found = await verdicts(make_unit, prompt, respond, GOLD, *texts)
    assert [score for score, _ in found] == [0.0] * 4
    reasons = [error for _, error in found]
    assert reasons[0].startswith("no JSON")
    assert reasons[1:] == [
        "a list of calls that is not closed, or no Python", "no call is made", "no call is made",
    ]  # fmt: skip


async def test_where_no_call_is_due_an_answer_without_one_is_right(make_unit, prompt, respond):
    found = await verdicts(make_unit, prompt, respond, "Which city?", "In which one?", GOLD, " ")
    assert found == [(1.0, None), (0.0, None), (0.0, "the response is empty")]


@pytest.mark.parametrize(
    ("reference", "error"),
    [(None, "no reference"), (" ", "no reference"), ("[f(", "the reference cannot be read: ")],
)
async def test_without_a_gold_answer_there_is_no_score(
    make_unit, prompt, respond, reference, error
):
    [(score, why)] = await verdicts(make_unit, prompt, respond, reference, GOLD)
    assert score is None
    assert why.startswith(error)


async def test_calls_that_a_server_has_read_are_judged_too(make_unit, prompt, respond):
    asked = prompt("How is it?", reference='[weather(city="Oslo")]')
    calls = (ToolCall("1", "weather", '{"city": "Oslo"}'),)
    responses = [respond(asked, None, "r", tool_calls=calls), respond(asked, None, "none")]
    [row] = await JUDGE.judge(make_unit(asked), responses)
    assert (row.score, row.raw) == (1.0, '[{"arguments":{"city":"Oslo"},"name":"weather"}]')


def test_another_scale_is_refused():
    with pytest.raises(RecipeError, match="right or wrong"):
        part("judges", "tool_call", scale=(Decimal(0), Decimal(5)))
