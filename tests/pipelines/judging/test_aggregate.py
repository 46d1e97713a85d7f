from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import JudgmentError
from pipelines.judging.aggregate import NOT_APPLICABLE, RULES, Aggregate

GOODNESS = dict(
    zip(
        ("helpfulness", "correctness", "coherence", "complexity", "verbosity"),
        map(Decimal, (".65", ".8", ".45", ".55", "-.4")),
        strict=True,
    )
)


def attributes(*ratings):
    return dict(zip(GOODNESS, map(Decimal, ratings), strict=True))


@pytest.mark.parametrize(
    ("ratings", "goodness"),
    [
        ((4, 4, 4, 2, 2), "7.90"),
        ((3, 4, 4, 2, 2), "7.25"),
        ((4, 4, 4, 4, 0), "9.80"),
        ((0, 0, 0, 0, 4), "-1.60"),
    ],
)
def test_goodness_is_the_sum_of_weight_times_rating(ratings, goodness):
    assert Aggregate("weighted", GOODNESS).score(attributes(*ratings)) == Decimal(goodness)


def test_the_bounds_of_goodness_take_negative_weights_into_account():
    bounds = Aggregate("weighted", GOODNESS).bounds(dict.fromkeys(GOODNESS, (0, 4)))
    assert bounds == (Decimal("-1.6"), Decimal("9.8"))


def test_what_is_missing_is_named():
    said = attributes(4, 4, 4, 2, 2) | {"coherence": "no line", "verbosity": NOT_APPLICABLE}
    for rule in ("mean", "min"):
        with pytest.raises(JudgmentError, match=r"^no score of coherence$"):
            Aggregate(rule, {}).score(said)
    with pytest.raises(JudgmentError, match="no score of coherence, verbosity"):
        Aggregate("weighted", GOODNESS).score(said)


@st.composite
def rated(draw):
    """Scales of some dimensions, an aggregate, and what was said of each."""
    low = draw(st.integers(-3, 3))
    scale = (low, low + draw(st.integers(1, 9)))
    scales = dict.fromkeys(
        draw(st.lists(st.sampled_from("abcdef"), min_size=1, unique=True)), scale
    )
    rule = draw(st.sampled_from([*RULES, *scales]))
    weights = {name: draw(st.decimals(-2, 2, places=2)) for name in scales}
    rating = st.integers(*scale).map(Decimal)
    said = {name: draw(rating | st.sampled_from([NOT_APPLICABLE, "?"])) for name in scales}
    return Aggregate(rule, weights, skips=draw(st.booleans())), scales, said


@given(rated())
def test_a_score_lies_between_the_bounds_or_there_is_none(one):
    aggregate, scales, said = one
    low, high = aggregate.bounds(scales)
    try:
        assert low <= aggregate.score(said) <= high
    except JudgmentError:
        assert not all(isinstance(entry, Decimal) for entry in said.values())


@given(rated())
def test_a_better_rating_never_makes_a_worse_score_but_by_a_negative_weight(one):
    aggregate, scales, said = one
    best = {name: Decimal(high) for name, (_, high) in scales.items()}
    ratings = {name: one if isinstance(one, Decimal) else best[name] for name, one in said.items()}
    for name in scales:
        higher = aggregate.score(ratings | {name: best[name]})
        falls = aggregate.rule == "weighted" and aggregate.weights[name] < 0
        assert higher <= aggregate.score(ratings) if falls else higher >= aggregate.score(ratings)
