from decimal import Decimal

import pytest

from pipelines.errors import RecipeError
from tests.pipelines.tables import part


async def shares(make_unit, prompt, respond, answer, *texts):
    judge = part("judges", "self_consistency", answer=answer)
    asked = prompt("How many?")
    responses = [respond(asked, text, f"r{number}") for number, text in enumerate(texts)]
    return [
        (row.score, row.raw, row.error) for row in await judge.judge(make_unit(asked), responses)
    ]


async def test_the_score_is_the_share_of_equal_answers(make_unit, prompt, respond):
    texts = ("#### 3", "It is 4.", "So 3.0", r"\boxed{3}", "5")
    found = await shares(make_unit, prompt, respond, "number", *texts)
    assert [score for score, _, _ in found] == [0.6, 0.2, 0.6, 0.6, 0.2]
    assert [raw for _, raw, _ in found] == ["3", "4", "3.0", "3", "5"]


async def test_no_answer_is_no_score_and_counts_among_the_others(make_unit, prompt, respond):
    found = await shares(make_unit, prompt, respond, "number", "3", "I cannot say.", "3", None)
    assert found == [(2 / 3, "3", None), (None, None, "no answer found"), (2 / 3, "3", None)]


def test_shares_have_no_other_scale():
    with pytest.raises(RecipeError, match="from 0 to 1"):
        part("judges", "self_consistency", answer="number", scale=(Decimal(0), Decimal(10)))
