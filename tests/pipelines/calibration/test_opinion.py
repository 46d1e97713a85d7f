from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.calibration.labelled import Winners
from pipelines.calibration.opinion import Opinion, opinion_of, recorded_opinion, vote
from schemas.rows import Judgment, Order

Said = dict[str, object]


def compared(order: Order | None, *, a: str = "x", b: str = "y", **said: object) -> Judgment:
    """A judgment of responses x and y."""
    ids = {"response_a_id": a, "response_b_id": b, "comparison_id": "c", "order": order}
    return Judgment("id", "p", "judge", "identity", **ids, **said)  # type: ignore[arg-type]


def scored(response: str, **said: object) -> Judgment:
    return Judgment("id", "p", "judge", "identity", response_id=response, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ab", "ba", "verdict"),
    [
        ("a", "a", 1),  # A>B, and A>B after the flip
        ("a", "tie", 1),
        ("a", "b", 0),  # a tie, which is wrong
        ("a", None, 1),
        (None, None, None),
        ("b", "tie", -1),
        ("tie", "tie", 0),
        ("tie", None, 0),
    ],
)
def test_judgebench_votes_over_both_orders(ab, ba, verdict):
    found = recorded_opinion(Winners(ab, ba, (True, True)))
    assert found.verdict == verdict
    assert (found.replies, found.read) == (2, (ab is not None) + (ba is not None))
    both = [
        compared(order, verdict=said) for order, said in (("AB", ab), ("BA", ba))  # type: ignore[arg-type]
    ]  # fmt: skip
    assert opinion_of(both, "x", "y") == found


def test_an_order_that_was_not_asked_for_is_not_unread():
    found = recorded_opinion(Winners("a", None, (True, False)))
    assert (found.replies, found.asked) == (1, (True, False))


def test_orders_and_verdicts_are_told_in_terms_of_the_labelled_sides():
    judgments = [compared("AB", verdict="a"), compared("BA", verdict="tie")]
    assert opinion_of(judgments, "x", "y").orders == (1, 0)
    # y is the labelled a: AB showed the labelled b first, and preferred it
    assert opinion_of(judgments, "y", "x").orders == (0, -1)


def test_samples_of_one_order_make_one_verdict_of_it():
    judgments = [compared("AB", verdict=said) for said in ("a", "a", "b", None)]
    judgments += [compared("BA", verdict=said) for said in ("a", "b")]
    found = opinion_of(judgments, "x", "y")
    assert (found.orders, found.verdict) == ((1, 0), 1)
    assert (found.replies, found.read) == (6, 5)


def test_probabilities_of_both_orders_are_averaged():
    judgments = [compared("AB", p_a=0.9), compared("BA", p_a=0.3)]
    found = opinion_of(judgments, "x", "y")
    assert (found.orders, found.verdict) == ((1, -1), 1)  # the mean is 0.6
    assert found.evidence == pytest.approx(log(0.6 / 0.4))
    assert opinion_of(judgments, "y", "x").evidence == pytest.approx(log(0.4 / 0.6))
    always_a = [compared("AB", p_a=0.8), compared("BA", p_a=0.2)]
    assert opinion_of(always_a, "x", "y").verdict == 0


def test_a_probability_within_the_band_is_a_tie_as_in_a_build():
    judgments = [compared("AB", p_a=0.7), compared("BA", p_a=0.6)]
    assert opinion_of(judgments, "x", "y", 150_000).verdict == 0  # 0.65 is on the edge
    assert opinion_of(judgments, "x", "y", 149_999).verdict == 1
    assert opinion_of(judgments, "x", "y", 150_000).orders == (1, 0)


def test_a_probability_that_one_order_lacks_is_no_evidence():
    found = opinion_of([compared("AB", p_a=0.9), compared("BA", error="cut off")], "x", "y")
    assert (found.verdict, found.evidence) == (1, None)


def test_certainty_is_finite_evidence():
    found = opinion_of([compared("AB", p_a=1.0), compared("BA", p_a=1.0)], "x", "y")
    assert found.evidence is not None
    assert 13 < found.evidence < 14


def test_scores_of_a_comparison_decide_before_its_verdict():
    found = opinion_of([compared("AB", score_a=3.0, score_b=4.0, verdict="a")], "x", "y")
    assert found.verdict == -1


def test_scores_are_compared_by_their_exact_means():
    judgments = [scored("x", score=0.1), scored("x", score=0.2), scored("y", score=0.15)]
    found = opinion_of(judgments, "x", "y")
    assert (found.verdict, found.evidence) == (0, 0.0)
    assert opinion_of([*judgments, scored("y", score=0.9)], "x", "y").verdict == -1


def test_the_difference_of_scores_is_the_evidence():
    found = opinion_of([scored("x", score=8.0), scored("y", score=6.5)], "x", "y")
    assert found == Opinion(verdict=1, evidence=1.5, replies=2, read=2)


def test_a_smaller_rank_is_better():
    assert opinion_of([scored("x", rank=2), scored("y", rank=1)], "x", "y").verdict == -1


def test_a_response_without_a_score_leaves_the_pair_unread():
    found = opinion_of([scored("x", score=8.0), scored("y", error="?")], "x", "y")
    assert (found.verdict, found.replies, found.read) == (None, 2, 1)
    assert opinion_of([], "x", "y") == Opinion()


@given(st.lists(st.sampled_from([1, 0, -1, None])))
def test_a_vote_of_the_others_side_is_the_other_verdict(orders):
    turned = [None if one is None else -one for one in orders]
    found = vote(orders)
    assert vote(turned) == (None if found is None else -found)
