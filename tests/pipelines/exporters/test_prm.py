from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.errors import RecipeError
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from tests.exports import exported, parquet_rows
from tests.pipelines.versions import make_content, publish
from tests.searched import searched
from tests.trees import ENDED, ORACLE

ANSWERS = {"step aa": "aa", "step ab": "ab", "step ba": "ba", "step bb": "bb"}


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Version:
    return searched(tmp_path_factory.mktemp("searched"), questions=1)


def rows(version: Version, out: Path, **settings: Any) -> dict[str, dict[str, Any]]:
    """The rows by the letters of their answers."""
    exported(version, "prm", out, **settings)
    return {ANSWERS[row["completions"][-1]]: row for row in parquet_rows(out)}


def test_every_ended_answer_is_a_row_with_its_steps(version: Version, tmp_path: Path) -> None:
    found = rows(version, tmp_path / "out")
    assert set(found) == {"aa", "ab", "ba", "bb"}
    assert found["ab"] == {
        "prompt": "Question 0?",
        "completions": ["step a", "step ab"],
        "labels": [True, True],
        "values": [1.59, 1.7],
    }
    schema = pq.read_schema(next((tmp_path / "out").glob("train-*")))
    assert [str(one.type) for one in schema] == [
        "string", "list<element: string>", "list<element: bool>", "list<element: double>"
    ]  # fmt: skip


def test_a_step_is_worth_what_the_search_expects_of_the_answer(
    version: Version, tmp_path: Path
) -> None:
    """value + V: .6 + .99 after a, .5 - 1.15 after b, the value itself where the answer ends."""
    found = rows(version, tmp_path / "out")
    assert {name: row["values"] for name, row in found.items()} == {
        "aa": [1.59, -0.5], "ab": [1.59, 1.7], "ba": [-0.65, -0.6], "bb": [-0.65, -0.7]
    }  # fmt: skip
    assert {name: row["labels"] for name, row in found.items()} == {
        "aa": [True, False], "ab": [True, True], "ba": [False, False], "bb": [False, False]
    }  # fmt: skip


def test_a_step_is_as_good_as_the_share_of_right_answers_below_it(
    version: Version, tmp_path: Path
) -> None:
    found = rows(version, tmp_path / "out", values="right")
    assert found["aa"]["values"] == [0.5, 0.0]
    assert found["ab"]["values"] == [0.5, 1.0]
    assert found["bb"]["values"] == [0.0, 0.0]
    above = rows(version, tmp_path / "above", values="right", above=0.5)
    assert above["ab"]["labels"] == [False, True]


def test_the_answer_decided_for_and_those_visited_can_be_had_alone(
    version: Version, tmp_path: Path
) -> None:
    assert set(rows(version, tmp_path / "path", answers="path")) == {"ab"}
    assert set(rows(version, tmp_path / "visited", min_visits=1)) == {"ab", "ba"}


def test_an_answer_with_a_step_that_nobody_valued_is_left_out_and_counted(tmp_path: Path) -> None:
    steps = {**ORACLE, "a": {**ORACLE["a"], "value": None}}
    version = searched(tmp_path / "searched", {"*": steps}, questions=1)
    [made] = exported(version, "prm", tmp_path / "out").values()
    assert made.written.notes == {"unvalued": 2}
    assert len(parquet_rows(tmp_path / "out")) == 2


def test_the_blank_step_that_ends_an_answer_is_none(tmp_path: Path) -> None:
    """A model that has nothing to add ends its answer: there is no text to be labelled."""
    steps = {**ORACLE, "ab": {**ORACLE["ab"], "text": ""}, "ba": {**ORACLE["ba"], "text": " x\r\n"}}
    version = searched(tmp_path / "searched", {"*": steps}, questions=1)
    exported(version, "prm", tmp_path / "out")
    found = {tuple(row["completions"]): row["values"] for row in parquet_rows(tmp_path / "out")}
    assert found[("step a",)] == [1.59]
    assert found["step b", "x"] == [-0.65, -0.6]


def test_a_tree_without_pairs_has_its_rows_too(tmp_path: Path) -> None:
    even = {"a": {"n": 1, "q": 1.0, "value": 1.0, "on_path": True, **ENDED},
            "b": {"n": 1, "q": 1.0, "value": 1.0, **ENDED}}  # fmt: skip
    version = searched(tmp_path / "searched", {"Even?": even}, questions=1)
    exported(version, "prm", tmp_path / "out")
    asked = [row["prompt"] for row in parquet_rows(tmp_path / "out")]
    assert asked.count("Even?") == 2
    assert len(asked) == 6


def test_a_version_without_trees_has_none_to_give(tmp_path: Path) -> None:
    content = make_content()
    content.nodes = []
    version, _ = publish(Store(tmp_path / "store"), "toy", content)
    with pytest.raises(RecipeError, match=r"none of its pairs \(no_tree\)"):
        exported(version, "prm", tmp_path / "out")
