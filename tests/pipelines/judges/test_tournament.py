from decimal import Decimal
from math import comb
from pathlib import Path

import pytest

from pipelines.errors import RecipeError
from pipelines.judges.tournament import NO_GAME, Tournament
from pipelines.judging.tournaments import most_rounds
from pipelines.part import Where, load_part


def tournament(**fields):
    return Tournament.model_validate({"kind": "tournament", "model": "judge", **fields})


def shown(request):
    words = request.messages[0].content
    first, second = words.split("# Response A")[1].split("# Response B")
    return tuple(int(part.split("worth ")[1].split()[0]) for part in (first, second))


def knows(request, choice):
    one, other = shown(request)
    return f"Verdict: {'A' if one > other else 'B'}"


def worth(respond, asked, values):
    return [
        respond(asked, f"worth {value} points", f"r{number}") for number, value in enumerate(values)
    ]


def scores(rows):
    return {row.response_id: row.score for row in rows if row.response_id is not None}


@pytest.mark.parametrize(
    ("fields", "games"),
    [
        ({"format": "round_robin"}, lambda count: comb(count, 2)),
        ({"format": "knockout"}, lambda count: count - 1),
        ({"rounds": 2}, lambda count: min(2, most_rounds(count)) * (count // 2)),
        ({}, lambda count: min(3, most_rounds(count)) * (count // 2)),
    ],
)
@pytest.mark.parametrize("count", [2, 3, 4, 7, 8])
async def test_the_calls_are_two_for_each_game_of_the_formula(
    fields, games, count, make_unit, model, prompt, respond
):
    asked = prompt("Hello?")
    backend = model("judge", knows)
    responses = worth(respond, asked, range(count))
    rows = await tournament(**fields).judge(make_unit(asked, backend), responses)
    assert len(backend.asked) == 2 * games(count)
    assert len(rows) == count + len(backend.asked)
    best = max(scores(rows).values())
    assert scores(rows)[f"r{count - 1}"] == best


async def test_a_round_robin_is_scored_by_wins_over_games(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    unit = make_unit(asked, model("judge", knows))
    rows = await tournament(format="round_robin").judge(unit, worth(respond, asked, [3, 1, 2]))
    assert scores(rows) == {"r0": 1.0, "r1": 0.0, "r2": 0.5}
    rows = await tournament(format="round_robin", rule="bradley_terry").judge(
        unit, worth(respond, asked, [3, 1, 2])
    )
    strengths = scores(rows)
    assert strengths["r0"] == -strengths["r1"] > strengths["r2"] == 0.0


async def test_orders_that_contradict_each_other_are_a_tie(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    unit = make_unit(asked, model("judge", lambda *_: "Verdict: A"))
    for rule, even in (("win_rate", 0.5), ("bradley_terry", 0.0)):
        rows = await tournament(format="round_robin", rule=rule).judge(
            unit, worth(respond, asked, range(4))
        )
        assert set(scores(rows).values()) == {even}


@pytest.mark.parametrize(("band", "points"), [(0.2, [0.0, 1.0]), (0.25, [0.5, 0.5])])
async def test_a_band_makes_a_win_and_a_tie_a_tie(band, points, make_unit, model, prompt, respond):
    def answer(request, choice):
        return "Verdict: tie" if shown(request)[0] == 1 else "Verdict: A"

    asked = prompt("Hello?")
    unit = make_unit(asked, model("judge", answer))
    rows = await tournament(band=band).judge(unit, worth(respond, asked, [0, 1]))
    assert sorted(scores(rows).values()) == sorted(points)


async def test_a_response_none_of_whose_games_could_be_read_has_no_score(
    make_unit, model, prompt, respond
):
    def answer(request, choice):
        return "Who knows?" if 9 in shown(request) else knows(request, choice)

    asked = prompt("Hello?")
    unit = make_unit(asked, model("judge", answer))
    rows = await tournament(format="round_robin").judge(unit, worth(respond, asked, [9, 1, 2]))
    assert scores(rows) == {"r0": None, "r1": 0.0, "r2": 1.0}
    assert [row.error for row in rows if row.response_id == "r0"] == [NO_GAME]


async def test_equal_texts_play_once_and_share_their_score(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    backend = model("judge", knows)
    rows = await tournament().judge(make_unit(asked, backend), worth(respond, asked, [1, 2, 1]))
    assert scores(rows) == {"r0": 0.0, "r1": 1.0, "r2": 0.0}
    assert len(backend.asked) == 2


def test_a_win_rate_has_a_scale_and_a_strength_has_none():
    assert tournament().scale == (Decimal(0), Decimal(1))
    assert tournament(rule="bradley_terry").scale is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"format": "knockout", "rounds": 2}, 'for format = "swiss"'), ({"scale": (1, 2)}, "scale")],
)
def test_what_no_tournament_has_is_refused(fields, message):
    where = Where("recipe.toml", "[[judges]] #1 (tournament)", Path())
    with pytest.raises(RecipeError, match=message):
        load_part("judges", {"kind": "tournament", "model": "judge", **fields}, where)
