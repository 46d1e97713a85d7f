"""What shards that run at once may take is never more than the whole."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.sharding.shares import Share, Till, slots_for
from pipelines.calls.budget import Budget, Cost
from pipelines.recipe import Recipe
from tests.builds import OVER_HTTP, read, write_questions, write_recipe


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """Two models with a window of 8; the critic may start 5 requests a minute."""
    write_questions(tmp_path, range(2))
    write_recipe(tmp_path, OVER_HTTP.format(url="http://127.0.0.1:9/v1"))
    return read(tmp_path, "models.critic.requests_per_minute=5")


def test_the_shares_of_a_window_and_of_a_rate_are_the_whole(recipe: Recipe) -> None:
    lent = [Share(slot, 3).applied(recipe, Cost()).models for slot in range(3)]
    assert [models["policy"].window for models in lent] == [3, 3, 2]
    assert [models["critic"].requests_per_minute for models in lent] == [2, 2, 1]
    assert [models["policy"].requests_per_minute for models in lent] == [None, None, None]


def test_a_share_does_not_change_the_fingerprint(recipe: Recipe) -> None:
    lent = Share(1, 3, Cost(calls=9), deadline=1.0).applied(recipe, Cost())
    assert lent.fingerprint() == recipe.fingerprint()


@pytest.mark.parametrize(("shards", "rate", "slots"), [(2, 5, 2), (9, 5, 4), (9, 3, 3), (9, 1, 1)])
def test_no_more_shards_run_at_once_than_there_are_parts_of_every_limit(
    tmp_path: Path, recipe: Recipe, shards: int, rate: int, slots: int
) -> None:
    slower = read(tmp_path, f"models.critic.requests_per_minute={rate}")
    assert slots_for(slower, shards) == slots


def test_what_a_shard_leaves_of_its_budget_is_lent_to_the_next() -> None:
    till = Till(Budget(calls=90))
    assert till.lend(0, waiting=3) == Cost(calls=30)
    assert till.lend(1, waiting=2) == Cost(calls=30)
    till.settle(0, Cost(calls=4))
    assert till.lend(2, waiting=1) == Cost(calls=56)
    till.settle(1, Cost(calls=30))
    till.settle(2, Cost(calls=50))
    assert till.lend(1, waiting=1) == Cost(calls=30 + 6)  # again, with what it spent before


def test_without_a_limit_nothing_is_lent() -> None:
    assert Till(Budget(wall_s=5.0)).lend(0, waiting=1) is None


@given(st.integers(1, 50), st.lists(st.integers(0, 30), min_size=1, max_size=8), st.randoms())
def test_what_is_spent_and_lent_never_exceeds_the_budget(calls, wishes, order):
    till, running = Till(Budget(calls=calls)), {}
    waiting = list(range(len(wishes)))
    while waiting or running:
        if waiting and (not running or order.random() < 0.5):
            lent = till.lend(waiting[0], len(waiting))
            running[waiting.pop(0)] = lent.calls
        else:
            shard = order.choice(sorted(running))
            till.settle(shard, Cost(calls=min(wishes[shard], running.pop(shard))))
        assert till.total.calls <= calls


def test_what_earlier_attempts_of_a_shard_spent_is_taken_off(tmp_path: Path) -> None:
    write_questions(tmp_path, range(2))
    write_recipe(tmp_path, OVER_HTTP.format(url="http://127.0.0.1:9/v1"))
    bounded = read(tmp_path, "budget.calls=90")
    again = Share(0, 1, Cost(calls=30)).applied(bounded, Cost(calls=30))
    assert (again.budget.calls, again.budget.tokens) == (0, None)


@pytest.mark.parametrize(("seconds", "left"), [(900, 900), (-5, -5)])
def test_a_deadline_leaves_what_is_left_of_it_whenever_a_shard_starts(
    tmp_path: Path, seconds: float, left: float
) -> None:
    write_questions(tmp_path, range(2))
    write_recipe(tmp_path, OVER_HTTP.format(url="http://127.0.0.1:9/v1"))
    bounded = read(tmp_path, "budget.wall_s=1000")
    till = Till(bounded.budget, started=time.time() + seconds - 1000)
    wall_s = Share(deadline=till.deadline).applied(bounded, Cost()).budget.wall_s
    assert wall_s == pytest.approx(left, abs=60)
