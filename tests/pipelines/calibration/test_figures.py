"""Each figure against numbers worked out by hand."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.calibration.figures import Judged, fairness, first_wins, share
from pipelines.calibration.labelled import ROUND, LabelledPair, Winners
from pipelines.calibration.opinion import Opinion, recorded_opinion
from schemas.calibration import Figure
from schemas.rows import Verdict

LETTERS: dict[str, Verdict | None] = {"a": "a", "b": "b", "t": "tie", "-": None}


def judged(*rows: str, category: str | None = None, **more: object) -> Judged:
    """Rows are label, then what is said with a first and with b first: "aab", "t--"."""
    pairs, opinions = [], []
    for number, (label, ab, ba) in enumerate(rows):
        winners = Winners(LETTERS[ab], LETTERS[ba], (True, True))
        pairs.append(LabelledPair(f"{number}", f"p{number}", LETTERS[label], category=category))
        opinions.append(recorded_opinion(winners))
    return Judged(pairs, opinions)


def values(rows: Judged) -> dict[str, float | None]:
    return {name: figure.value for name, figure in rows.figures().items()}


def test_the_oracle_of_judgebench():
    rows = judged("aaa", "aat", "aab", "aa-", "a--")
    found = rows.figures()
    assert found["accuracy"] == Figure(value=0.6, low=found["accuracy"].low,
                                       high=found["accuracy"].high, n=5)  # fmt: skip
    assert [rows_.verdict for rows_ in rows.opinions] == [1, 1, 0, 1, None]


def test_figures_of_eight_pairs():
    #               both right, tie, flips, unread, b right, b wrong, tie right, flips
    rows = judged("aaa", "aat", "aab", "aa-", "bbb", "baa", "ttt", "bab")
    found = rows.figures()
    assert found["accuracy"].value == 5 / 8  # aaa aat aa- bbb ttt
    assert found["accuracy_read"].value == 5 / 8
    assert found["accuracy_ab"].value == 6 / 8  # all but baa and bab
    assert found["accuracy_ba"].value == 4 / 8  # aaa bbb ttt bab
    assert (found["consistency"].value, found["consistency"].n) == (4 / 7, 7)
    assert (found["ties"].value, found["ties"].n) == (3 / 8, 8)  # aab ttt bab
    assert (found["read"].value, found["read"].n) == (15 / 16, 16)
    # a first wins in 1 2 3 4 6 8, b first in 3 5 8; decided: 8 + 8 less 1 unread and 3 ties
    assert (found["a_rate"].value, found["a_rate"].n) == (9 / 12, 12)
    assert found["fairness"].value == -0.25
    assert found["ece"] == found["ece_scaled"] == Figure(value=None)


def test_unread_counts_as_wrong_and_is_told_apart():
    found = judged("aaa", "a--", "t--", "t-t").figures()
    assert found["accuracy"].value == 0.5  # an unread tie is no right tie
    assert (found["accuracy_read"].value, found["accuracy_read"].n) == (1.0, 2)
    assert found["accuracy_ab"].value == 0.25
    assert found["read"].value == 3 / 8


def test_kappa_is_cohens_with_unread_as_an_opinion_of_its_own():
    # labels a a b b; said a b b b: agreement 3/4, by chance (2*1 + 2*3)/16 = 1/2
    assert judged("aaa", "abb", "bbb", "bbb").figures()["kappa"].value == pytest.approx(0.5)
    # said a - b b: agreement 3/4, by chance (2*1 + 2*2)/16 = 3/8
    assert judged("aaa", "a--", "bbb", "bbb").figures()["kappa"].value == pytest.approx(0.6)


def test_ten_ordered_comparisons_of_which_the_first_shown_wins_seven_are_0_2_unfair():
    # five pairs in both orders: a-first wins 5, b-first wins 2
    rows = judged("aab", "aab", "aaa", "aaa", "aaa")
    assert rows.figures()["fairness"].value == pytest.approx(-0.2)
    # equal probabilities and what is unread are excluded from the denominator
    more = judged("aab", "aab", "aaa", "aaa", "aaa", "att", "a--")
    assert more.figures()["fairness"].value == pytest.approx(-0.2)
    assert more.figures()["fairness"].n == 10


def test_a_judge_that_decides_nothing_has_no_fairness():
    found = judged("att", "b--").figures()
    assert found["a_rate"].value is found["fairness"].value is None


def test_scores_have_no_orders():
    pairs = [LabelledPair(f"{number}", f"p{number}", "a") for number in range(3)]
    opinions = [
        Opinion(verdict=said, evidence=float(said), replies=2, read=2) for said in (1, 0, 1)
    ]
    found = Judged(pairs, opinions).figures()
    assert found["accuracy"].value == pytest.approx(2 / 3)
    assert [found[name].value for name in ("accuracy_ab", "consistency", "a_rate")] == [None] * 3
    assert found["ece"].value is not None


def test_pairs_without_labels_have_no_accuracy_but_fairness():
    rows = judged("aaa", "aab")
    unlabelled = Judged([replace(pair, label=None) for pair in rows.pairs], rows.opinions)
    found = unlabelled.figures()
    assert found["accuracy"] == found["accuracy_ab"] == found["kappa"] == Figure(value=None)
    assert found["fairness"].value == -0.25


def test_categories_weigh_by_their_pairs():
    # RewardBench's sections: 100 pairs at 1.0 and 300 at 0.5 are 0.625
    first, second = judged(*["aaa"] * 100), judged(*["aaa", "abb"] * 150)
    pairs = [*first.pairs, *(replace(one, group=f"q{one.pair_id}") for one in second.pairs)]
    every = Judged(pairs, [*first.opinions, *second.opinions])
    assert every.figures()["accuracy"].value == 0.625


def test_categories_are_told_apart_and_a_single_one_is_not():
    first, second = judged("aaa", "abb", category="x"), judged("bbb", category="y")
    assert first.categories() == {}
    renamed = [replace(pair, group=f"q{pair.pair_id}") for pair in second.pairs]
    both = Judged([*first.pairs, *renamed], [*first.opinions, *second.opinions])
    found = both.categories()
    assert {name: one["accuracy"].value for name, one in found.items()} == {"x": 0.5, "y": 1.0}
    assert found["y"]["accuracy"].low is None  # nothing is known of the spread of one prompt


def test_an_interval_holds_its_figure_and_is_the_same_in_every_run():
    rows = judged(*["aaa", "aab", "bbb", "a-a"] * 10)
    found = rows.figures()
    assert rows.figures() == found
    accuracy = found["accuracy"]
    assert accuracy.low is not None
    assert accuracy.high is not None
    assert 0.5 < accuracy.low < accuracy.value < accuracy.high < 1
    for figure in found.values():
        if figure.value is not None and figure.low is not None and figure.high is not None:
            assert figure.low <= figure.value <= figure.high


@settings(max_examples=10)
@given(st.lists(st.text("ab", min_size=1, max_size=1).flatmap(
    lambda label: st.text("abt-", min_size=2, max_size=2).map(lambda said: label + said)),
    min_size=1, max_size=6))  # fmt: skip
def test_swapping_the_sides_changes_nothing_but_the_orders(rows: list[str]):
    round_ = {"a": "b", "b": "a", "t": "t", "-": "-"}
    turned = [round_[label] + round_[ba] + round_[ab] for label, ab, ba in rows]
    found, other = values(judged(*rows)), values(judged(*turned))
    assert other.pop("accuracy_ab") == pytest.approx(found.pop("accuracy_ba"))
    assert other.pop("accuracy_ba") == pytest.approx(found.pop("accuracy_ab"))
    assert other == pytest.approx(found)
    assert ROUND[ROUND["a"]] == "a"


def test_shares_of_nothing_are_undefined():
    import numpy as np

    none = np.zeros(3)
    assert share(none, none) is fairness(none, none) is None
    assert first_wins(np.full((2, 3), np.nan))[1].sum() == 0
