from fractions import Fraction

import pytest

from pipelines.judging.marks import marks_of
from schemas.rows import Judgment

UNIT = 1_000_000


def said(**fields):
    return Judgment("j", "p", "judge", "identity", **fields)


def compared(a="r", b="s", **fields):
    return said(response_a_id=a, response_b_id=b, comparison_id="c", **fields)


def test_a_response_has_the_mean_of_its_samples():
    marks = marks_of([said(response_id="r", score=score) for score in (7.0, 8.0, 8.0)], ["r"])
    assert marks.means() == {"r": Fraction(23 * UNIT, 3)}
    assert marks.spread() == UNIT
    assert not marks.unread


def test_a_rank_is_better_the_smaller_it_is():
    marks = marks_of([said(response_id="r", rank=1), said(response_id="s", rank=2)], "rs")
    assert marks.means()["r"] > marks.means()["s"]


def test_one_readable_sample_is_enough_for_a_response_but_not_one_order_for_a_comparison():
    samples = [said(response_id="r", score=7.0), said(response_id="r", error="no rating")]
    assert not marks_of(samples, "r").unread
    assert marks_of(samples[1:], "r").unread
    orders = [compared(verdict="a"), compared(error="no verdict")]
    assert marks_of(orders, "rs").unread


@pytest.mark.parametrize(
    ("rows", "mean_of_r", "from_even"),
    [
        ([{"verdict": "a"}, {"verdict": "a"}], 1, 0.5),
        ([{"verdict": "a"}, {"verdict": "b"}], 0.5, 0),
        ([{"verdict": "a"}, {"verdict": "tie"}], 0.75, 0.25),
        ([{"p_a": 0.7}, {"p_a": 0.4}], 0.55, 0.05),
        ([{"score_a": 3.0, "score_b": 4.0, "verdict": "a"}], 0, 0.5),
    ],
)
def test_a_comparison_marks_both_by_the_probability_of_being_better(rows, mean_of_r, from_even):
    marks = marks_of([compared(**row) for row in rows], "rs")
    mean = round(mean_of_r * UNIT)
    assert marks.means() == {"r": mean, "s": UNIT - mean}
    assert marks.from_even() == round(from_even * UNIT)


def test_dimensions_and_dropped_responses_do_not_count():
    rows = [
        said(response_id="r", score=1.0),
        said(response_id="r", score=9.0, dimension="honesty"),
        said(response_id="gone", score=9.0),
        compared("r", "gone", verdict="b"),
    ]
    assert marks_of(rows, "rs").means() == {"r": UNIT}


def test_without_judgments_nothing_is_known_and_nothing_is_unread():
    marks = marks_of([], "rs")
    assert (marks.means(), marks.spread(), marks.from_even()) == ({}, 0, None)
    assert not marks.unread


def test_a_judge_that_ranks_by_its_comparisons_is_taken_at_its_ranks():
    ranks = [said(response_id="r", rank=1), said(response_id="s", rank=2)]
    marks = marks_of([*ranks, compared(verdict="b")], "rs")
    assert marks.means() == {"r": -UNIT, "s": -2 * UNIT}
