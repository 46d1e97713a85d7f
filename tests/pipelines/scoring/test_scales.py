from decimal import Decimal
from pathlib import Path

import pytest

from flows.options.shipped_recipes import find_recipe
from pipelines.errors import RecipeError
from pipelines.judge import Judge
from pipelines.part import Where
from pipelines.recipe import read_recipe
from pipelines.scoring.scales import check_scales
from pipelines.scoring.score import Score
from tests.pipelines.tables import part

WHERE = Where("r.toml", "", Path())


class Silent(Judge):
    """A judge with a scale."""

    async def judge(self, unit, responses):
        return []


def judge(name, low=None, high=None):
    scale = None if low is None else (Decimal(low), Decimal(high))
    return Silent(kind="silent", name=name, scale=scale)


def check(judges, /, *filters, pairings=(), **score):
    check_scales(judges, pairings, filters, Score(**score), WHERE)


def test_a_threshold_off_the_scale_is_refused_with_the_scale():
    with pytest.raises(RecipeError) as refused:
        check([judge("overall", 1, 10)], part("filters", "min_score", min=Decimal("0.8")))
    assert str(refused.value) == (
        "r.toml: [[filters]] #1 (min_score): no score can be 0.8: the scale of overall is 1 to 10. "
        "A judge that scores on another scale must declare its own `scale`"
    )


def test_all_that_is_off_the_scale_is_told_at_once():
    judges = [judge("overall", 1, 10), judge("checked", 0, 1)]
    filters = [part("filters", "min_score", min=11), part("filters", "margin", min=12)]
    with pytest.raises(RecipeError) as refused:
        check(judges, *filters, pairings=[part("pairings", "correct_wrong", judge="overall")])
    told = [line.partition(": ")[2][:52] for line in str(refused.value).splitlines()]
    assert told == [
        "[score]: combine: judges on different scales (overal",
        "[[pairings]] #1 (correct_wrong): no score can be 0: ",
        "[[filters]] #1 (min_score): no score can be 11: the ",
        "[[filters]] #2 (margin): no margin can be 12: the sc",
    ]


@pytest.mark.parametrize("bound", [1, 10, Decimal("7.5")])
def test_a_threshold_on_the_scale_passes(bound):
    check([judge("overall", 1, 10)], part("filters", "min_score", min=bound))


@pytest.mark.parametrize("fields", [{"min": 10}, {"values": (2, 10)}, {"min": 1, "below": 10}])
def test_a_margin_wider_than_the_scale_is_refused(fields):
    with pytest.raises(RecipeError, match="no margin can be 10"):
        check([judge("overall", 1, 10)], part("filters", "margin", **fields))


def test_a_margin_as_wide_as_the_scale_passes():
    check([judge("overall", 1, 10)], part("filters", "margin", max=9))


def test_without_a_declared_scale_nothing_is_checked():
    check([judge("overall")], part("filters", "min_score", min=99))


def test_several_scales_are_spanned_and_judges_that_do_not_count_are_left_out():
    judges = [judge("a", 0, 9), judge("b", 10, 100)]
    both = {"combine": "weighted", "weights": {"a": 10.0, "b": 1.0}}
    check(judges, part("filters", "min_score", min=50), **both)
    with pytest.raises(RecipeError, match="the scale of a is 0 to 9"):
        check(judges, part("filters", "min_score", min=50), judges=("a",))


def test_a_log_sigmoid_is_never_above_zero():
    judges = [judge("overall", 1, 10)]
    check(judges, part("filters", "min_score", min=Decimal("-0.5")), combine="log_sigmoid")
    check(judges, part("filters", "margin", min=40), combine="log_sigmoid")
    with pytest.raises(RecipeError, match="no score can be 8: a log-sigmoid is"):
        check(judges, part("filters", "min_score", min=8), combine="log_sigmoid")


def test_negative_weights_leave_the_scale_unchecked():
    weights = {"a": 2.0, "b": -1.0}
    judges = [judge("a", 0, 4), judge("b", 0, 4)]
    check(
        judges,
        part("filters", "min_score", min=7),
        combine="weighted",
        weights=weights,
        require="all",
    )


