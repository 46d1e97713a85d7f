import json
from decimal import Decimal

import pytest

from pipelines.errors import RecipeError
from tests.pipelines.tables import part

ASKED = [{"id": "punctuation:no_comma"}, {"id": "number_words", "relation": "less than",
         "num_words": 4}, {"id": "title", "opposite": True}]  # fmt: skip


async def judged(make_unit, prompt, respond, reference, *texts, **fields):
    asked = prompt("Name a tree.", reference=reference)
    responses = [respond(asked, text, f"r{number}") for number, text in enumerate(texts)]
    return await part("judges", "verifiable", **fields).judge(make_unit(asked), responses)


def vectors(rows):
    found = {}
    for row in rows:
        found.setdefault(row.response_id, []).append((row.dimension, row.score))
    return [dict(each) for each in found.values()]


async def test_each_instruction_is_a_judgment_and_the_whole_has_the_share(
    make_unit, prompt, respond
):
    texts = ("Oak", "Oak, ash, beech, elm", "<<Oak>>", " ", None)
    rows = await judged(make_unit, prompt, respond, json.dumps(ASKED), *texts)
    assert vectors(rows) == [
        {"no_comma": 1, "number_words": 1, "title": 1, None: 1},
        {"no_comma": 0, "number_words": 0, "title": 1, None: pytest.approx(1 / 3)},
        {"no_comma": 1, "number_words": 1, "title": 0, None: pytest.approx(2 / 3)},
    ]


async def test_all_wants_every_one(make_unit, prompt, respond):
    rows = await judged(
        make_unit, prompt, respond, json.dumps(ASKED), "Oak", "Oak, ash", aggregate="all"
    )
    assert [row.score for row in rows if row.dimension is None] == [1, 0]


async def test_one_that_cannot_be_checked_leaves_the_whole_without_a_score(
    make_unit, prompt, respond
):
    entries = [{"id": "no_comma"}, {"id": "rhymes"}]
    rows = await judged(make_unit, prompt, respond, json.dumps(entries), "Oak")
    assert [(row.dimension, row.score) for row in rows] == [
        ("no_comma", 1), ("rhymes", None), (None, None),
    ]  # fmt: skip
    assert rows[1].error.startswith('no such instruction "rhymes"')
    assert rows[2].error == "not every instruction can be checked"


async def test_without_a_list_there_is_no_score(make_unit, prompt, respond):
    [row] = await judged(make_unit, prompt, respond, "forty-two", "Oak")
    assert (row.score, row.dimension) == (None, None)
    assert "no JSON list" in row.error


def test_there_is_no_other_scale():
    with pytest.raises(RecipeError, match="between 0 and 1"):
        part("judges", "verifiable", scale=(Decimal(0), Decimal(5)))
