import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.backend import TokenLogprob
from pipelines.toolcalls.rewards import immediate_reward, judged_reward, overlap, step_prior

GOLD = '[weather(city="Oslo", days=2)]'


@pytest.mark.parametrize(
    ("text", "gold", "reward"),
    [
        (GOLD, GOLD, 0.6),  # ended as gold, all words shared: 0.1 + 1 - 0.5
        ('[weather(city="Oslo",', GOLD, 0.4),  # not ended: -0.1 + 1 - 0.5
        ("[weather(city=", GOLD, -0.6),  # -0.1 + 0 - 0.5
        ("", GOLD, -0.6),
        ("Which city?", "Which city do you mean?", 0.1),  # 0.1 + 1/2 - 0.5
        ("[weather()]", "Which city do you mean?", -0.6),
    ],
)
def test_the_immediate_reward_is_of_the_ending_and_of_the_overlap(text, gold, reward):
    assert immediate_reward(text, gold, ")]") == pytest.approx(reward)


def test_grades_are_weighted_as_in_the_paper():
    odds = {"A": 0.4, "B": 0.3, "C": 0.2, "D": 0.1}
    assert judged_reward(odds) == pytest.approx((0.4 + 0.03 - 0.2 - 0.2) / 4)


@given(st.text(alphabet="ab \t", max_size=12), st.text(alphabet="ab \t", max_size=12))
def test_overlap_lies_between_0_and_1_and_takes_either_order(one, other):
    assert 0 <= overlap(one, other) == overlap(other, one) <= 1


def test_the_prior_is_the_geometric_mean_over_the_tokens_of_the_step():
    tokens = [TokenLogprob("[we", -0.2), TokenLogprob("ather(", -0.4), TokenLogprob("city", -5.0)]
    assert step_prior("[weather(", tokens) == pytest.approx(math.exp(-0.3))
    assert step_prior("[weather(ci", tokens) == pytest.approx(math.exp(-5.6 / 3))


def test_a_step_whose_tokens_do_not_spell_it_has_the_prior_of_the_paper():
    assert step_prior("[weather(", [TokenLogprob("[we", -0.2)]) == 0.1
    assert step_prior("[weather(", [TokenLogprob("�weather(", -0.2)]) == 0.1
    assert step_prior("", [TokenLogprob("a", -0.2)]) == 0.1
