import math
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipelines.errors import RecipeError
from pipelines.part import Where, load_table
from pipelines.scoring.score import Score, prompt_scores, score_responses, score_var
from tests.pipelines.tables import UNIT, rows_of


def score(**table):
    return load_table(Score, table, Where("r.toml", "[score]", Path()))


@pytest.fixture
def scored():
    """Scores by response id from (response, judge, score in micro-units) triples."""

    def build(table, triples, responses="rst"):
        frame = rows_of("responses", [{"response_id": one, "prompt_id": "p"} for one in responses])
        judgments = [
            {"response_id": response, "judge": judge, "score": value}
            for response, judge, value in triples
        ]
        result = score_responses(table, frame, rows_of("judgments", judgments))
        return dict(result.select("response_id", "score").rows())

    return build


def test_the_mean_over_samples_is_rounded_half_to_even(scored):
    votes = [
        ("r", "j", 1),
        ("r", "j", 2),
        ("s", "j", 2),
        ("s", "j", 3),
        ("t", "j", 1),
        ("t", "j", 1),
    ]
    assert scored(score(), votes) == {"r": 2, "s": 2, "t": 1}


def test_each_judge_weighs_the_same_however_many_samples_it_gave(scored):
    votes = [("r", "j", 8 * UNIT), ("r", "j", 6 * UNIT), ("r", "j", 7 * UNIT), ("r", "k", 3 * UNIT)]
    assert scored(score(), votes)["r"] == 5 * UNIT


def test_the_score_is_rounded_once_and_not_for_each_judge(scored):
    votes = [("r", "j", 0), ("r", "j", 1), ("r", "k", 2), ("r", "k", 3)]
    assert scored(score(), votes)["r"] == 2  # (0.5 + 2.5) / 2 = 1.5; rounded twice: (0 + 2) / 2


def test_an_unscored_response_is_null_and_never_zero(scored):
    assert scored(score(), [("r", "j", 0), ("s", "j", None)]) == {"r": 0, "s": None, "t": None}


@pytest.mark.parametrize("combine", ["mean", "median", "min", "log_sigmoid"])
def test_without_judgments_nothing_is_scored(scored, combine):
    assert scored(score(combine=combine), []) == {"r": None, "s": None, "t": None}


@pytest.mark.parametrize(
    ("samples", "expected"), [("mean", 5.0), ("median", 3.0), ("min", 2.0), ("max", 10.0)]
)
def test_samples_of_one_judge_are_combined_as_declared(scored, samples, expected):
    votes = [("r", "j", value * UNIT) for value in (2, 10, 3)]
    assert scored(score(samples=samples), votes)["r"] == expected * UNIT


@pytest.mark.parametrize(("combine", "expected"), [("mean", 5.0), ("median", 3.0), ("min", 2.0)])
def test_judges_are_combined_as_declared(scored, combine, expected):
    votes = [("r", judge, value * UNIT) for judge, value in zip("jkl", (2, 10, 3), strict=True)]
    assert scored(score(combine=combine), votes)["r"] == expected * UNIT


def test_the_median_of_two_judges_lies_in_the_middle(scored):
    assert scored(score(combine="median"), [("r", "j", 1), ("r", "k", 4)])["r"] == 2  # 2.5


def test_weights_are_shares_of_their_sum(scored):
    table = score(combine="weighted", weights={"j": 3, "k": Decimal(1)})
    votes = [("r", "j", 8 * UNIT), ("r", "k", 4 * UNIT), ("s", "k", 4 * UNIT)]
    assert scored(table, votes) == {"r": 7 * UNIT, "s": 4 * UNIT, "t": None}


def test_log_sigmoid_sums_the_log_probabilities_of_centred_scores(scored):
    table = score(combine="log_sigmoid", center={"j": Decimal(5), "k": 2})
    votes = [("r", "j", 5 * UNIT), ("r", "k", 4 * UNIT), ("s", "j", 9 * UNIT)]
    expected = math.log(0.5) + math.log(1 / (1 + math.exp(-2)))
    assert scored(table, votes) == {"r": round(expected * UNIT), "s": None, "t": None}


def test_log_sigmoid_stays_finite_far_from_the_centre(scored):
    votes = [("r", "j", -5000 * UNIT), ("s", "j", 5000 * UNIT)]
    assert scored(score(combine="log_sigmoid"), votes, "rs") == {"r": -5000 * UNIT, "s": 0}


def test_require_all_leaves_a_response_unscored_that_one_judge_could_not_read(scored):
    votes = [("r", "j", 1), ("r", "k", None), ("s", "j", 1), ("s", "k", 3)]
    assert scored(score(require="all"), votes, "rs") == {"r": None, "s": 2}
    assert scored(score(), votes, "rs") == {"r": 1, "s": 2}


