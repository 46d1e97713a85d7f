from collections import Counter
from pathlib import Path

import pytest

from pipelines.errors import RecipeError
from pipelines.judges.listwise import Listwise
from pipelines.part import Where, load_part


def listwise(**fields):
    return Listwise.model_validate({"kind": "listwise", "model": "judge", **fields})


def shown(request):
    """Letter -> what the response under it is worth."""
    parts = request.messages[-1].content.split("# Response ")[1:]
    return {part[0]: int(part.split("worth ")[1].split()[0]) for part in parts}


def knows(request, choice):
    worths = shown(request)
    order = sorted(worths, key=lambda letter: -worths[letter])
    return "They differ.\nRanking: " + " > ".join(order)


def worth(respond, asked, values):
    return [
        respond(asked, f"worth {value} points", f"r{number}") for number, value in enumerate(values)
    ]


async def test_every_rotation_is_a_vote_on_all_responses(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    backend = model("judge", knows)
    responses = worth(respond, asked, [3, 1, 2])
    rows = await listwise(rotations=3).judge(make_unit(asked, backend), responses)
    assert len(backend.asked) == 3
    assert Counter((row.response_id, row.rank) for row in rows) == {
        ("r0", 1): 3,
        ("r1", 3): 3,
        ("r2", 2): 3,
    }
    assert {row.sample_index for row in rows} == {0, 1, 2}
    assert len({row.judgment_id for row in rows}) == 9


async def test_with_as_many_rotations_as_responses_each_stands_everywhere_once(
    make_unit, model, prompt, respond
):
    asked = prompt("Hello?")
    responses = worth(respond, asked, range(5))
    unit = make_unit(asked, model("judge", knows))
    for rotations in (5, 9):
        rows = await listwise(rotations=rotations).judge(unit, responses)
        places = {(row.response_id, row.position) for row in rows}
        assert places == {(f"r{n}", place) for n in range(5) for place in range(1, 6)}
        assert len(rows) == 25


async def test_a_judge_that_ranks_by_place_is_even_on_average(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    unit = make_unit(asked, model("judge", lambda *_: "Ranking: A > B > C > D"))
    rows = await listwise(rotations=4).judge(unit, worth(respond, asked, range(4)))
    assert all(row.rank == row.position for row in rows)
    totals = Counter()
    for row in rows:
        totals[row.response_id] += row.rank
    assert set(totals.values()) == {1 + 2 + 3 + 4}


async def test_equal_ranks_are_shared_and_the_next_counts_on(make_unit, model, prompt, respond):
    def answer(request, choice):
        [best] = [letter for letter, value in shown(request).items() if value == 9]
        first, second, third = (letter for letter in shown(request) if letter != best)
        return f"Ranking: {best} > {first} = {second} > {third}"

    asked = prompt("Hello?")
    unit = make_unit(asked, model("judge", answer))
    rows = await listwise(rotations=1).judge(unit, worth(respond, asked, [9, 1, 2, 3]))
    assert sorted(row.rank for row in rows) == [1, 2, 2, 4]
    assert [row.rank for row in rows if row.response_id == "r0"] == [1]


async def test_a_rotation_that_cannot_be_read_takes_no_other_with_it(
    make_unit, model, prompt, respond
):
    asked = prompt("Hello?")

    def answer(request, choice):
        if shown(request)["A"] == 1:
            return "Ranking: A > B"
        return knows(request, choice)

    unit = make_unit(asked, model("judge", answer))
    rows = await listwise(rotations=3, reask=0).judge(unit, worth(respond, asked, [3, 1, 2]))
    unread = [row for row in rows if row.error]
    assert {row.response_id for row in unread} == {"r0", "r1", "r2"}
    assert len({row.sample_index for row in unread}) == 1
    assert {row.rank for row in unread} == {None}
    assert {row.raw for row in unread} == {"Ranking: A > B"}
    assert [row.rank for row in rows if row.response_id == "r0" and not row.error] == [1, 1]


async def test_equal_texts_are_shown_once(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    backend = model("judge", knows)
    rows = await listwise().judge(make_unit(asked, backend), worth(respond, asked, [1, 2, 1]))
    assert {len(shown(request)) for request in backend.asked} == {2}
    assert {(row.response_id, row.rank) for row in rows} == {("r0", 2), ("r1", 1), ("r2", 2)}
    assert await listwise().judge(make_unit(asked, backend), worth(respond, asked, [1, 1])) == []


async def test_more_responses_than_letters_are_not_asked_about(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    backend = model("judge", knows)
    rows = await listwise().judge(make_unit(asked, backend), worth(respond, asked, range(27)))
    assert not backend.asked
    assert {row.error for row in rows} == {"27 responses cannot be told apart by 26 letters"}
    assert len(rows) == 27


async def test_what_all_rotations_share_comes_first(make_unit, model, prompt, respond):
    asked = prompt("A question of some length?")
    backend = model("judge", knows)
    await listwise(rotations=4).judge(make_unit(asked, backend), worth(respond, asked, range(4)))
    heads = {request.messages[-1].content.split("# Response A")[0] for request in backend.asked}
    assert len(heads) == 1
    assert "some length" in heads.pop()


def test_a_scale_is_refused():
    where = Where("recipe.toml", "[[judges]] #1 (listwise)", Path())
    table = {"kind": "listwise", "model": "judge", "scale": (1, 10)}
    with pytest.raises(RecipeError, match="has no scale"):
        load_part("judges", table, where)
