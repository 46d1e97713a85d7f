import math
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.ask import Draw
from pipelines.engine.draw import draw, likeliest, log_softmax, nucleus

ROW = np.log(np.array([[0.1, 0.4, 0.4, 0.1]], np.float32))


@pytest.mark.parametrize(
    ("number", "token"), [(0.0, 0), (0.0999, 0), (0.1001, 1), (0.4999, 1), (0.5001, 2), (0.9999, 3)]
)
def test_a_token_is_drawn_where_the_summed_probability_passes_the_number(
    number: float, token: int
) -> None:
    assert draw(ROW, [1.0], [number], {}).tolist() == [token]


def test_the_largest_number_there_is_draws_the_last_token_that_can_be() -> None:
    with np.errstate(divide="ignore"):
        row = np.log(np.array([[0.5, 0.5, 0.0]], np.float32))
    assert draw(row, [1.0], [1 - 2**-52], {}).tolist() == [1]


def test_temperature_sharpens_before_the_draw() -> None:
    """At temperature 1/2 probabilities are squared: .01, .16, .16, .01 over .34."""
    assert draw(ROW, [0.5], [0.029], {}).tolist() == [0]
    assert draw(ROW, [0.5], [0.030], {}).tolist() == [1]


def test_temperature_zero_takes_the_first_of_the_likeliest() -> None:
    assert draw(np.repeat(ROW, 2, 0), [0.0, 1.0], [0.99, 0.99], {}).tolist() == [1, 3]


def test_a_tiny_temperature_is_no_error() -> None:
    assert draw(ROW * 1000, [1e-300], [0.3], {}).tolist() == [1]


@pytest.mark.parametrize(
    ("top_k", "top_p", "remain"),
    [
        (0, 1.0, [0, 1, 2, 3]),
        (1, 1.0, [1]),
        (2, 1.0, [1, 2]),
        (3, 1.0, [0, 1, 2]),
        (0, 0.4, [1]),
        (0, 0.41, [1, 2]),
        (0, 0.8, [1, 2]),
        (0, 0.81, [0, 1, 2]),
        (2, 0.5, [1]),  # of the two that remain, each holds one half
        (9, 0.001, [1]),
    ],
)
def test_a_nucleus_is_the_fewest_likeliest_tokens(
    top_k: int, top_p: float, remain: list[int]
) -> None:
    shares = np.array([0.1, 0.4, 0.4, 0.1])
    assert np.flatnonzero(nucleus(shares, top_k, top_p)).tolist() == remain


@given(
    st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=40),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 5),
    st.sampled_from([0.05, 0.5, 0.95, 1.0]),
)
def test_what_is_drawn_is_in_the_nucleus(
    logits: list[float], number: float, top_k: int, top_p: float
) -> None:
    logprobs = log_softmax(np.array([logits], np.float32))
    token = draw(logprobs, [1.0], [number], {0: (top_k, top_p)})[0]
    assert nucleus(np.exp(logprobs[0], dtype=float), top_k, top_p)[token]


def test_log_softmax_by_hand() -> None:
    found = log_softmax(np.array([[1000.0, 1000 + math.log(3)]], np.float32))
    assert found[0] == pytest.approx([math.log(0.25), math.log(0.75)], abs=1e-4)


def test_the_likeliest_come_in_order_and_equals_by_their_number() -> None:
    found = likeliest(ROW[0], 3)
    assert [token for token, _ in found] == [1, 2, 0]
    assert found[0][1] == pytest.approx(math.log(0.4))
    assert likeliest(ROW[0], 0) == ()
    assert len(likeliest(ROW[0], 20)) == 4


def test_the_numbers_of_a_sample_depend_on_its_seed_and_place_alone() -> None:
    """Written down once: they may never change, for texts would."""
    ask = Draw((1,), 2, seed=7)
    drawn = [list(islice(ask.numbers(sample), 2)) for sample in range(2)]
    assert drawn == [list(islice(Draw((2, 3), 9, seed=7).numbers(s), 2)) for s in range(2)]
    assert drawn[0] != drawn[1]
    assert drawn[0] == [0.3757968218727106, 0.8887845105094236]
