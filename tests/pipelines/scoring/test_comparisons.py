import pytest

from pipelines.judging.comparator import verdict_of
from pipelines.judging.tie_rule import DOVE, FASTCHAT, JUDGEBENCH, PAIRS, TieRule
from pipelines.scoring.comparisons import NO_RULES, consolidate
from tests.pipelines.tables import UNIT, rows_of


@pytest.fixture
def comparison():
    """The one consolidated row of some judgments of comparison "c"."""

    def build(*judgments, judges=(), rules=NO_RULES):
        plain = {"comparison_id": "c", "response_a_id": "r", "response_b_id": "s", "judge": "j"}
        rows = rows_of("judgments", [{**plain, **judgment} for judgment in judgments])
        return consolidate(rows, judges, rules).row(0, named=True)

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


RULES = {"FASTCHAT": FASTCHAT, "DOVE": DOVE, "JUDGEBENCH": JUDGEBENCH, "PAIRS": PAIRS}


@pytest.mark.parametrize(
    ("ab", "ba", "verdict"),
    [  # methods 3.4, label A throughout: correct, correct, tie, correct, incorrect
        ("a", "a", "a"),
        ("a", "tie", "a"),
        ("a", "b", "tie"),
        ("a", None, "a"),
        (None, None, None),
        ("tie", "tie", "tie"),
        ("b", None, "b"),
    ],
)
def test_judgebench_counts_both_orders_and_the_sign_wins(comparison, ab, ba, verdict):
    rows = both_orders({"verdict": ab}, {"verdict": ba})
    assert comparison(*rows, rules={"j": JUDGEBENCH})["verdict"] == verdict


@pytest.mark.parametrize("rule", ["FASTCHAT", "DOVE"])
@pytest.mark.parametrize(
    ("ab", "ba", "verdict"),
    [
        ("a", "a", "a"),
        ("b", "b", "b"),
        ("a", "b", "tie"),
        ("b", "a", "tie"),
        ("a", "tie", "tie"),
        ("a", None, None),
        (None, None, None),
    ],
)
def test_fastchat_and_dove_want_both_orders_to_agree(comparison, rule, ab, ba, verdict):
    rows = both_orders({"verdict": ab}, {"verdict": ba})
    assert comparison(*rows, rules={"j": RULES[rule]})["verdict"] == verdict


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [(("A", "B"), "a"), (("B", "A"), "b"), (("A", "A"), "tie"), (("B", "B"), "tie")],
)
def test_doves_four_letter_combinations(comparison, shown, verdict):
    said = [verdict_of(letter, order) for letter, order in zip(shown, ("AB", "BA"), strict=True)]
    rows = both_orders(*({"verdict": one} for one in said))
    assert comparison(*rows, rules={"j": DOVE})["verdict"] == verdict


def test_pairs_averages_the_orders(comparison):
    row = comparison(*both_orders({"p_a": 0.9}, {"p_a": 0.2}), rules={"j": PAIRS})
    assert (row["verdict"], row["p_a"], row["n_inconsistent"]) == ("a", 550_000, 0)
    row = comparison(*both_orders({"verdict": "a"}, {"verdict": "tie"}), rules={"j": PAIRS})
    assert (row["verdict"], row["p_a"], row["n_inconsistent"]) == ("a", 750_000, 0)
    row = comparison(*both_orders({"verdict": "a"}, {"verdict": "b"}), rules={"j": PAIRS})
    assert (row["verdict"], row["p_a"], row["n_inconsistent"]) == ("tie", 500_000, 1)


def test_probabilities_that_disagree_may_be_a_tie_too(comparison):
    row = comparison(*both_orders({"p_a": 0.9}, {"p_a": 0.2}), rules={"j": FASTCHAT})
    assert (row["verdict"], row["p_a"], row["n_inconsistent"]) == ("tie", 500_000, 1)


@pytest.mark.parametrize("said", [{"verdict": ("a", "b")}, {"p_a": (0.9, 0.2)}])
def test_a_vote_that_is_dropped_is_neither_a_tie_nor_unread(comparison, said):
    [(name, values)] = said.items()
    rows = both_orders(*({name: value} for value in values))
    row = comparison(*rows, rules={"j": TieRule("drop")})
    assert (row["verdict"], row["p_a"], row["n_votes"]) == (None, None, 0)
    assert (row["n_unread"], row["n_inconsistent"]) == (0, 1)
    other = {"judge": "k", "verdict": "b"}
    assert comparison(*rows, other, rules={"j": TieRule("drop")})["verdict"] == "b"


@pytest.mark.parametrize(
    ("p", "verdict"), [(0.55, "tie"), (0.450000, "tie"), (0.550001, "a"), (0.449999, "b")]
)
def test_a_probability_within_the_band_is_a_tie(comparison, p, verdict):
    rule = {"j": TieRule(band=50_000)}
    assert comparison({"p_a": p}, rules=rule)["verdict"] == verdict
    both = both_orders({"p_a": p}, {"p_a": p})
    assert comparison(*both, rules=rule)["verdict"] == verdict


def test_a_band_of_a_quarter_makes_a_verdict_and_a_tie_a_tie(comparison):
    rows = both_orders({"verdict": "a"}, {"verdict": "tie"})
    assert comparison(*rows, rules={"j": TieRule("average", 250_000)})["verdict"] == "tie"
    assert comparison(*rows, rules={"j": TieRule("average", 249_999)})["verdict"] == "a"


def test_each_judge_is_read_by_its_own_rule(comparison):
    rows = [
        *both_orders({"verdict": "a"}, {"verdict": "tie"}),
        *both_orders({"verdict": "a"}, {"verdict": "tie"}, judge="k"),
    ]
    row = comparison(*rows, rules={"k": PAIRS})
    assert (row["n_votes_a"], row["n_ties"], row["p_a"]) == (1, 1, 625_000)


def test_what_is_said_of_one_dimension_counts_only_where_it_is_named(comparison):
    rows = [
        {"verdict": "a"},
        {"verdict": "b", "judge": "j.recheck", "dimension": "recheck", "order": "AB"},
    ]
    assert comparison(*rows)["verdict"] == "a"
    assert comparison(*rows, judges=("j.recheck",))["verdict"] == "b"
