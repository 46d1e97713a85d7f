"""The views of searches, asked as a user asks them."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.publishing.versions import Version
from pipelines.querying.safe_sql import run_sql
from tests.searched import RECIPE, searched, store_of
from tests.trees import ORACLE

BOTH = RECIPE + '[[pairings]]\nkind = "step_siblings"\nname = "whole"\nanswer = "continuation"\n'


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Version:
    unsolved = {**ORACLE, "ab": {**ORACLE["ab"], "outcome": -1.0}}
    unknown = {**ORACLE, "ab": {**ORACLE["ab"], "outcome": None}}
    trees = {"Unsolved?": unsolved, "Unknown?": unknown}
    folder = tmp_path_factory.mktemp("views")
    return searched(folder, trees, recipe=BOTH, questions=1)


def rows(version: Version, query: str) -> list[dict[str, Any]]:
    with run_sql(store_of(version), query, "trees") as found:
        return found.read_all().to_pylist()


def of_question(version: Version, pairing: str, question: str) -> list[dict[str, Any]]:
    where = f"pairing = '{pairing}' AND messages[1].content = '{question}'"
    query = f"SELECT step_pairs.* FROM step_pairs JOIN prompts USING (prompt_id) WHERE {where}"
    return rows(version, f"{query} ORDER BY depth")


def test_a_pair_has_its_prefix_and_the_figures_of_both_steps(version: Version) -> None:
    first, second = of_question(version, "step_siblings", "Question 0?")
    assert (first["prefix"], second["prefix"]) == ("", "step a\n")
    assert (first["depth"], second["depth"]) == (1, 2)
    assert (first["chosen_step"], first["rejected_step"]) == ("step a\n", "step b\n")
    assert (first["q_chosen"], first["q_rejected"]) == (1.59, -0.65)
    assert first["gap"] == pytest.approx(2.24)
    assert (first["n_chosen"], first["n_rejected"]) == (19, 1)
    assert (first["value_chosen"], first["value_rejected"]) == (0.6, 0.5)
    assert (first["prior_chosen"], first["prior_rejected"]) == (0.5, 0.5)
    assert (first["label_smoothing"], first["p_chosen"]) == (0.05, 0.95)
    assert (second["label_smoothing"], second["p_chosen"]) == (0.0, 1.0)
    assert first["chosen_node_id"] == second["parent_id"]
    assert second["rejected_node_id"].endswith("-aa")


def test_continuations_have_the_figures_of_the_steps_that_parted(version: Version) -> None:
    first, second = of_question(version, "whole", "Question 0?")
    assert (first["chosen_step"], first["rejected_step"]) == ("step a\n", "step b\n")
    assert (first["n_chosen"], first["n_rejected"], first["prefix"]) == (19, 1, "")
    assert second["prefix"] == "step a\n"
    [answer] = rows(
        version, f"SELECT chosen[1].content AS said FROM pairs WHERE pair_id = '{first['pair_id']}'"
    )
    assert answer["said"] == "step a\nstep ab\n"


@pytest.mark.parametrize(
    ("question", "correct"), [("Question 0?", True), ("Unsolved?", False), ("Unknown?", None)]
)
def test_the_path_is_correct_wrong_or_unknown(
    version: Version, question: str, correct: bool | None
) -> None:
    found = of_question(version, "step_siblings", question)
    assert {pair["path_correct"] for pair in found} == {correct}


def test_every_pair_of_steps_is_there_once(version: Version) -> None:
    [counts] = rows(
        version,
        "SELECT (SELECT count(*) FROM pairs) AS pairs, count(*) AS n, count(DISTINCT pair_id) AS ids "
        "FROM step_pairs",
    )
    assert counts == {"pairs": 12, "n": 12, "ids": 12}


def test_every_node_has_the_answer_so_far(version: Version) -> None:
    found = rows(version, "FROM tree_answers")
    assert len(found) == 3 * 7
    roots = [node for node in found if node["parent_id"] is None]
    assert [node["answer"] for node in roots] == [None] * 3
    for node in found:
        if node["depth"] == 2:
            assert node["answer"].endswith(node["step"])
            assert len(node["answer"]) > len(node["step"])


def test_the_decisions_are_counted_as_comparisons(version: Version, tmp_path: Path) -> None:
    strict = searched(tmp_path / "strict", None, "pairings.step_siblings.min_gap=2.21", questions=2)
    [step] = [one for one in strict.manifest.counts if one.level == "comparisons"]
    assert (step.in_, step.kept, step.reasons) == (4, 2, {"gap_too_small": 2})
