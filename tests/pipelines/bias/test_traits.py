import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.bias.duels import SCHEMA
from pipelines.bias.traits import margin_correlation, more_wins, score_correlation

LENGTHS = pl.Series([10, 20, 40, 40, None], dtype=pl.Int64)


def duels(*rows: tuple[int, int, float]) -> pl.DataFrame:
    """(a, b, margin), each of a prompt of its own."""
    full = [(prompt, a, b, margin, None) for prompt, (a, b, margin) in enumerate(rows)]
    return pl.DataFrame(full, schema=SCHEMA, orient="row")


def test_the_longer_wins_two_of_three_decided_duels_of_different_lengths() -> None:
    fought = duels((0, 1, -1), (0, 2, -2), (1, 2, 3), (0, 1, 0), (2, 3, 5), (0, 4, 1))
    found = more_wins(fought, LENGTHS)
    assert found is not None
    assert (found.value, found.n) == (pytest.approx(2 / 3), 3)


def test_without_such_duels_it_is_undefined() -> None:
    assert more_wins(duels((2, 3, 1), (0, 4, 1), (0, 1, 0)), LENGTHS) is None
    assert margin_correlation(duels((2, 3, 1)), LENGTHS) is None


def test_a_margin_that_grows_with_the_difference_correlates_fully() -> None:
    found = margin_correlation(duels((0, 1, -1), (2, 0, 3), (1, 2, -2)), LENGTHS)
    assert found is not None
    assert found.value == pytest.approx(1)


def test_the_correlation_of_margins_is_spearmans_of_all_duels_both_ways_round() -> None:
    # differences -10, -20, 30 with margins 1, -2, 3: signed ranks about 0, less one half, are
    # -.5, -1.5, 2.5 and .5, -1.5, 2.5; r = (-.25 + 2.25 + 6.25) / (.25 + 2.25 + 6.25)
    found = margin_correlation(duels((0, 1, 1), (1, 2, -2), (2, 0, 3)), LENGTHS)
    assert found is not None
    assert found.value == pytest.approx(8.25 / 8.75)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(-3, 3)), min_size=1))
def test_which_answer_of_a_duel_comes_first_changes_nothing(
    rows: list[tuple[int, int, int]],
) -> None:
    turned = [(b, a, -margin) for a, b, margin in rows]
    for figure in (more_wins, margin_correlation):
        one, other = figure(duels(*rows), LENGTHS), figure(duels(*turned), LENGTHS)
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert one.value == pytest.approx(other.value)


def rated(*rows: tuple[int, int, float]) -> pl.DataFrame:
    """(prompt, response, score)."""
    return pl.DataFrame(rows, schema=["prompt", "response", "value"], orient="row")


def test_scores_are_correlated_within_prompts_only() -> None:
    # within each prompt the longer answer scores lower; across prompts longer means higher
    lengths = pl.Series([10, 20, 100, 200])
    found = score_correlation(rated((0, 0, 2), (0, 1, 1), (1, 2, 9), (1, 3, 8)), lengths)
    assert found is not None
    assert (found.value, found.n) == (-1.0, 4)


def test_the_score_correlation_of_one_prompt_is_spearmans() -> None:
    # ranks of lengths 1, 2, 3.5, 3.5, of scores 1, 3, 2, 4, centred: (-1.5, -.5, 1, 1) and
    # (-1.5, .5, -.5, 1.5): r = (2.25 - .25 - .5 + 1.5) / sqrt(4.5 * 5)
    found = score_correlation(rated((0, 0, 1), (0, 1, 3), (0, 2, 2), (0, 3, 4)), LENGTHS)
    assert found is not None
    assert found.value == pytest.approx(3 / 22.5**0.5)


def test_answers_of_unknown_length_and_prompts_of_one_score_say_nothing() -> None:
    assert score_correlation(rated((0, 0, 1), (0, 1, 1), (0, 4, 5)), LENGTHS) is None
