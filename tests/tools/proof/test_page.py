"""docs/proof.md says what the figures say."""

import json

from tools.proof import difficulty, report
from tools.proof.design import ARMS, COMPARED, SETS, Size
from tools.proof.page import DIFFICULTY, FIGURES, PAGE, REGION, filled


def test_the_tables_of_the_page_are_those_of_the_figures():
    page = PAGE.read_text()
    assert filled(page, FIGURES.read_text(), DIFFICULTY.read_text()) == page
    assert [region[2] for region in REGION.finditer(page)] == [
        *report.tables(json.loads(FIGURES.read_text())),
        *difficulty.tables(json.loads(DIFFICULTY.read_text())),
    ]


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
