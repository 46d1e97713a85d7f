"""Intraclass correlations against Shrout and Fleiss (1979), tables 2 to 4."""

import numpy as np
import pytest

from pipelines.agreement.icc import Form, icc

FOUR_JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
PUBLISHED: dict[Form, float] = {
    "1,1": 0.17,
    "2,1": 0.29,
    "3,1": 0.71,
    "1,k": 0.44,
    "2,k": 0.62,
    "3,k": 0.91,
}


@pytest.mark.parametrize("form", PUBLISHED)
def test_the_published_table(form: Form) -> None:
    assert icc(FOUR_JUDGES, form) == pytest.approx(PUBLISHED[form], abs=0.005)


@pytest.mark.parametrize("form", PUBLISHED)
def test_units_with_a_gap_are_left_out(form: Form) -> None:
    with_gap = np.vstack([FOUR_JUDGES, [1, np.nan, 9, 9]])
    assert icc(with_gap, form) == icc(FOUR_JUDGES, form)


@pytest.mark.parametrize("form", PUBLISHED)
def test_undefined_with_one_unit_one_rater_or_no_variation(form: Form) -> None:
    assert icc(FOUR_JUDGES[:1], form) is None
    assert icc(FOUR_JUDGES[:, :1], form) is None
    assert icc(np.full((5, 3), 0.1), form) is None


def test_leniency_alone_is_no_error_of_the_third_form_and_is_one_of_the_second() -> None:
    units = np.array([[1.0, 2.1], [2.0, 3.1], [4.0, 5.1]])
    assert icc(units, "3,1") == pytest.approx(1)
    second = icc(units, "2,1")
    assert second is not None
    assert second < 0.8


def test_a_denominator_that_is_zero_but_for_rounding_gives_none() -> None:
    """Every unit has the mean 1.2: raters differ, units do not."""
    units = np.array([[1.1, 1.3], [1.3, 1.1], [1.15, 1.25]])
    assert icc(units, "1,k") is None
    assert icc(units, "3,k") is None
    assert icc(units, "1,1") == pytest.approx(-1)
