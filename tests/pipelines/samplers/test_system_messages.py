"""System messages: which values are combined, what is asked, and what useless completions become."""

import json

import pytest

from pipelines.backend import Completion
from pipelines.errors import RecipeError
from pipelines.part import Where, load_part
from pipelines.samplers.system_messages import DIMENSIONS

TWO = {"style": ("plain", "formal"), "length": ("short", "long")}


def system_messages(folder=None, **fields):
    fields = {"kind": "system_messages", "model": "writer", **fields}
    return load_part("samplers", fields, Where("r.toml", "samplers", folder))


def says(text, **fields):
    return lambda request, choice: Completion(text, **{"finish_reason": "stop"} | fields)


@pytest.fixture
def written(make_unit, model, prompt):
    """`written(reply, **fields)`: the messages for one instruction, and their writer."""

    async def write(reply, seed=0, **fields):
        writer = model("writer", reply)
        unit = make_unit(prompt("How do I cook rice?"), writer, seed=seed)
        return (await system_messages(**fields).draw(unit)).responses, writer

    return write


async def test_three_messages_differ_in_all_four_dimensions(written):
    rows, writer = await written(says("You are a patient cook."))
    assert len(rows) == len({row.response_id for row in rows}) == len(writer.asked) == 3
    drawn = [json.loads(row.notes)["preferences"] for row in rows]
    for dimension, preferences in DIMENSIONS.items():
        own = [one[dimension] for one in drawn]
        assert len(set(own)) == 3
        assert set(own) <= set(preferences)
    assert {(row.text, row.relation, row.partial, row.parent_id) for row in rows} == {
        ("You are a patient cook.", "system_message", True, None)
    }


async def test_the_writer_is_told_the_instruction_and_the_values(written):
    rows, writer = await written(says("You are brief."), n=2, dimensions=TWO)
    asked = sorted(request.messages[0].content for request in writer.asked)
    assert all("\nHow do I cook rice?\n" in text for text in asked)
    for row in rows:
        drawn = json.loads(row.notes)["preferences"]
        values = "".join(f"- {dimension}: {drawn[dimension]}\n" for dimension in TWO)
        assert sum(values in text for text in asked) == 1


async def test_the_combinations_depend_on_the_seed(written):
    drawn = set()
    for seed in range(8):
        rows, _ = await written(says("You are brief."), seed=seed, n=1, dimensions=TWO)
        drawn.add(rows[0].notes)
    assert len(drawn) > 1


@pytest.mark.parametrize(
    ("text", "fields", "error", "calls"),
    [
        (" \n", {}, "no_message", 2),
        ("I'm sorry, but I can't help with that.", {}, "message_refused", 2),
        ("You are", {"finish_reason": "length"}, "message_truncated", 2),
        (None, {"error": "400: too long"}, "400: too long", 1),
    ],
)
async def test_a_useless_completion_is_a_row_without_text_that_says_why(
    written, text, fields, error, calls
):
    (row,), writer = await written(says(text, **fields), n=1, dimensions=TWO)
    assert (row.text, row.error) == (None, error)
    assert len(writer.asked) == calls


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"n": 3, "dimensions": TWO}, "style: 3 different preferences are needed"),
        ({"dimensions": {"style": ("a", "a", "b", "c")}}, "different preferences"),
        ({"dimensions": {}}, "at least one dimension"),
    ],
)
def test_there_are_enough_preferences_to_differ(fields, said):
    with pytest.raises(RecipeError, match=said):
        system_messages(**fields)
