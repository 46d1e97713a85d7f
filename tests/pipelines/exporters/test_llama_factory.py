import json
from pathlib import Path
from typing import Any

import pytest

from schemas.rows import Message
from tests.exports import exported, json_lines, plain_version, tool_pairs, version_of

SYSTEM, USER, ASSISTANT = (Message(role, role) for role in ("system", "user", "assistant"))


def examples(folder: Path) -> list[dict[str, Any]]:
    return [line for file in sorted(folder.glob("*.jsonl")) for line in json_lines(file)]


def left_out(tmp_path: Path, *prompts: tuple[Message, ...]) -> dict[str, int]:
    pairs = [{"prompt": prompt, "chosen": "yes", "rejected": "no"} for prompt in prompts]
    good = {"prompt": "fine", "chosen": "yes", "rejected": "no"}
    made = exported(version_of(tmp_path, [*pairs, good]), "llama_factory", tmp_path / "out")
    reasons: dict[str, int] = {}
    for one in made.values():
        for reason, count in one.left_out.items():
            reasons[reason] = reasons.get(reason, 0) + count
    return reasons


def test_a_row_has_alternating_messages_and_two_single_answers(tmp_path: Path) -> None:
    prompt = (SYSTEM, USER, ASSISTANT, Message("user", "more"))
    pair = {"prompt": prompt, "chosen": "yes", "rejected": "no"}
    exported(version_of(tmp_path, [pair]), "llama_factory", tmp_path / "out")
    assert examples(tmp_path / "out") == [
        {
            "messages": [
                {"role": "user", "content": "user"},
                {"role": "assistant", "content": "assistant"},
                {"role": "user", "content": "more"},
            ],
            "chosen": {"role": "assistant", "content": "yes"},
            "rejected": {"role": "assistant", "content": "no"},
            "system": "system",
        }
    ]


def test_the_info_names_each_split_and_says_that_it_is_a_ranking(tmp_path: Path) -> None:
    exported(plain_version(tmp_path, 60), "llama_factory", tmp_path / "out")
    info = json.loads((tmp_path / "out" / "dataset_info.json").read_text())
    assert set(info) == {"toy_train", "toy_test"}
    for entry in info.values():
        assert (tmp_path / "out" / entry["file_name"]).is_file()
        assert (entry["formatting"], entry["ranking"]) == ("sharegpt", True)
        assert set(entry["columns"].values()) == set(examples(tmp_path / "out")[0])
        assert len(entry["tags"]) == 7


@pytest.mark.parametrize(
    "prompt",
    [
        (USER, USER),
        (ASSISTANT, USER),
        (USER, ASSISTANT),
        (USER, SYSTEM, USER),
        (SYSTEM, SYSTEM, USER),
        (Message("developer", "d"), USER),
    ],
    ids=lambda prompt: "-".join(message.role for message in prompt),
)
def test_an_order_of_roles_that_it_cannot_hold_is_left_out(
    tmp_path: Path, prompt: tuple[Message, ...]
) -> None:
    assert left_out(tmp_path, prompt) == {"roles_not_alternating": 1}
    assert len(examples(tmp_path / "out")) == 1


def test_names_of_speakers_are_left_out_with_their_pair(tmp_path: Path) -> None:
    assert left_out(tmp_path, (Message("user", "Hi", name="Ada"),)) == {"message_has_name": 1}


def test_tools_are_left_out_in_the_prompt_and_in_the_answers(tmp_path: Path) -> None:
    only_defined = {**tool_pairs(1)[0], "prompt": "Q", "chosen": "yes", "rejected": "no"}
    only_called = {**tool_pairs(1)[0], "prompt": "R", "tools": None}
    plain = {"prompt": "S", "chosen": "yes", "rejected": "no"}
    version = version_of(tmp_path, [*tool_pairs(2), only_defined, only_called, plain])
    made = exported(version, "llama_factory", tmp_path / "out")
    assert sum(one.left_out.get("uses_tools", 0) for one in made.values()) == 4
    (row,) = examples(tmp_path / "out")
    assert (row["messages"][0]["content"], row["system"]) == ("S", "")
