from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.errors import RecipeError
from pipelines.judging.when import When
from pipelines.part import Where, load_table
from schemas.rows import Judgment, Response


def when(**table):
    table = {
        key: Decimal(str(one)) if isinstance(one, float) else one for key, one in table.items()
    }
    return load_table(When, {"judge": "cheap", **table}, Where("r.toml", "[[judges]]", Path()))


def response(name, text=None):
    return Response(name, "p", text or f"text {name}", "m", "m", "s")


RST = [response(name) for name in "rst"]


def rated(**scores):
    return [
        Judgment("j", "p", "cheap", "i", response_id=name, score=score)
        for name, score in scores.items()
    ]


def compared(*verdicts, p_a=None):
    return [
        Judgment("j", "p", "cheap", "i", None, "r", "s", "c", verdict=verdict, p_a=p_a)
        for verdict in verdicts
    ]


def chosen(condition, judgments, responses=RST):
    choice = condition.choose(judgments, responses)
    return "".join(one.response_id for one in choice.responses), choice.doubt


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({"r": 8.0, "s": 7.0, "t": 1.0}, ("", None)),  # exactly 1 apart
        ({"r": 8.0, "s": 7.5, "t": 1.0}, ("rst", "margin")),
        ({"r": 8.0, "s": 5.0, "t": 5.0}, ("", None)),  # the best alone matters
        ({"r": 8.0}, ("", None)),  # there is no next best
    ],
)
def test_a_small_margin_between_the_best_two_is_unsure(scores, expected):
    assert chosen(when(margin_below=1), rated(**scores)) == expected


def test_the_margin_is_compared_exactly():
    """0.3 - 0.2 is below 0.1 in floating point."""
    assert chosen(when(margin_below=0.1), rated(r=0.3, s=0.2)) == ("", None)


def test_equal_texts_make_no_margin():
    twins = [response("r", "same"), response("s", "same"), response("t")]
    assert chosen(when(margin_below=1), rated(r=8.0, s=8.0, t=1.0), twins) == ("", None)


def test_votes_that_differ_by_more_than_the_bound_are_unsure():
    votes = [*rated(r=8.0, s=1.0), *rated(r=6.0)]
    assert chosen(when(spread_above=1), votes) == ("rst", "spread")
    assert chosen(when(spread_above=2), votes) == ("", None)
    assert chosen(when(spread_above=0), rated(r=8.0, s=1.0)) == ("", None)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [(("a", "a"), None), (("a", "b"), "even"), (("tie", "tie"), "even"), (("a", "tie"), None)],
)
def test_orders_that_contradict_each_other_and_ties_are_even(verdicts, expected):
    assert when(even_within=0).choose(compared(*verdicts), RST).doubt == expected


def test_a_probability_near_one_half_is_even_up_to_the_bound():
    assert when(even_within=0.1).choose(compared(None, p_a=0.6), RST).doubt == "even"
    assert when(even_within=0.1).choose(compared(None, p_a=0.61), RST).doubt is None


def test_too_little_mass_is_unsure():
    row = Judgment("j", "p", "cheap", "i", response_id="r", score=1.0, mass=0.8)
    assert chosen(when(mass_below=0.9), [row]) == ("rst", "mass")
    assert chosen(when(mass_below=0.8), [row]) == ("", None)


def test_what_could_not_be_read_is_unsure_unless_told_otherwise():
    votes = rated(r=8.0, s=1.0, t=None)
    assert chosen(when(margin_below=1), votes) == ("rst", "unread")
    assert chosen(when(), votes) == ("rst", "unread")  # a judge in reserve
    assert chosen(when(margin_below=1, unread=False), votes) == ("", None)


def test_extremes_are_the_best_and_the_worst_of_every_prompt():
    assert chosen(when(of="extremes"), rated(r=1.0, s=8.0, t=7.0)) == ("sr", None)


def test_extremes_of_unsure_prompts_alone():
    condition = when(of="extremes", margin_below=2)
    assert chosen(condition, rated(r=1.0, s=8.0, t=7.0)) == ("sr", "margin")
    assert chosen(condition, rated(r=1.0, s=8.0, t=5.0)) == ("", None)


def test_of_equal_scores_the_smaller_id_is_the_extreme_and_texts_differ():
    assert chosen(when(of="extremes"), rated(t=5.0, s=5.0, r=5.0)) == ("rs", None)
    twins = [response("r", "same"), response("s", "same"), response("t")]
    assert chosen(when(of="extremes"), rated(r=5.0, s=5.0, t=5.0), twins) == ("rt", None)
    assert chosen(when(of="extremes"), rated(r=5.0, s=4.0), twins[:2]) == ("", None)


def test_extremes_of_comparisons_are_by_their_mean_probability():
    assert chosen(when(of="extremes"), compared("b", "b")) == ("sr", None)


@pytest.mark.parametrize(
    "table", [{"margin_below": 0}, {"even_within": 0.5}, {"mass_below": 0}, {"of": "pairs"}]
)
def test_conditions_that_cannot_hold_are_refused(table):
    with pytest.raises(RecipeError, match=next(iter(table))):
        when(**table)
