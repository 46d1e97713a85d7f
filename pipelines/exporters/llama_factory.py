"""Pairs for LLaMA-Factory's DPO, ORPO and SimPO."""

from pathlib import Path
from typing import Any

import orjson

from pipelines.exporter import Exporter, Written
from pipelines.exporting.files import write_jsonl
from pipelines.exporting.messages import some_message
from pipelines.exporting.pairs import Pairs

TURNS = "list_filter(prompt, lambda m, i: NOT (i = 1 AND m.role = 'system'))"
"""SQL: the messages of the prompt after a leading system message."""

NOT_ALTERNATING = f"""
    len({TURNS}) % 2 = 0
    OR len(list_filter({TURNS}, lambda m, i:
        m.role <> CASE WHEN i % 2 = 1 THEN 'user' ELSE 'assistant' END)) > 0
"""

COLUMNS = {"messages": "messages", "chosen": "chosen", "rejected": "rejected", "system": "system"}

TAGS = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "observation_tag": "observation",
    "function_tag": "function_call",
    "system_tag": "system",
}
"""All of them: a tag that is not named is read as none."""


class LlamaFactory(Exporter):
    """JSON lines with messages, chosen, rejected and system, and a dataset_info.json.

    `messages` alternates between user and assistant and ends with the user; `chosen` and `rejected`
    are one message each; a leading system message stands in `system`. Point `dataset_dir` at the
    folder; the datasets are called NAME_SPLIT. What the format has no place for is left out:
    tools (`uses_tools`), other orders of roles (`roles_not_alternating`), names of speakers
    (`message_has_name`).
    """

    def left_out(self, *, tools: bool) -> dict[str, str]:
        """Pairs that the trainer would skip with a warning, or read without a part of them."""
        richer = {
            "uses_tools": "tools IS NOT NULL OR "
            + some_message("m.role = 'tool' OR m.tool_calls IS NOT NULL"),
            "message_has_name": some_message("m.name IS NOT NULL"),
        }
        return (richer if tools else {}) | {"roles_not_alternating": NOT_ALTERNATING}

    def write(self, pairs: Pairs, folder: Path) -> Written:
        """One file for each split, in published order."""
        examples = map(_example, pairs.each("prompt, chosen, rejected"))
        return Written(write_jsonl(examples, folder / f"{pairs.split}.jsonl"))

    def finish(self, name: str, written: dict[str, Written], folder: Path) -> None:
        """Writes dataset_info.json, by which the trainer finds the splits."""
        info = {
            f"{name}_{split}": {
                "file_name": file,
                "formatting": "sharegpt",
                "ranking": True,
                "columns": COLUMNS,
                "tags": TAGS,
            }
            for split, made in written.items()
            for file in made.files
        }
        text = orjson.dumps(info, option=orjson.OPT_INDENT_2)
        (folder / "dataset_info.json").write_bytes(text + b"\n")


def _example(pair: dict[str, Any]) -> dict[str, Any]:
    messages = [_message(message) for message in pair["prompt"]]
    has_system = messages[0]["role"] == "system"
    return {
        "messages": messages[1:] if has_system else messages,
        "chosen": _message(pair["chosen"][0]),
        "rejected": _message(pair["rejected"][0]),
        "system": messages[0]["content"] if has_system else "",
    }


def _message(message: dict[str, Any]) -> dict[str, Any]:
    return {"role": message["role"], "content": message["content"]}
