"""docs/iterate.md says what the figures say."""

import json

from tools.proof.rounds import ARMS, FIGURES, LINE, PAGE, PROMPTS, REPORTED, TRAINED, filled


def test_the_table_of_the_page_is_that_of_the_figures():
    page = PAGE.read_text()
    assert filled(page, FIGURES.read_text()) == page


def test_the_figures_are_of_the_experiment_as_it_stands():
    figures = json.loads(FIGURES.read_text())
    assert (figures["prompts"], figures["reported"]) == (PROMPTS, REPORTED)
    found = {name: len(rounds) for name, rounds in figures["arms"].items()}
    assert found == {name: rounds for name, (rounds, _) in ARMS.items()}


def test_the_lines_of_the_command_are_read():
    said = (
        "round 1: dpo@v0001, 1,536 pairs (150 test, 1,386 train), score 0.522, spend 0\n"
        "         trained in an earlier run in 0:52: /a b/dpo-r1\n"
    )
    assert [line["pairs"] for line in LINE.finditer(said)] == ["1,536"]
    assert [line["folder"] for line in TRAINED.finditer(said)] == ["/a b/dpo-r1"]
