from itertools import pairwise
from pathlib import Path

import pytest

from pipelines.errors import RecipeError
from pipelines.publishing.store import Store
from schemas.rows import Message
from tests.exports import add_pair, exported, parquet_rows, plain_version, tool_pairs, version_of
from tests.pipelines.versions import Content, publish


def scored(folder: Path, *scores: tuple[float, float]) -> list[tuple[str, str, str]]:
    """(goal, chosen, rejected) of the rows made of pairs with these scores."""
    content = Content()
    for number, (chosen, rejected) in enumerate(scores):
        add_pair(content, number, f"Q{number}", "better", "worse")
        micro = {"score_chosen": round(chosen * 1e6), "score_rejected": round(rejected * 1e6)}
        content.pairs[-1] |= micro
    version = publish(Store(folder / "store"), "toy", content)[0]
    exported(version, "reward_augmented", folder / "out", instruction="{score}")
    return sorted(
        (row["prompt"][0]["content"], row["chosen"][0]["content"], row["rejected"][0]["content"])
        for row in parquet_rows(folder / "out")
    )


def test_a_pair_of_9_over_6_is_two_rows_and_the_second_is_the_other_way_round(
    tmp_path: Path,
) -> None:
    assert scored(tmp_path, (9, 6)) == [("6", "worse", "better"), ("9", "better", "worse")]


def test_scores_are_written_as_people_write_them(tmp_path: Path) -> None:
    rows = scored(tmp_path, (10, 7.5), (100, 7.333333), (0.75, 0), (20, -3.04))
    goals = {goal for goal, _, _ in rows}
    assert goals == {"10", "7.5", "100", "7.3", "0.8", "0", "20", "-3"}


def test_scores_that_are_written_alike_contradict_each_other_and_are_left_out(
    tmp_path: Path,
) -> None:
    assert len(scored(tmp_path / "one", (9, 6), (7.04, 7.01))) == 2
    with pytest.raises(RecipeError, match=r"none of its pairs \(equal_scores\)"):
        scored(tmp_path / "two", (6, 6))


def test_a_pair_without_scores_is_left_out(tmp_path: Path) -> None:
    pairs = [
        {"prompt": f"Q{n}", "chosen": "yes", "rejected": "no", "margin": 1 if n else None}
        for n in range(3)
    ]
    made = exported(version_of(tmp_path, pairs), "reward_augmented", tmp_path / "out")
    assert sum(one.left_out.get("unscored", 0) for one in made.values()) == 1
    assert sum(one.written.rows for one in made.values()) == 4


def test_the_system_message_of_a_prompt_follows_the_instruction(tmp_path: Path) -> None:
    prompt = (Message("system", "Be brief."), Message("user", "Why?"))
    pairs = [
        {"prompt": prompt, "chosen": "yes", "rejected": "no"},
        {"prompt": "When?", "chosen": "yes", "rejected": "no"},
    ]
    exported(version_of(tmp_path, pairs), "reward_augmented", tmp_path / "out")
    prompts = [[(m["role"], m["content"]) for m in row["prompt"]]
               for row in parquet_rows(tmp_path / "out")]  # fmt: skip
    asks = "Write an answer whose overall score is 3."
    assert [("system", f"{asks}\n\nBe brief."), ("user", "Why?")] in prompts
    assert [("system", asks), ("user", "When?")] in prompts
    assert len(prompts) == 4


def test_the_two_rows_of_a_pair_lie_far_apart(tmp_path: Path) -> None:
    exported(plain_version(tmp_path, 40), "reward_augmented", tmp_path / "out")
    asked = [row["prompt"][-1]["content"] for row in parquet_rows(tmp_path / "out", "train")]
    places = {one: [n for n, other in enumerate(asked) if other == one] for one in asked}
    assert all(b - a == len(asked) // 2 for own in places.values() for a, b in pairwise(own))


def test_tool_calls_stay_what_they_are(tmp_path: Path) -> None:
    version = version_of(tmp_path, tool_pairs())
    exported(version, "reward_augmented", tmp_path / "out")
    exported(version, "trl", tmp_path / "trl")
    row, plain = (parquet_rows(tmp_path / out)[0] for out in ("out", "trl"))
    assert row["prompt"][0].keys() == plain["prompt"][0].keys()
    assert row["prompt"][2] in [one["prompt"][2] for one in parquet_rows(tmp_path / "trl")]
    assert row["tools"] == plain["tools"]


def test_an_instruction_may_hold_quotes_braces_and_the_score_twice(tmp_path: Path) -> None:
    words = "It's {score}/10 {a}: 'score {score}'."
    version = plain_version(tmp_path)
    exported(version, "reward_augmented", tmp_path / "out", instruction=words)
    rows = parquet_rows(tmp_path / "out")
    goals = {row["prompt"][0]["content"].partition("\n")[0] for row in rows}
    assert goals == {"It's 3/10 {a}: 'score 3'.", "It's 1/10 {a}: 'score 1'."}


def test_an_instruction_without_a_score_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"the place of the score, \{score\}, is missing"):
        exported(plain_version(tmp_path), "reward_augmented", tmp_path / "o", instruction="Be good")
