import pytest

from pipelines.bias.position import position
from tests.pipelines.bias.rows import compared, known


def orders(*said: tuple[str | float | None, str | float | None]) -> list[dict[str, object]]:
    """What was said of a comparison shown as AB, and as BA, one comparison for each prompt."""
    return [
        compared(f"p{number}/a", f"p{number}/b", one, order)
        for number, both in enumerate(said)
        for one, order in zip(both, ("AB", "BA"), strict=True)
    ]


def measured(said: list[dict[str, object]]) -> object:
    answers = {f"p{number}/{side}": {"n_chars": 1} for number in range(9) for side in "ab"}
    return position(known(answers, said).judgments)


def test_seven_of_ten_wins_of_the_first_shown_are_a_fairness_of_minus_a_fifth() -> None:
    found = measured(orders(("a", "b"), ("a", "b"), ("a", "a"), ("a", "a"), ("a", "b")))
    # first shown: both orders of three comparisons, one of each of the two others = 8 of 10
    assert found.a_rate.value == 0.8
    found = measured(orders(("a", "b"), ("a", "b"), ("a", "a"), ("a", "a"), ("b", "b")))
    assert (found.a_rate.value, found.a_rate.n) == (0.7, 10)
    assert found.fairness == pytest.approx(-0.2)


def test_orders_without_a_preference_are_left_out_of_the_denominator() -> None:
    found = measured(orders(("tie", "b"), (0.5, 0.25), ("a", None)))
    assert (found.a_rate.value, found.a_rate.n) == (1.0, 3)


def test_a_judge_that_always_says_first_flips_every_vote() -> None:
    found = measured(orders(("a", "b"), ("a", "b")))
    assert (found.flip_rate.value, found.flip_rate.n, found.a_rate.value) == (1.0, 2, 1.0)


def test_a_tie_in_one_order_is_a_flip_and_an_unread_order_is_no_vote() -> None:
    found = measured(orders(("a", "tie"), ("a", "a"), ("a", None), (0.9, 0.6)))
    assert (found.flip_rate.value, found.flip_rate.n) == (pytest.approx(1 / 3), 3)


def test_samples_of_one_comparison_are_votes_of_their_own() -> None:
    said = [
        compared("p0/a", "p0/b", says, order, sample_index=index)
        for index, both in enumerate([("a", "b"), ("a", "a")])
        for says, order in zip(both, ("AB", "BA"), strict=True)
    ]
    found = measured(said)
    assert (found.flip_rate.value, found.flip_rate.n) == (0.5, 2)


def test_without_a_recorded_order_nothing_is_known() -> None:
    found = measured([compared("p0/a", "p0/b", "a", None)])
    assert (found.flip_rate, found.a_rate, found.fairness) == (None, None, None)


def test_the_interval_needs_two_prompts() -> None:
    assert measured(orders(("a", "b"))).a_rate.interval is None
    assert measured(orders(("a", "b"), ("a", "a"))).a_rate.interval == (0.5, 1.0)
