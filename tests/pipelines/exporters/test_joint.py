import json
from pathlib import Path

from schemas.rows import Message
from tests.exports import exported, parquet_rows, version_of


def joint(instruction: str, response: str) -> str:
    return json.dumps({"instruction": instruction, "response": response})


def test_joint_answers_are_taken_apart_and_others_have_the_prompt_on_both_sides(
    tmp_path: Path,
) -> None:
    pairs = [
        {
            "prompt": "Which?",
            "chosen": joint("Name a tree", "Oak"),
            "rejected": joint("Sing", "No"),
        },
        {"prompt": "Count to 2", "chosen": "1 2", "rejected": '{"response": "2"}'},
    ]
    exported(version_of(tmp_path, pairs), "joint", tmp_path / "out")
    rows = {row["i_chosen"]: row for row in parquet_rows(tmp_path / "out")}
    assert rows["Name a tree"] == {
        "i_chosen": "Name a tree", "r_chosen": "Oak", "i_reject": "Sing", "r_reject": "No",
    }  # fmt: skip
    assert rows["Count to 2"] == {
        "i_chosen": "Count to 2", "r_chosen": "1 2",
        "i_reject": "Count to 2", "r_reject": '{"response": "2"}',
    }  # fmt: skip


def test_a_system_message_goes_with_the_instruction_and_a_conversation_is_none(
    tmp_path: Path,
) -> None:
    system, asked = Message("system", "Be brief."), Message("user", "Why?")
    talk = (Message("user", "Hi"), Message("assistant", "Hello!"), asked)
    pairs = [
        {"prompt": messages, "chosen": "So.", "rejected": "No."}
        for messages in ((system, asked), talk)
    ]
    made = exported(version_of(tmp_path, pairs), "joint", tmp_path / "out")
    [row] = parquet_rows(tmp_path / "out")
    assert row["i_chosen"] == row["i_reject"] == "Be brief.\n\nWhy?"
    assert sum(one.left_out.get("several_turns", 0) for one in made.values()) == 1
