import pytest

from pipelines.agreement.bootstrap import Interval
from pipelines.iterating.figures import Mean
from pipelines.iterating.stops import Rules, has_risen, out_of_patience, too_few


@pytest.mark.parametrize(
    ("interval", "risen"),
    [
        (Interval(0.01, 0.2), True),
        (Interval(0.0, 0.2), False),
        (Interval(-0.1, 0.3), False),
        (None, False),
    ],
)
def test_a_score_has_risen_where_its_whole_interval_lies_above_zero(
    interval: Interval | None, risen: bool
) -> None:
    assert has_risen(Mean(0.1, interval, 50)) is risen


def test_without_held_out_prompts_nothing_has_risen() -> None:
    assert not has_risen(None)


def test_patience_counts_rounds_in_a_row_and_the_first_has_nothing_to_rise_from() -> None:
    rules = Rules(9, patience=1)
    assert out_of_patience(rules, []) is None
    assert out_of_patience(rules, [True]) is None
    assert "for a round" in str(out_of_patience(rules, [True, False]))
    assert out_of_patience(Rules(9), [False] * 8) is None


def test_as_many_pairs_as_were_asked_for_are_enough() -> None:
    assert too_few(Rules(3, min_pairs=7), 1, 7) is None
    assert too_few(Rules(3), 1, 0) == "round 1 has 0 pairs to train on, fewer than 1"