def test_what_a_pairing_takes_for_right_must_lie_on_the_scale_of_the_judge_it_names():
    judges = [judge("overall", 1, 10), judge("checked", 0, 1)]
    own = {"judges": ("overall",)}
    check(judges, pairings=[part("pairings", "correct_wrong", judge="checked")], **own)
    check(judges, pairings=[part("pairings", "correct_wrong")], judges=("checked",))
    with pytest.raises(
        RecipeError, match=r"\[\[pairings\]\] #1 .*no score can be 0: .* of overall"
    ):
        check(judges, pairings=[part("pairings", "correct_wrong", judge="overall")], **own)


@pytest.mark.parametrize("combine", ["mean", "median", "min"])
def test_judges_on_different_scales_have_no_common_mean(combine):
    judges = [judge("overall", 1, 10), judge("checked", 0, 1), judge("unknown")]
    with pytest.raises(RecipeError, match=r"\[score\]: combine: .*overall 1 to 10, checked 0 to 1"):
        check(judges, combine=combine)
    with pytest.raises(
        RecipeError, match=r"overall 1 to 10, unknown on no known scale.*`scale` of a"
    ):
        check(judges, combine=combine, judges=("overall", "unknown"))
    check([judge("one"), judge("other")], combine=combine)
    check([judge("one", 1, 5), judge("other", 1, 5)], combine=combine)


def test_standard_deviations_have_no_scale_and_a_majority_has_its_own():
    judges = [judge("overall", 1, 10), judge("checked", 0, 1)]
    check(judges, part("filters", "margin", min=20), combine="zscore")
    with pytest.raises(RecipeError, match=r"no margin can be 2: a share of responses beaten is 0"):
        check(judges, part("filters", "margin", min=2), combine="majority")


def test_a_win_rate_and_a_rating_have_no_common_mean():
    judges = [judge("overall", 1, 10), part("judges", "pairwise", model="m")]
    with pytest.raises(RecipeError, match=r"overall 1 to 10, pairwise 0 to 1.* no common mean"):
        check(judges, judges=("overall", "pairwise"))
    check(judges)  # unnamed, a judge of comparisons does not count


@pytest.mark.parametrize("strong", [judge("strong", 0, 1), judge("strong")])
def test_a_cascade_over_two_scales_takes_no_threshold(strong):
    judges, first = (
        [judge("cheap", 1, 10), strong],
        {"combine": "first", "judges": ("strong", "cheap")},
    )
    for threshold in (part("filters", "margin", min=2), part("filters", "min_score", min=1)):
        with pytest.raises(RecipeError, match=r'under combine = "first".*cheap 1 to 10'):
            check(judges, threshold, **first)
    check(judges, part("filters", "identical"), **first)
    check(
        [judge("cheap", 1, 10), judge("strong", 1, 10)], part("filters", "margin", min=2), **first
    )


FOR_AIR = [
    {"kind": "margin", "values": (2, 3)},
    {"kind": "min_score", "min": 8},
    {"kind": "variance", "max": Decimal("1.5")},
    {"kind": "margin_schedule", "by": "task", "min": {"math": 2}},
]


@pytest.mark.parametrize("fields", FOR_AIR, ids=[fields["kind"] for fields in FOR_AIR])
def test_thresholds_for_another_scale_are_refused_though_they_are_possible(fields):
    plain, scaled = (part("filters", **fields, **more) for more in ({}, {"scale": (0, 9)}))
    check([judge("overall", 0, 9)], scaled)
    for low, high in ((1, 10), (0, 100)):
        check([judge("overall", low, high)], plain)
        with pytest.raises(
            RecipeError,
            match=rf"#1 \({fields['kind']}\): scale: its thresholds are for scores from 0 to 9, and "
            rf"the scale of overall is {low} to {high}\. Thresholds do not transfer",
        ):
            check([judge("overall", low, high)], scaled)
    with pytest.raises(RecipeError, match="from 0 to 9, and no scale of the scores is known"):
        check([judge("overall")], scaled)
    with pytest.raises(RecipeError, match="and no scale of the scores is known"):
        check([judge("overall", 0, 9)], scaled, combine="zscore")
    assert plain.identity() == scaled.identity()


@pytest.mark.parametrize("scale", ["[1, 10]", "[0, 100]"])
def test_air_is_refused_with_a_judge_on_another_scale(scale):
    assert read_recipe(find_recipe("air")).filters
    with pytest.raises(RecipeError, match="are for scores from 0 to 9"):
        read_recipe(find_recipe("air"), [f"judges.0.scale={scale}"])