def test_only_named_judges_count(scored):
    assert scored(score(judges=("k",)), [("r", "j", 9), ("r", "k", 1)])["r"] == 1


def test_a_smaller_rank_is_a_higher_score():
    responses = rows_of("responses", [{"response_id": "r"}, {"response_id": "s"}])
    ranks = [
        {"response_id": "r", "judge": "j", "rank": 1},
        {"response_id": "s", "judge": "j", "rank": 3},
    ]
    result = score_responses(score(), responses, rows_of("judgments", ranks))
    assert result["score"].to_list() == [-UNIT, -3 * UNIT]


def compare(comparison, a, b, verdict, judge="c"):
    return {
        "comparison_id": comparison,
        "response_a_id": a,
        "response_b_id": b,
        "verdict": verdict,
        "judge": judge,
    }


def test_a_named_judge_of_comparisons_scores_by_win_rate():
    responses = rows_of("responses", [{"response_id": one} for one in "rstu"])
    judgments = rows_of(
        "judgments",
        [
            compare("1", "r", "s", "a"),
            compare("2", "r", "t", "tie"),
            compare("3", "t", "r", "a"),
            compare("4", "s", "t", None),
            compare("5", "r", "s", "b", judge="other"),
        ],
    )
    result = score_responses(score(judges=("c",)), responses, judgments)
    assert result.select("response_id", "score", "n_scores").rows() == [
        ("r", UNIT // 2, 3),  # a win, a tie, a loss
        ("s", 0, 1),
        ("t", UNIT * 3 // 4, 2),
        ("u", None, 0),
    ]
    unnamed = score_responses(score(), responses, judgments)
    assert unnamed["score"].null_count() == 4


def test_scoring_again_replaces_the_score():
    responses = rows_of("responses", [{"response_id": "r", "score": 7, "n_scores": 7}])
    result = score_responses(score(), responses, rows_of("judgments", []))
    assert result.select("score", "n_scores").rows() == [(None, 0)]
    assert result.columns == responses.columns


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ({"combine": "weighted"}, "need each other"),
        ({"weights": {"j": 1}}, "need each other"),
        ({"combine": "weighted", "weights": {"j": 1}, "judges": ("j", "k")}, "each of `judges`"),
        ({"combine": "weighted", "weights": {"j": 1, "k": -1}, "require": "all"}, "above 0"),
        ({"combine": "weighted", "weights": {"j": 2, "k": -1}}, 'require = "all"'),
        ({"center": 5}, "log_sigmoid"),
        ({"combine": "avg"}, "log_sigmoid"),
    ],
)
def test_a_score_table_that_cannot_mean_anything_is_refused(table, complaint):
    with pytest.raises(RecipeError, match=complaint):
        score(**table)


def test_weights_name_the_judges():
    assert score(combine="weighted", weights={"k": 1, "j": 1}).judges == ("j", "k")


def test_prompt_scores_sum_exactly_over_responses_and_over_models():
    prompts = rows_of("prompts", [{"prompt_id": "p"}, {"prompt_id": "q"}])
    values = [("m", 10**12), ("m", 10**12 + 1), ("n", 3), ("n", None)]
    rows = [
        {"response_id": str(number), "prompt_id": "p", "model": model, "score": value}
        for number, (model, value) in enumerate(values)
    ]
    result = prompt_scores(prompts, rows_of("responses", rows)).sort("prompt_id")
    columns = ["n_responses", "n_scored", "score_sum", "score_sumsq"]
    squares = 10**24 + (10**12 + 1) ** 2 + 9
    assert result.select(columns).rows() == [(4, 3, 2 * 10**12 + 4, squares), (0, 0, None, None)]
    of_models = ["n_models_scored", "model_score_sum", "model_score_sumsq"]
    # 10**12 + 1/2 rounds to even
    assert result.select(of_models).rows() == [(2, 10**12 + 3, 10**24 + 9), (0, None, None)]
    assert set(result.columns) == set(prompts.columns)


