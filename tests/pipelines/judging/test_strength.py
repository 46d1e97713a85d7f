from itertools import combinations
from math import exp, fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.judging.strength import bradley_terry, win_rates
from pipelines.judging.tournaments import Game

GAMES = st.lists(
    st.tuples(st.integers(0, 7), st.integers(8, 15), st.sampled_from([0.0, 0.5, 1.0, None])).map(
        lambda game: Game(*game)
    ),
    max_size=40,
)


def sigma(x):
    return 1 / (1 + exp(-x))


def slope(player, theta, games):
    """The derivative of the log-posterior by the player's strength, of which the maximum has 0."""
    own = [
        (game.points, game.other) if game.one == player else (1 - game.points, game.one)
        for game in games
        if game.points is not None and player in (game.one, game.other)
    ]
    at_hand = fsum(points - sigma(theta[player] - theta[other]) for points, other in own)
    return at_hand + 0.5 - sigma(theta[player])


@given(GAMES)
def test_strengths_are_where_the_posterior_has_its_maximum(games):
    theta = bradley_terry(games)
    assert set(theta) == {one for g in games if g.points is not None for one in (g.one, g.other)}
    assert all(slope(player, theta, games) == pytest.approx(0, abs=1e-4) for player in theta)


def test_one_win_has_the_strength_that_solves_the_equation():
    # 3/2 = sigma(2 theta) + sigma(theta), by bisection
    assert bradley_terry([Game("a", "b", 1.0)]) == {"a": 0.756308, "b": -0.756308}


def test_many_games_outweigh_the_tie_with_the_average():
    theta = bradley_terry([Game("a", "b", float(n % 4 > 0)) for n in range(200)])
    assert theta["a"] - theta["b"] == pytest.approx(1.0986, abs=0.03)  # ln 3: three of four


def test_whom_one_beats_counts_and_only_for_bradley_terry():
    games = [Game("best", "good", 1.0), Game("good", "poor", 1.0), Game("fair", "poor", 1.0)]
    games += [Game("best", "fair", 1.0)]
    games += [Game("good", "last", 0.0), Game("fair", "last", 1.0)]
    rates, theta = win_rates(games), bradley_terry(games)
    assert (rates["best"], rates["fair"]) == (1.0, 0.666667)
    upset = [*games, Game("newcomer", "best", 1.0), Game("lucky", "poor", 1.0)]
    assert win_rates(upset)["newcomer"] == win_rates(upset)["lucky"] == 1.0
    assert bradley_terry(upset)["newcomer"] > bradley_terry(upset)["lucky"]
    assert theta["best"] > theta["fair"] > theta["good"]


def test_a_round_robin_is_ranked_the_same_by_both():
    games = [Game(one, other, 1.0) for one, other in combinations(range(6), 2)]
    rates, theta = win_rates(games), bradley_terry(games)
    assert list(rates.values()) == [1.0, 0.8, 0.6, 0.4, 0.2, 0.0]
    assert sorted(theta, key=theta.__getitem__, reverse=True) == list(range(6))


def test_games_that_nobody_could_tell_do_not_count():
    games = [Game("a", "b", None), Game("a", "c", 0.5)]
    assert win_rates(games) == {"a": 0.5, "c": 0.5}
    assert bradley_terry(games) == {"a": 0.0, "c": 0.0}
    assert win_rates([]) == bradley_terry([]) == {}
