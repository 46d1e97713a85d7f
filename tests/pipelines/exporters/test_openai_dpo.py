from pathlib import Path
from typing import Any

from openai.types.chat import ChatCompletionMessageParam
from pydantic import TypeAdapter

from schemas.rows import Message
from tests.exports import exported, json_lines, tool_pairs, version_of

MESSAGES = TypeAdapter(list[ChatCompletionMessageParam])


def examples(folder: Path) -> list[dict[str, Any]]:
    return [line for file in sorted(folder.glob("*.jsonl")) for line in json_lines(file)]


def test_a_plain_pair_is_input_and_two_outputs(tmp_path: Path) -> None:
    prompt = (Message("system", "Be brief."), Message("user", "Ünï?"))
    pair = {"prompt": prompt, "chosen": "yes", "rejected": "no"}
    exported(version_of(tmp_path, [pair]), "openai_dpo", tmp_path / "out")
    assert examples(tmp_path / "out") == [
        {
            "input": {
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "user", "content": "Ünï?"},
                ]
            },
            "preferred_output": [{"role": "assistant", "content": "yes"}],
            "non_preferred_output": [{"role": "assistant", "content": "no"}],
        }
    ]


def test_tools_are_a_list_and_a_message_has_no_null_but_its_content(tmp_path: Path) -> None:
    plain = {"prompt": "Hello", "chosen": "Hi", "rejected": "Go"}
    version = version_of(tmp_path, [*tool_pairs(2), plain])
    exported(version, "openai_dpo", tmp_path / "out", parallel_tool_calls=False)
    inputs = [example["input"] for example in examples(tmp_path / "out")]
    with_tools = [given for given in inputs if "tools" in given]
    assert len(with_tools) == 2
    assert with_tools[0]["tools"][0]["function"]["name"] == "weather"
    assert [given.get("parallel_tool_calls") for given in with_tools] == [False, False]
    assert [given for given in inputs if "tools" not in given] == [
        {"messages": [{"role": "user", "content": "Hello"}]}
    ]
    called = with_tools[0]["messages"][2]
    assert called["content"] is None
    assert set(called) == {"role", "content", "tool_calls"}
    assert set(with_tools[0]["messages"][3]) == {"role", "content", "tool_call_id"}


def test_every_message_is_one_that_the_api_takes(tmp_path: Path) -> None:
    exported(version_of(tmp_path, tool_pairs()), "openai_dpo", tmp_path / "out")
    for example in examples(tmp_path / "out"):
        for messages in (
            example["input"]["messages"],
            example["preferred_output"],
            example["non_preferred_output"],
        ):
            MESSAGES.validate_python(messages)


def test_parallel_tool_calls_is_absent_unless_asked_for(tmp_path: Path) -> None:
    exported(version_of(tmp_path, tool_pairs(2)), "openai_dpo", tmp_path / "out")
    for example in examples(tmp_path / "out"):
        assert set(example["input"]) == {"messages", "tools"}
