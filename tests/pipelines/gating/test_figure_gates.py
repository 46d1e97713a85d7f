from decimal import Decimal

import pytest

from pipelines.errors import RecipeError
from pipelines.gating.cost_figures import cost_figures
from pipelines.gating.figure_gates import (
    OF_COMPARISONS,
    OF_JUDGES,
    FigureGates,
    bound,
    failed_figures,
)
from pipelines.gating.gates import Gates, failed_gates
from pipelines.recipe import make_recipe
from schemas.version import Figure, Manifest


def made(name: str = "length_bias", **fields: object) -> Figure:
    values = {"value": 0.2, "low": 0.1, "high": 0.3, "n": 40, "prompts": 20} | fields
    return Figure.model_validate({"figure": name, **values})


def failures(figures: list[Figure], *counting: str, **gates: str) -> list[str]:
    return list(failed_figures(FigureGates.model_validate(gates), figures, counting))


@pytest.mark.parametrize(
    ("wanted", "holds"),
    [("<= 0.3", True), ("<= 0.2999", False), (">= 0.1", True), (">= 0.1001", False)],
)
def test_the_whole_interval_must_keep_to_a_bound(wanted: str, holds: bool) -> None:
    assert bound(wanted).holds(made()) is holds


@pytest.mark.parametrize(
    ("wanted", "holds"), [("<= 0.2", True), (">= 0.2", True), ("<= .19", False)]
)
def test_without_an_interval_the_value_must(wanted: str, holds: bool) -> None:
    assert bound(wanted).holds(made(low=None, high=None)) is holds


def test_what_is_no_number_keeps_to_no_bound() -> None:
    nothing = made(value=float("nan"), low=None, high=None)
    assert not bound("<= 9").holds(nothing)
    assert not bound(">= 0").holds(nothing)


def test_what_fails_is_said_with_its_interval() -> None:
    assert failures([made()], length_bias="<= 0.25") == [
        "length_bias: 0.2 (95 %: 0.1 to 0.3), and gates.length_bias is <= 0.25"
    ]
    assert failures([made()], length_bias="<= 0.3") == []
    assert failures([made()]) == []


def test_a_figure_that_is_not_defined_keeps_to_no_bound() -> None:
    assert failures([made("tie_rate")], length_bias="<= 0.5") == [
        "length_bias is not defined here, and gates.length_bias is <= 0.5"
    ]


def test_every_judge_that_decides_must_keep_to_it_and_no_other() -> None:
    figures = [made("tie_rate", subject=name) for name in ("critic", "rater", "idle")]
    assert failures(figures, "critic", "rater", tie_rate="<= 0.2") == [
        "tie_rate of critic: 0.2 (95 %: 0.1 to 0.3), and gates.tie_rate is <= 0.2",
        "tie_rate of rater: 0.2 (95 %: 0.1 to 0.3), and gates.tie_rate is <= 0.2",
    ]
    assert failures(figures, "someone", tie_rate="<= 0.9") == [
        "tie_rate of someone is not defined here, and gates.tie_rate is <= 0.9"
    ]
    assert failures(figures, tie_rate="<= 0.9") == [
        "tie_rate is not defined here, and gates.tie_rate is <= 0.9"
    ]


@pytest.mark.parametrize("name", sorted(OF_JUDGES - OF_COMPARISONS))
def test_a_figure_that_one_of_two_deciding_judges_does_not_have_keeps_to_no_bound(
    name: str,
) -> None:
    assert failures([made(name, subject="a")], "a", "b", **{name: "<= 0.9"}) == [
        f"{name} of b is not defined here, and gates.{name} is <= 0.9"
    ]


@pytest.mark.parametrize("name", sorted(OF_COMPARISONS))
def test_figures_of_orders_are_asked_of_judges_that_compare_alone(name: str) -> None:
    gates = FigureGates.model_validate({name: "<= 0.9"})
    figures = [made(name, subject="duels")]
    assert list(failed_figures(gates, figures, ("duels", "rater"), ("duels",))) == []
    assert list(failed_figures(gates, figures, ("duels", "other"), ("duels", "other"))) == [
        f"{name} of other is not defined here, and gates.{name} is <= 0.9"
    ]
    assert list(failed_figures(gates, [], ("rater",), ())) == [
        f"{name} is not defined here, and gates.{name} is <= 0.9"
    ]


def test_a_figure_of_two_judges_names_both() -> None:
    figures = [made("judge_agreement", subject="a", other="b", value=0.6, low=None, high=None)]
    assert failures(figures, judge_agreement=">= 0.7") == [
        "judge_agreement of a and b: 0.6, and gates.judge_agreement is >= 0.7"
    ]


