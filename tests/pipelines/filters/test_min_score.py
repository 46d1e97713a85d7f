from decimal import Decimal

import pytest

from tests.pipelines.tables import UNIT, part, reasons


def pair(chosen, rejected):
    return {"score_chosen": chosen, "score_rejected": rejected}


@pytest.mark.parametrize(
    ("side", "expected"),
    [
        ("chosen", [set(), set(), {"score_too_low"}]),
        ("both", [set(), {"score_too_low"}, {"score_too_low"}]),
        ("mean", [set(), {"score_too_low"}, {"score_too_low"}]),
    ],
)
def test_the_declared_side_must_reach_the_bound(side, expected):
    pairs = [pair(8 * UNIT, 8 * UNIT), pair(8 * UNIT, 5 * UNIT), pair(7_999_999, 7 * UNIT)]
    assert reasons(part("filters", "min_score", min=8, side=side), pairs) == expected


def test_the_mean_is_compared_exactly():
    at_bound = part("filters", "min_score", min=Decimal("0.000002"), side="mean")
    assert reasons(at_bound, [pair(3, 1), pair(2, 1)]) == [set(), {"score_too_low"}]


@pytest.mark.parametrize(
    ("side", "pair_", "expected"),
    [
        ("chosen", pair(None, 9), {"unscored"}),
        ("chosen", pair(9 * UNIT, None), set()),
        ("both", pair(9 * UNIT, None), {"unscored"}),
        ("mean", pair(None, None), {"unscored"}),
    ],
)
def test_a_missing_score_that_is_looked_at_is_unscored(side, pair_, expected):
    assert reasons(part("filters", "min_score", min=8, side=side), [pair_]) == [expected]
