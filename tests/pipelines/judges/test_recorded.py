from pathlib import Path

import pytest

from pipelines.errors import RecipeError
from pipelines.judges.recorded import Recorded
from pipelines.part import Where, load_part
from schemas.rows import Judgment


def load(**fields):
    where = Where("recipe.toml", "[[judges]] #1 (recorded)", Path())
    return load_part("judges", {"kind": "recorded", **fields}, where)


async def test_judgments_of_responses_that_were_dropped_are_kept_too(
    make_unit, prompt, respond, recorded
):
    asked = prompt("Hello?")
    of_one = {"prompt_id": asked.prompt_id, "judge": "recorded", "judge_identity": "recorded"}
    recorded.of_judges += [
        Judgment("j1", response_id="r1", score=3.0, **of_one),
        Judgment("j2", response_id="gone", score=4.0, **of_one),
        Judgment("j3", response_a_id="r1", response_b_id="r2", verdict="a", **of_one),
        Judgment("j4", response_a_id="r1", response_b_id="gone", verdict="b", **of_one),
    ]
    judge = Recorded.model_validate({"kind": "recorded", "response": "id", "score": "score"})
    responses = [respond(asked, "Hi.", "r1"), respond(asked, "Ho.", "r2")]

    judgments = await judge.judge(make_unit(asked, recorded=recorded), responses)

    assert [row.judgment_id for row in judgments] == ["j1", "j2", "j3", "j4"]


def test_one_column_or_several_are_a_key():
    assert load(response="id", score="s").response == ("id",)
    assert load(response=("id", "model"), score="s").response == ("id", "model")


@pytest.mark.parametrize(
    "fields",
    [
        {"response": "id", "score": "s"},
        {"response": "id", "rank": "r"},
        {"response_a": "a", "response_b": "b", "score_a": "x", "score_b": "y"},
        {"response_a": "a", "response_b": "b", "verdict": "v", "verdicts": {"a": ("1",)}},
        {"response_a": "a", "response_b": "b", "p_a": "p"},
    ],
)
def test_what_says_enough_is_accepted(fields):
    load(**fields)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "either response, or response_a and response_b"),
        ({"response": "id"}, "either score or rank"),
        ({"response": "id", "score": "s", "rank": "r"}, "either score or rank"),
        ({"response": "id", "response_a": "a", "score": "s"}, "either response, or"),
        ({"response_a": "a", "verdict": "v"}, "response_a and response_b are needed together"),
        ({"response_a": "a", "response_b": "b"}, "verdict or p_a is needed"),
        ({"response_a": "a", "response_b": "b", "score_a": "x"}, "score_a and score_b are needed"),
        (
            {"response_a": "a", "response_b": "b", "verdict": "v", "verdicts": {"ties": ("0",)}},
            'did you mean "tie"?',
        ),
    ],
)
def test_what_does_not_is_refused(fields, message):
    with pytest.raises(RecipeError, match=r"recipe.toml: \[\[judges\]\] #1") as refused:
        load(**fields)
    assert message in str(refused.value)


def test_one_text_cannot_stand_for_two_verdicts():
    columns = {"response_a": "a", "response_b": "b", "verdict": "said"}
    with pytest.raises(RecipeError, match=r'verdicts: "1" stands under a and under b'):
        load(verdicts={"a": ("1",), "b": ("2", "1")}, **columns)