@pytest.mark.parametrize(
    ("name", "wanted", "end"),
    [
        ("length_bias", "<= -1", "below 0"),
        ("length_bias", ">= 0.6", "above 0.5"),
        ("kept_share", ">= 1.01", "above 1"),
        ("mean_chars_chosen", "<= -0.1", "below 0"),
        ("judge_kappa", "<= -1.5", "below -1"),
        ("separability", ">= 2", "above 1"),
    ],
)
def test_a_bound_that_can_never_hold_is_refused(name: str, wanted: str, end: str) -> None:
    with pytest.raises(ValueError, match=f'"{wanted}" can never hold: the figure is never {end}'):
        FigureGates.model_validate({name: wanted})


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("length_bias", "<= 0"), ("kept_share", ">= 1"), ("strength", "<= -3"), ("money", ">= 99")],
)
def test_a_bound_at_the_end_or_within_is_taken(name: str, wanted: str) -> None:
    assert FigureGates.model_validate({name: wanted}).bounds() == {name: bound(wanted)}


def test_every_model_must_keep_to_the_bound_of_strengths() -> None:
    figures = [made("strength", subject="a", value=0.2), made("strength", subject="b", value=-0.2)]
    assert failures(figures, strength="<= 0.25") == [
        "strength of a: 0.2 (95 %: 0.1 to 0.3), and gates.strength is <= 0.25",
        "strength of b: -0.2 (95 %: 0.1 to 0.3), and gates.strength is <= 0.25",
    ]


def spent(**fields: object) -> Manifest:
    """Six calls: two of this run, and four that an earlier one had paid for; and four pairs."""
    file = {"bytes": 1, "sha256": "a" * 64, "rows": 4}
    run = {
        "spent": {"m": {"calls": 2, "money": 0.5}},
        "before": {"m": {"calls": 4, "money": 1.5, **fields}},
    }
    return Manifest.model_validate(
        {
            "name": "x", "recipe_fingerprint": "f" * 64, "content_digest": "c" * 64, "seed": 0,
            "files": {"pairs/train-00000-of-00001.parquet": file}, "schema_hashes": {},
            "code_version": "0", "run": run,
        }
    )  # fmt: skip


def test_money_is_what_all_runs_paid_and_what_a_pair_took() -> None:
    found = {one.figure: (one.value, one.n) for one in cost_figures(spent())}
    assert found == {"money": (2.0, 6), "money_per_pair": (0.5, 4)}
    gates = Gates(money="<= 2", money_per_pair="<= 0.4")
    assert failed_gates(gates, spent(), frozenset()) == [
        "money_per_pair: 0.5, and gates.money_per_pair is <= 0.4"
    ]


@pytest.mark.parametrize("unknown", ["unpriced", "missing_usage"])
def test_money_of_which_some_is_unknown_keeps_to_no_bound(unknown: str) -> None:
    assert failed_gates(Gates(money="<= 99"), spent(**{unknown: 1}), frozenset()) == [
        "money is not defined here, and gates.money is <= 99"
    ]


@pytest.mark.parametrize(
    "wrong", ["0.1", "< 0.1", "<= x", "<= 1e3", "", "<= ٠.١", "<= ０.１", 0.1, None]
)
def test_other_forms_are_refused(wrong: object) -> None:
    with pytest.raises(ValueError, match=r'in the form "<= 0\.1" or ">= 0\.6"'):
        bound(wrong)


def test_bounds_are_exact() -> None:
    assert bound("<=  .10").limit == Decimal("0.10")
    assert str(bound(">= -1")) == ">= -1"


def test_a_figure_that_is_none_is_refused_before_any_call(tmp_path) -> None:
    table = {"name": "x", "gates": {"lenght_bias": "<= 0.1"}}
    with pytest.raises(RecipeError) as refused:
        make_recipe(tmp_path / "x.toml", table)
    assert 'no such key "lenght_bias"; did you mean "length_bias"?' in str(refused.value)
    for name in FigureGates.model_fields:
        assert name in str(refused.value)


def test_a_probe_that_is_not_installed_is_asked_for_before_any_call(monkeypatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    with pytest.raises(ValueError, match=r"pip install 'pairwright\[risks\]'"):
        Gates(separability="<= 0.9")
    assert Gates().separability is None


def test_the_figures_of_judges_are_figures() -> None:
    assert set(FigureGates.model_fields) > OF_JUDGES
