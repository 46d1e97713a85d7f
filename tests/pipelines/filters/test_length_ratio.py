from decimal import Decimal

import pytest

from pipelines.errors import RecipeError
from tests.pipelines.tables import part, reasons


def lengths(chosen, rejected):
    return {"chosen_n_chars": chosen, "rejected_n_chars": rejected}


def test_the_band_is_closed_and_exact():
    band = part("filters", "length_ratio", min=Decimal("0.7"), max=Decimal("1.1"))
    pairs = [lengths(7, 10), lengths(69, 100), lengths(11, 10), lengths(111, 100)]
    assert reasons(band, pairs) == [
        set(),
        {"length_ratio_too_low"},
        set(),
        {"length_ratio_too_high"},
    ]


def test_an_empty_text_has_no_ratio():
    pairs = [lengths(0, 5), lengths(5, 0), lengths(None, 5)]
    assert reasons(part("filters", "length_ratio", max=2), pairs) == [{"no_length"}] * 3


@pytest.mark.parametrize(
    ("fields", "complaint"), [({}, "give `min`"), ({"min": 2, "max": 1}, "no ratio lies")]
)
def test_a_band_that_means_nothing_is_refused(fields, complaint):
    with pytest.raises(RecipeError, match=complaint):
        part("filters", "length_ratio", **fields)


def test_a_bound_that_is_as_good_as_none_does_not_overflow():
    band = part("filters", "length_ratio", max=Decimal("1e9"))
    assert reasons(band, [lengths(100_000, 10_000)]) == [set()]
