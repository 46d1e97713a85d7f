"""docs/proof.md says what the figures say."""

import json

from tools.proof import difficulty, steps
from tools.proof.design import ARMS, COMPARED, SETS, Size
from tools.proof.page import DIFFICULTY, FIGURES, PAGE, REGION, STEPS, filled, tables
from tools.proof.step_sets import CUTS, SEARCHES


def test_the_tables_of_the_page_are_those_of_the_figures():
    page = PAGE.read_text()
    assert filled(page) == page
    assert [region[2] for region in REGION.finditer(page)] == list(tables())


def test_the_figures_are_of_the_design_as_it_stands():
    figures = json.loads(FIGURES.read_text())
    size = Size()
    told = {name: getattr(size, name) for name in figures["size"]}
    assert figures["size"] == told
    assert list(figures["sets"]) == list(SETS)
    assert list(figures["arms"]) == [arm.name for arm in ARMS]
    compared = [(one["of"], one["from"]) for one in figures["differences"]]
    assert compared == [(one.name, other.name) for one, other in COMPARED]
    assert all(len(one["sampled"]["seeds"]) == size.seeds for one in figures["arms"].values())
    tried = {(one["rate"], one["epochs"], one["beta"]) for one in figures["tuning"]}
    assert tried == {
        (setting.rate, setting.epochs, setting.beta)
        for settings in size.grid.values()
        for setting in settings
    }


def test_the_halves_are_those_of_the_experiment():
    bases = json.loads(DIFFICULTY.read_text())["bases"]
    assert tuple(bases) == difficulty.BASES
    for base in bases.values():
        assert tuple(base["halves"]) == tuple(difficulty.HALVES)
        assert {half["pairs"] for half in base["halves"].values()} == {base["pairs"] // 2}
        assert base["rate"] in difficulty.RATES
        assert tuple(base["trained"]) == tuple(difficulty.SETTINGS)


def test_the_steps_are_those_of_the_experiment():
    figures, size = json.loads(STEPS.read_text()), steps.Size()
    assert figures["size"] == {name: getattr(size, name) for name in figures["size"]}
    assert tuple(figures["searches"]) == tuple(SEARCHES)
    assert all(tuple(one["cuts"]) == tuple(CUTS) for one in figures["searches"].values())
    assert tuple(figures["sets"]) == tuple(figures["arms"]) == tuple(steps.ARMS)
    assert [(one["of"], one["from"]) for one in figures["differences"]] == list(steps.COMPARED)
    assert all(len(one["sampled"]["seeds"]) == size.seeds for one in figures["arms"].values())


def test_all_sets_of_steps_and_outcomes_cost_the_same():
    sets = json.loads(STEPS.read_text())["sets"]
    first = sets["steps_likelihood"]["tokens"]
    assert all(abs(one["tokens"] / first - 1) < 0.015 for one in sets.values())
    assert sets["outcomes_as_many"]["pairs"] == sets["steps_likelihood"]["pairs"]