@given(
    votes=st.lists(st.tuples(st.sampled_from("rs"), st.sampled_from("jklm"), st.integers(0, 9))),
    combine=st.sampled_from(["mean", "median", "min", "log_sigmoid"]),
)
def test_the_order_of_judgments_never_changes_a_score(votes, combine):
    rows = [
        {"response_id": response, "judge": judge, "score": value * UNIT // 7}
        for response, judge, value in votes
    ]
    responses = rows_of("responses", [{"response_id": one} for one in "rs"])
    there, back = (
        score_responses(Score(combine=combine), responses, rows_of("judgments", order))
        for order in (rows, rows[::-1])
    )
    assert_frame_equal(there, back)


# ---- judges on different scales


def test_a_zscore_is_the_mean_of_standard_deviations_from_each_judges_mean(scored):
    """j: 1 2 3, mean 2, sd sqrt(2/3); k: 10 10 40, mean 20, sd sqrt(200)."""
    votes = [
        ("r", "j", 1),
        ("s", "j", 2),
        ("t", "j", 3),
        ("r", "k", 10),
        ("s", "k", 10),
        ("t", "k", 40),
    ]
    found = scored(score(combine="zscore"), [(r, j, v * UNIT) for r, j, v in votes])
    of_j, of_k = math.sqrt(3 / 2), math.sqrt(1 / 200)
    expected = {"r": (-of_j - 10 * of_k) / 2, "s": (-10 * of_k) / 2, "t": (of_j + 20 * of_k) / 2}
    assert found == {name: round(value * UNIT) for name, value in expected.items()}


@pytest.mark.parametrize("factor", [1, 1000])
def test_a_zscore_does_not_know_the_scale(scored, factor):
    votes = [("r", "j", 1), ("s", "j", 2), ("t", "j", 9)]
    found = scored(score(combine="zscore"), [(r, j, (v * factor + 5) * UNIT) for r, j, v in votes])
    assert found == {"r": -842_927, "s": -561_951, "t": 1_404_879}


def test_a_judge_that_says_the_same_of_all_has_no_zscore(scored):
    votes = [(r, "j", 5 * UNIT) for r in "rst"]
    assert scored(score(combine="zscore"), votes) == {"r": None, "s": None, "t": None}
    votes += [("r", "k", 0), ("s", "k", UNIT)]
    assert scored(score(combine="zscore"), votes) == {"r": -UNIT, "s": UNIT, "t": None}


# ---- majority


def test_a_majority_beats_whatever_the_margins(scored):
    votes = [("r", judge, 6) for judge in "jkl"]
    votes += [("s", "j", 5), ("s", "k", 5), ("s", "l", 100)]
    found = scored(score(combine="majority"), votes, responses="rs")
    assert found == {"r": UNIT, "s": 0}


@pytest.mark.parametrize(
    ("of_r", "of_s"),
    [
        ((6, 5), (5, 6)),  # one for each
        ((6, 5, 5), (5, 6, 5)),  # one for each, and a tie
        ((6, 5), (5, 5)),  # one for, one tie: neither is said by more than the other
        ((5, 5, 6), (5, 5, 5)),  # most say tie
    ],
)
def test_without_a_majority_it_is_a_tie(scored, of_r, of_s):
    votes = [(name, judge, value) for name, own in (("r", of_r), ("s", of_s))
             for judge, value in zip("jkl", own, strict=False)]  # fmt: skip
    found = scored(score(combine="majority"), votes, responses="rs")
    assert found == {"r": UNIT // 2, "s": UNIT // 2}


def test_among_several_the_share_of_others_that_are_beaten_counts(scored):
    votes = [("r", "j", 9), ("s", "j", 5), ("t", "j", 5)]
    found = scored(score(combine="majority"), votes)
    assert found == {"r": UNIT, "s": UNIT // 4, "t": UNIT // 4}


def test_a_circle_is_a_tie_of_all(scored):
    """Condorcet: j says r > s > t, k says s > t > r, l says t > r > s."""
    orders = {"j": "rst", "k": "str", "l": "trs"}
    votes = [
        (name, judge, -place) for judge, own in orders.items() for place, name in enumerate(own)
    ]
    assert set(scored(score(combine="majority"), votes).values()) == {UNIT // 2}


def test_judges_of_comparisons_and_of_scores_vote_together():
    responses = rows_of("responses", [{"response_id": one, "prompt_id": "p"} for one in "rs"])
    compared = {"comparison_id": "c", "response_a_id": "s", "response_b_id": "r"}
    judgments = rows_of("judgments", [
        {"judge": "pairs", "verdict": "a", **compared},
        {"judge": "more pairs", "verdict": "a", **compared},
        {"judge": "scores", "response_id": "r", "score": 9 * UNIT},
        {"judge": "scores", "response_id": "s", "score": 1 * UNIT},
    ])  # fmt: skip
    named = score(combine="majority", judges=("pairs", "more pairs", "scores"))
    found = score_responses(named, responses, judgments)
    assert dict(found.select("response_id", "score").rows()) == {"r": 0, "s": UNIT}
    assert found["n_scores"].to_list() == [3, 3]
    of_all = score(combine="mean", judges=("pairs", "scores"))
    found = score_responses(of_all, responses, judgments)
    assert dict(found.select("response_id", "score").rows()) == {"r": 4.5 * UNIT, "s": UNIT}


def test_with_require_all_only_what_every_judge_saw_is_decided(scored):
    votes = [("r", "j", 9), ("s", "j", 5), ("t", "j", 1), ("r", "k", 9), ("s", "k", 5)]
    found = scored(score(combine="majority", require="all"), votes)
    assert found == {"r": UNIT, "s": 0, "t": None}


# ---- first


def test_the_first_judge_that_scored_two_responses_speaks_for_the_prompt(scored):
    first = score(combine="first", judges=("strong", "cheap"))
    cheap = [("r", "cheap", 1), ("s", "cheap", 2), ("t", "cheap", 3)]
    assert scored(first, cheap) == {"r": 1, "s": 2, "t": 3}
    both = [*cheap, ("r", "strong", 9), ("t", "strong", 7)]
    assert scored(first, both) == {"r": 9, "s": None, "t": 7}
    one_unread = [*cheap, ("r", "strong", 9), ("t", "strong", None)]
    assert scored(first, one_unread) == {"r": 1, "s": 2, "t": 3}


def test_first_is_told_prompt_by_prompt():
    responses = rows_of(
        "responses", [{"response_id": f"{p}{n}", "prompt_id": p} for p in "pq" for n in "12"]
    )
    votes = [("p1", "cheap", 1), ("p2", "cheap", 2), ("q1", "cheap", 3), ("q2", "cheap", 4),
             ("p1", "strong", 8), ("p2", "strong", 7)]  # fmt: skip
    judgments = [{"response_id": r, "judge": j, "score": v} for r, j, v in votes]
    found = score_responses(
        score(combine="first", judges=("strong", "cheap")),
        responses,
        rows_of("judgments", judgments),
    )
    assert dict(found.select("response_id", "score").rows()) == {"p1": 8, "p2": 7, "q1": 3, "q2": 4}


@pytest.mark.parametrize("table", [{}, {"judges": ("j",), "require": "all"}])
def test_first_needs_its_judges_in_order(table):
    with pytest.raises(RecipeError, match='"first" needs `judges`'):
        score(combine="first", **table)


# ---- how much the judges of one response differ


def test_the_spread_is_over_all_scores_that_went_in_and_null_below_two():
    responses = rows_of("responses", [{"response_id": one, "prompt_id": "p"} for one in "rst"])
    votes = [
        ("r", "j", 0, 2),
        ("r", "j", 1, 4),
        ("r", "k", None, 6),
        ("s", "j", 0, 3),
        ("r", "l", None, 99),
    ]
    judgments = [
        {"response_id": r, "judge": j, "sample_index": i, "score": v * UNIT} for r, j, i, v in votes
    ]
    found = score_responses(score(judges=("j", "k")), responses, rows_of("judgments", judgments))
    assert found.select("n_ratings", "rating_sum", "rating_sumsq").rows() == [
        (3, 12 * UNIT, 56 * UNIT**2),
        (None, None, None),
        (None, None, None),
    ]
    assert found.select(score_var()).to_series().to_list() == [(3 * 56 - 12**2) / 9, None, None]


def test_the_spread_of_zscores_is_in_standard_deviations():
    responses = rows_of("responses", [{"response_id": one, "prompt_id": "p"} for one in "rs"])
    votes = [("r", "j", 1), ("s", "j", 3), ("r", "k", 500), ("s", "k", 100)]
    judgments = rows_of(
        "judgments", [{"response_id": r, "judge": j, "score": v * UNIT} for r, j, v in votes]
    )
    found = score_responses(score(combine="zscore"), responses, judgments)
    assert found.select("n_ratings", "rating_sum", "rating_sumsq").row(0) == (2, 0, 2 * UNIT**2)


@pytest.mark.parametrize("combine", ["zscore", "majority", "first", "mean"])
def test_no_order_of_rows_changes_a_score_of_a_panel(combine):
    names = [f"r{number}" for number in range(12)]
    rows = [
        {"response_id": name, "prompt_id": f"p{number % 3}"} for number, name in enumerate(names)
    ]
    judgments = rows_of("judgments", [
        {"response_id": name, "judge": judge, "sample_index": sample,
         "score": (7919 * (at + 1) * (place + 2) * (sample + 3)) % 10_000_019}
        for at, name in enumerate(names) for place, judge in enumerate("jkl") for sample in (0, 1)
    ])  # fmt: skip
    responses, table = rows_of("responses", rows), score(combine=combine, judges=("l", "j", "k"))
    found = [
        score_responses(table, responses, order)
        for order in (
            judgments,
            judgments.reverse(),
            judgments.sample(fraction=1, shuffle=True, seed=3),
        )
    ]
    assert_frame_equal(found[0], found[1], check_exact=True)
    assert_frame_equal(found[0], found[2], check_exact=True)
