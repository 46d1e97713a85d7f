from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.exports import exported, parquet_rows, plain_version, tool_pairs, version_of


def answers(rows: list[dict[str, Any]]) -> list[tuple[str, str, bool]]:
    return [
        (row["prompt"][-1]["content"], row["completion"][0]["content"], row["label"])
        for row in rows
    ]


def test_every_answer_is_one_row_with_a_boolean_label(tmp_path: Path) -> None:
    exported(plain_version(tmp_path, 24), "kto", tmp_path / "out")
    schema = pq.read_schema(next((tmp_path / "out").glob("train-*")))
    assert schema.names == ["prompt", "completion", "label"]
    assert schema.field("label").type == pa.bool_()
    rows = answers(parquet_rows(tmp_path / "out"))
    assert len(rows) == len(set(rows)) == 48
    assert {label for _, answer, label in rows if " A answer" in answer} == {True}
    assert {label for _, answer, label in rows if " C answer" in answer} == {False}


def test_an_answer_in_several_pairs_is_there_once_and_a_contradiction_not_at_all(
    tmp_path: Path,
) -> None:
    """a > b, a > c, b > c: b is chosen once and rejected once; a and c are each there twice."""
    pairs = [
        {"prompt": "Q", "chosen": chosen, "rejected": rejected}
        for chosen, rejected in ("ab", "ac", "bc")
    ]
    other = {"prompt": "R", "chosen": "b", "rejected": "x"}
    made = exported(version_of(tmp_path, [*pairs, other]), "kto", tmp_path / "out")
    notes = [one.written.notes for one in made.values()]
    total = {name: sum(note.get(name, 0) for note in notes) for name in notes[0]}
    assert total["contradictory"] == 2
    assert total["repeated"] == 2
    assert (total["desirable"], total["undesirable"]) == (2, 2)
    assert set(answers(parquet_rows(tmp_path / "out"))) == {
        ("Q", "a", True),
        ("Q", "c", False),
        ("R", "b", True),
        ("R", "x", False),
    }


def test_both_sides_of_every_pair_are_accounted_for(tmp_path: Path) -> None:
    grades = "abcd"
    pairs = [
        {"prompt": f"Q{number}", "chosen": chosen, "rejected": rejected}
        for number in range(6)
        for place, chosen in enumerate(grades)
        for rejected in grades[place + 1 :]
    ]
    for one in exported(version_of(tmp_path, pairs), "kto", tmp_path / "out").values():
        notes = one.written.notes
        dropped = notes["contradictory"] + notes["repeated"]
        assert 2 * one.pairs == one.written.rows + dropped
        assert one.written.rows == notes["desirable"] + notes["undesirable"]


def test_with_two_answers_to_each_prompt_siblings_are_as_far_apart_as_can_be(
    tmp_path: Path,
) -> None:
    made = exported(plain_version(tmp_path, 24), "kto", tmp_path / "out")
    rows = parquet_rows(tmp_path / "out", "train")
    prompts = [row["prompt"][-1]["content"] for row in rows]
    n = len(prompts) // 2
    assert all(prompts[place] == prompts[place + n] for place in range(n))
    assert made["train"].written.notes["siblings_apart"] == n


def test_labels_are_mixed(tmp_path: Path) -> None:
    """Labels are drawn: 12 of one kind in a row have a chance of 1 in 4,000 at each place."""
    exported(plain_version(tmp_path, 60), "kto", tmp_path / "out")
    labels = "".join("+-"[row["label"]] for row in parquet_rows(tmp_path / "out", "train"))
    assert "+" * 12 not in labels
    assert "-" * 12 not in labels


def test_tools_are_a_column_where_the_set_has_them(tmp_path: Path) -> None:
    exported(version_of(tmp_path, tool_pairs()), "kto", tmp_path / "out")
    schema = pq.read_schema(next((tmp_path / "out").glob("*.parquet")))
    assert schema.names == ["prompt", "completion", "label", "tools"]
