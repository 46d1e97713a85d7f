import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import RecipeError
from pipelines.source import BadRow

ASKED = "Name a tree. It is old. It is tall. It is near."
CONSTRAINTS = [
    {"name": "c1", "text": "It is old.", "opposite": "It is young."},
    {"name": "c2", "text": "It is tall.", "opposite": "It is small."},
    {"name": "c3", "text": "It is near.", "opposite": "It is far."},
]


def write_version(root, vectors, asked=ASKED, constraints=CONSTRAINTS, **judgments):
    """A version with one prompt: answer -> what it keeps to, by constraint."""
    names = [one["name"] if "name" in one else one["id"] for one in constraints]
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": asked}]
    prompt = {
        "prompt_id": "p",
        "messages": messages,
        "tools": None,
        "group_id": None,
        "reference": json.dumps(constraints),
        "license": "MIT",
        "lang": "en",
        "task": None,
    }
    answers = [{"response_id": id_, "prompt_id": "p", "text": f"Text {id_}", "model": "m",
                "kept": True, "norm_hash": id_} for id_ in vectors]  # fmt: skip
    said = [{"response_id": id_, "judge": "check", "dimension": name, "score": score}
            for id_, vector in vectors.items()
            for name, score in zip(names, vector, strict=True)]  # fmt: skip
    for table, rows in {"prompts": [prompt], "responses": answers, "judgments": said}.items():
        (root / "v1" / table).mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist(rows), root / "v1" / table / "0.parquet")


def read(source, root, **fields):
    return list(source("reversed_constraints", version="v1", judge="check", **fields).rows(root))


def test_each_of_two_answers_is_perfect_to_a_prompt_of_its_own(source, tmp_path):
    # arXiv 2505.22172: yi = [1,0,1], yj = [1,1,0] -> g = 2; [c1, not c2, c3] and [c1, c2, not c3]
    write_version(tmp_path, {"i": [1.0, 0.0, 1.0], "j": [1.0, 1.0, 0.0]})
    first, second = read(source, tmp_path)
    contents = [[message["content"] for message in row["messages"]] for row in (first, second)]
    assert contents == [
        ["Be brief.", "Name a tree. It is old. It is small. It is near."],
        ["Be brief.", "Name a tree. It is old. It is tall. It is far."],
    ]
    assert [(row["chosen"], row["rejected"]) for row in (first, second)] == [
        ("Text i", "Text j"), ("Text j", "Text i"),
    ]  # fmt: skip
    assert [(row["kept_chosen"], row["kept_rejected"], row["g"]) for row in (first, second)] == [
        (3, 1, 2), (3, 1, 2),
    ]  # fmt: skip
    assert [row["reversed"] for row in (first, second)] == ['["c2"]', '["c3"]']
    assert first["sat_rejected"] == "[1,0,0]"
    assert {row["group"] for row in (first, second)} == {"p"}
    assert json.loads(first["reference"])[1] == {
        "name": "c2", "text": "It is small.", "opposite": "It is tall.",
    }  # fmt: skip


def test_answers_that_keep_to_the_same_make_no_row(source, tmp_path):
    write_version(tmp_path, {"i": [1.0, 0.0, 1.0], "j": [1.0, 0.0, 1.0], "k": [1.0, 1.0, 1.0]})
    rows = read(source, tmp_path)
    assert [(row["chosen"][-1], row["rejected"][-1], row["g"]) for row in rows] == [
        ("i", "k", 1), ("j", "k", 1), ("k", "i", 1), ("k", "j", 1),
    ]  # fmt: skip
    assert rows[0]["chosen_key"] != rows[3]["rejected_key"]
    assert rows[2]["chosen_key"] == rows[3]["chosen_key"]  # one response, to one prompt
    assert len(read(source, tmp_path, most=2)) == 0


def test_an_answer_of_which_the_judge_is_unsure_is_told_and_left_out(source, tmp_path):
    write_version(tmp_path, {"i": [1.0, None, 1.0], "j": [1.0, 1.0, 0.0], "k": [0.0, 1.0, 1.0]})
    bad, *rows = read(source, tmp_path)
    assert bad == BadRow("i", "the judge is not sure of c2")
    assert len(rows) == 2


@pytest.mark.parametrize("not_found", ["drop", "append"])
def test_a_constraint_in_other_words_is_told_or_its_opposite_added(source, tmp_path, not_found):
    asked = "Name an old, tall tree near here. It is near."
    write_version(tmp_path, {"i": [1.0, 0.0, 0.0], "j": [1.0, 1.0, 1.0]}, asked)
    one, other = read(source, tmp_path, not_found=not_found)
    assert other["messages"][-1]["content"] == asked  # j fails nothing
    if not_found == "drop":
        assert one == BadRow("i over j", "c2 is not in the prompt word for word")
    else:
        assert one["messages"][-1]["content"] == (
            "Name an old, tall tree near here. It is far.\n\n"
            "Some of this has changed. What counts instead:\n- It is small."
        )


def test_a_constraint_without_a_clear_opposite_makes_no_row(source, tmp_path):
    constraints = [{"id": "two_responses"}, {"id": "no_comma"}]
    asked = "Name trees. Use no commas."
    write_version(tmp_path, {"i": [0.0, 1.0], "j": [1.0, 0.0]}, asked, constraints)
    bad, row = read(source, tmp_path)
    assert bad == BadRow("i over j", "two_responses has no clear opposite")
    assert row["messages"][-1]["content"] == "Name trees. Use at least one comma."


def test_a_reference_without_constraints_is_told(source, tmp_path):
    write_version(tmp_path, {"i": [1.0], "j": [0.0]}, constraints=[{"name": "c1"}])
    assert read(source, tmp_path) == [BadRow("p", "a constraint has no name or no text")]


def test_a_version_that_is_not_there_is_refused_before_anything_is_read(source):
    with pytest.raises(RecipeError, match=re.escape("no file matches v1/prompts/*.parquet")):
        source("reversed_constraints", version="v1", judge="check")
