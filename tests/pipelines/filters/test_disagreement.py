from decimal import Decimal

import pytest

from tests.pipelines.tables import UNIT, part, reasons


def rated(*scores):
    return {
        "n_ratings": len(scores),
        "rating_sum": sum(scores) * UNIT,
        "rating_sumsq": sum(score**2 for score in scores) * UNIT**2,
    }


ALONE = {"n_ratings": None, "rating_sum": None, "rating_sumsq": None}


def test_a_variance_at_the_bound_is_kept_and_one_above_it_dropped():
    disagreement = part("filters", "disagreement", max=4)
    rows = [rated(3, 7), rated(3, 8), rated(5, 5, 5)]  # variances 4, 6.25, 0
    assert reasons(disagreement, rows) == [set(), {"judges_disagree"}, set()]


def test_the_bound_is_compared_exactly():
    """Scores 1, 1, 2: 2/9 is above 0.222222 and below 0.222223."""
    for bound, why in (("0.222222", {"judges_disagree"}), ("0.222223", set())):
        assert reasons(part("filters", "disagreement", max=Decimal(bound)), [rated(1, 1, 2)]) == [
            why
        ]


@pytest.mark.parametrize(("alone", "why"), [(True, set()), (False, {"too_few_scores"})])
def test_a_single_score_is_kept_unless_told_otherwise(alone, why):
    assert reasons(part("filters", "disagreement", max=0, alone=alone), [ALONE]) == [why]
