import asyncio
from collections import Counter
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.judging.tournaments import knockout, most_rounds, round_robin, swiss
from schemas.canonical import draw_integer


def better(one, other):
    """The smaller number wins."""
    return float(one < other)


def played(tournament, players, points=better, *more):
    async def play(one, other):
        await asyncio.sleep(0)
        return points(one, other)

    return asyncio.run(tournament(players, play, *more))


def met(games):
    return [(game.one, game.other) for game in games]


def any_outcome(seed):
    return lambda one, other: (0.0, 0.5, 1.0, None)[draw_integer(seed, one, other) % 4]


def test_the_bracket_of_five_has_three_byes():
    assert met(played(knockout, [1, 2, 3, 4, 5])) == [(4, 5), (1, 4), (2, 3), (1, 2)]


def test_the_bracket_of_eight_keeps_the_best_apart():
    games = met(played(knockout, range(1, 9)))
    assert games == [(1, 8), (2, 7), (3, 6), (4, 5), (1, 4), (2, 3), (1, 2)]


def test_who_loses_is_out_and_a_tie_is_the_better_seeds():
    points = {(1, 4): 0.0, (2, 3): 0.5, (2, 4): None}
    assert met(played(knockout, [1, 2, 3, 4], lambda *pair: points[pair])) == [
        (1, 4),
        (2, 3),
        (2, 4),
    ]


def test_swiss_rounds_pair_equals_that_have_not_met():
    games = met(played(swiss, [1, 2, 3, 4], better, 2))
    assert games == [(1, 2), (3, 4), (1, 3), (2, 4)]


@pytest.mark.parametrize("count", range(2, 34))
def test_the_games_are_as_many_as_the_formula_says(count):
    players = list(range(count))
    assert len(played(knockout, players)) == count - 1
    assert len(played(round_robin, players)) == comb(count, 2)
    for rounds in (1, 3, 99):
        games = played(swiss, players, better, rounds)
        assert len(games) == min(rounds, most_rounds(count)) * (count // 2)


@given(count=st.integers(2, 40), seed=st.integers(0, 10**6))
def test_nobody_meets_anybody_twice_or_sits_out_twice(count, seed):
    games = played(swiss, range(count), any_outcome(seed), 99)
    assert len(set(map(frozenset, met(games)))) == len(games)
    games_of = Counter(player for pair in met(games) for player in pair)
    assert set(games_of) == set(range(count))
    assert max(games_of.values()) - min(games_of.values()) <= count % 2


@given(count=st.integers(2, 40), seed=st.integers(0, 10**6))
def test_all_but_one_lose_a_knockout_once(count, seed):
    points = any_outcome(seed)
    games = played(knockout, range(count), points)
    losers = [game.one if game.points == 0 else game.other for game in games]
    assert len(set(losers)) == count - 1
