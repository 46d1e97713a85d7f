from pathlib import Path

import pytest

from pipelines.errors import RecipeError
from pipelines.part import Where, load_part


def load(**fields):
    where = Where("recipe.toml", "[[samplers]] #1 (recorded)", Path())
    return load_part("samplers", {"kind": "recorded", **fields}, where)


async def test_the_recorded_responses_of_the_prompt_are_drawn(make_unit, prompt, respond, recorded):
    asked, other = prompt("Hello?"), prompt("Who?")
    recorded.of_samplers += [
        respond(asked, "Hi.", "r1"),
        respond(other, "Me.", "r2"),
        respond(asked, "Ho.", "r3"),
    ]
    drawn = (await load(text="answer").draw(make_unit(asked, recorded=recorded))).responses
    assert [response.response_id for response in drawn] == ["r1", "r3"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "the column with the answer is needed"),
        ({"text": "t", "model": "m", "model_name": "gpt"}, "model is given too"),
        ({"text": "t", "policy": "on", "policy_column": "p"}, "policy_column is given too"),
        ({"text": "t", "orphans": "keep"}, "orphans"),
        ({"txt": "t", "text": "t"}, 'did you mean "text"?'),
    ],
)
def test_what_cannot_be_mapped_is_refused(fields, message):
    with pytest.raises(RecipeError, match=r"recipe.toml: \[\[samplers\]\] #1") as refused:
        load(**fields)
    assert message in str(refused.value)


def test_a_hash_in_place_of_the_text_is_enough():
    assert load(external_hash="sha").text is None
