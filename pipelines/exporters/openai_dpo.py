"""Pairs for OpenAI's preference fine-tuning, and for the services that read the same file."""

from pathlib import Path
from typing import Any

import orjson

from pipelines.exporter import Exporter, Written
from pipelines.exporting.files import write_jsonl
from pipelines.exporting.pairs import Pairs

NULLABLE = ("content",)
"""A field that is null where a message has tool calls alone; all other null fields are absent."""


class OpenaiDpo(Exporter):
    """JSON lines with input, preferred_output and non_preferred_output: OpenAI, Azure, Together..."""

    parallel_tool_calls: bool | None = None
    """Written into the input of every pair with tools: whether several calls at once are allowed.
    Not given: the field is absent, which the service reads as true."""

    def write(self, pairs: Pairs, folder: Path) -> Written:
        """One file for each split, in published order."""
        rows = pairs.each("prompt, chosen, rejected, tools")
        return Written(write_jsonl(map(self._example, rows), folder / f"{pairs.split}.jsonl"))

    def _example(self, pair: dict[str, Any]) -> dict[str, Any]:
        given: dict[str, Any] = {"messages": _plain(pair["prompt"])}
        if pair["tools"] is not None:
            given["tools"] = orjson.loads(pair["tools"])
            if self.parallel_tool_calls is not None:
                given["parallel_tool_calls"] = self.parallel_tool_calls
        return {
            "input": given,
            "preferred_output": _plain(pair["chosen"]),
            "non_preferred_output": _plain(pair["rejected"]),
        }


def _plain(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages without their null fields.

    >>> _plain([{"role": "user", "content": "Hi", "name": None}])
    [{'role': 'user', 'content': 'Hi'}]
    """
    return [
        {key: value for key, value in message.items() if value is not None or key in NULLABLE}
        for message in messages
    ]
