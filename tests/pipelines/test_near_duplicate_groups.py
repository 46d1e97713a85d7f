"""Near-duplicate prompts fall into one split, and say so in what is published."""

import json
from pathlib import Path

import pytest

from pipelines.errors import RecipeError
from tests.builds import published, read, run, write_recipe

RECIPE = """
name = "near"

[sources.answers]
kind = "jsonl"
path = "answers.jsonl"

[prompts]
text = "question"
key = "question"
group = "group"

[[samplers]]
kind = "recorded"
prompt = "question"
text = "answer"
key = "id"

[[judges]]
kind = "recorded"
response = "id"
score = "score"

[[pairings]]
kind = "best_worst"

[publish]
splits = { train = 0.5, test = 0.5 }
group_near_duplicates = 0.7
"""

ASKED = "Name {} that a visitor should see in the old town, and tell why it is worth the way"
WORDS = ("a church", "a museum", "a bridge", "a garden")
OTHERS = ("Why is the sea salty?", "How do planes fly?", "What is rust made of?", "Who was Bach?")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    questions = [*map(ASKED.format, WORDS), *OTHERS]
    rows = [
        {
            "question": question,
            "group": "given" if question == OTHERS[0] else None,
            "id": f"{question}{score}",
            "answer": str(score),
            "score": score,
        }
        for question in questions
        for score in (1, 5)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "answers.jsonl").write_text(lines, encoding="utf-8")
    write_recipe(tmp_path, RECIPE)
    return tmp_path


def test_near_duplicates_are_published_as_one_group_in_one_split(folder: Path) -> None:
    for seed in range(3):
        outcome, _ = run(folder, f"seed={seed}")
        prompts = published(outcome, "prompts")
        near = [row for row in prompts if "visitor" in row["messages"][0]["content"]]
        assert len(near) == 4
        assert {row["group_id"] for row in near} == {min(row["prompt_id"] for row in near)}
        assert len({row["split"] for row in near}) == 1
        others = {row["group_id"] for row in prompts if row not in near}
        assert others == {"given", None}
        whose = {row["prompt_id"]: row["group_id"] or row["prompt_id"] for row in prompts}
        splits = {row["prompt_id"]: row["split"] for row in prompts}
        pairs = published(outcome, "pairs")
        assert len(pairs) == 8
        assert all(row["prompt_group_id"] == whose[row["prompt_id"]] for row in pairs)
        assert outcome.version is not None
        for split, rows in outcome.version.manifest.splits().items():
            assert rows == sum(splits[row["prompt_id"]] == split for row in pairs)


def test_without_it_they_are_prompts_like_any_other(folder: Path) -> None:
    write_recipe(folder, RECIPE.replace("group_near_duplicates = 0.7", ""))
    prompts = published(run(folder)[0], "prompts")
    assert [row["group_id"] for row in prompts if row["group_id"]] == ["given"]


@pytest.mark.parametrize("likeness", ["0", "1.1"])
def test_a_likeness_that_there_is_not_is_refused(folder: Path, likeness: str) -> None:
    with pytest.raises(RecipeError, match="group_near_duplicates: a number"):
        read(folder, f"publish.group_near_duplicates={likeness}")
