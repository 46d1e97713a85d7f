import pytest

from pipelines.selection.comparisons import consolidate
from tests.pipelines.tables import UNIT, rows_of


@pytest.fixture
def comparison():
    """The one consolidated row of some judgments of comparison "c"."""

    def build(*judgments, judges=()):
        plain = {"comparison_id": "c", "response_a_id": "r", "response_b_id": "s", "judge": "j"}
        rows = rows_of("judgments", [{**plain, **judgment} for judgment in judgments])
        return consolidate(rows, judges).row(0, named=True)

    return build


def both_orders(ab, ba, **more):
    return [{"order": "AB", **ab, **more}, {"order": "BA", **ba, **more}]


def test_two_orders_that_agree_are_one_vote(comparison):
    row = comparison(*both_orders({"verdict": "b"}, {"verdict": "b"}))
    assert (row["verdict"], row["n_votes"], row["n_votes_b"]) == ("b", 1, 1)
    assert row["score_a"] is None and row["score_b"] is None


@pytest.mark.parametrize("other", ["b", "tie"])
def test_orders_that_disagree_are_an_inconsistent_tie(comparison, other):
    row = comparison(*both_orders({"verdict": "a"}, {"verdict": other}))
    assert row["verdict"] == "tie"
    assert (row["n_votes"], row["n_ties"], row["n_inconsistent"]) == (1, 1, 1)


def test_two_orders_that_both_say_tie_are_consistent(comparison):
    row = comparison(*both_orders({"verdict": "tie"}, {"verdict": "tie"}))
    assert (row["verdict"], row["n_ties"], row["n_inconsistent"]) == ("tie", 1, 0)


def test_an_unreadable_order_makes_its_vote_unread(comparison):
    row = comparison(*both_orders({"verdict": "a"}, {}))
    assert row["verdict"] is None
    assert (row["n_votes"], row["n_unread"], row["n_inconsistent"]) == (0, 1, 0)


def test_an_unread_vote_leaves_the_decision_to_the_others(comparison):
    row = comparison(*both_orders({"verdict": "a"}, {}), {"judge": "k", "verdict": "b"})
    assert (row["verdict"], row["n_votes"], row["n_unread"]) == ("b", 1, 1)


def test_scores_decide_even_against_the_verdict(comparison):
    row = comparison({"score_a": 7 * UNIT, "score_b": 9 * UNIT, "verdict": "a"})
    assert (row["verdict"], row["score_a"], row["score_b"]) == ("b", 7 * UNIT, 9 * UNIT)
    assert row["n_votes_b"] == 1


def test_equal_scores_are_a_tie(comparison):
    row = comparison({"score_a": 8 * UNIT, "score_b": 8 * UNIT})
    assert (row["verdict"], row["n_ties"], row["n_inconsistent"]) == ("tie", 1, 0)


def test_scores_are_means_over_orders_and_then_over_votes(comparison):
    row = comparison(
        *both_orders({"score_a": 8, "score_b": 2}, {"score_a": 6, "score_b": 4}),
        {"score_a": 2, "score_b": 5, "annotator": "x"},
    )
    assert (row["score_a"], row["score_b"]) == (4, 4)  # (7 + 2) / 2 = 4.5 and (3 + 5) / 2
    assert row["verdict"] == "tie"


def test_a_vote_whose_orders_contradict_each_other_has_no_scores(comparison):
    row = comparison(*both_orders({"score_a": 9, "score_b": 1}, {"score_a": 2, "score_b": 3}))
    assert (row["verdict"], row["score_a"], row["n_inconsistent"]) == ("tie", None, 1)


def test_the_opinion_that_most_votes_hold_is_the_verdict(comparison):
    votes = [{"annotator": str(n), "verdict": v} for n, v in enumerate(["a", "b", "b", "tie"])]
    assert comparison(*votes)["verdict"] == "b"


@pytest.mark.parametrize(
    "verdicts", [["a", "b"], ["a", "tie"], ["a", "a", "b", "b", "tie"], ["a", "tie", "tie"]]
)
def test_without_a_single_largest_opinion_the_verdict_is_a_tie(comparison, verdicts):
    votes = [{"annotator": str(n), "verdict": verdict} for n, verdict in enumerate(verdicts)]
    assert comparison(*votes)["verdict"] == "tie"


@pytest.mark.parametrize(
    ("ab", "ba", "verdict"),
    [(0.9, 0.2, "a"), (0.9, 0.1, "tie"), (0.3, 0.6, "b"), (0.5, 0.5, "tie")],
)
def test_probabilities_are_averaged_over_the_orders(comparison, ab, ba, verdict):
    row = comparison(*both_orders({"p_a": ab}, {"p_a": ba}))
    assert (row["verdict"], row["n_votes"], row["n_inconsistent"]) == (verdict, 1, 0)


def test_a_verdict_goes_before_a_probability(comparison):
    assert comparison({"verdict": "b", "p_a": 0.9})["verdict"] == "b"


def test_only_named_judges_vote(comparison):
    votes = [{"verdict": "a"}, {"judge": "k", "verdict": "b"}]
    assert comparison(*votes, judges=("k",))["verdict"] == "b"
    assert comparison(*votes)["verdict"] == "tie"


def test_samples_annotators_and_records_are_votes_of_their_own(comparison):
    votes = [{"verdict": "a", key: value} for key, value in
             [("sample_index", 0), ("sample_index", 1), ("annotator", "x"), ("record_key", "7")]]  # fmt: skip
    assert comparison(*votes)["n_votes"] == 4


def test_judgments_of_single_responses_are_left_out():
    rows = rows_of("judgments", [{"response_id": "r", "judge": "j", "score": 1}])
    assert consolidate(rows).is_empty()
