"""Pairs of steps with the accepted prefix in the prompt, for trainers that see no chat template."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import pyarrow as pa
from pydantic import PrivateAttr

from pipelines.exporter import Exporter, Written
from pipelines.exporting.begun import Begun, begun
from pipelines.exporting.chat import Chat, Unrenderable, read_chat
from pipelines.exporting.check import common_prefix
from pipelines.exporting.files import write_examples
from pipelines.exporting.pairs import Pairs
from pipelines.part import Where

ROWS = """
    SELECT prompt, chosen[1].content AS chosen, rejected[1].content AS rejected, tools,
        coalesce(n_chars_prefix, 0) AS n_prefix,
        chosen_response_id NOT IN (FROM unfinished) AS chosen_ends,
        rejected_response_id NOT IN (FROM unfinished) AS rejected_ends
    FROM pairs
"""
SCHEMAS = {
    "ids": pa.schema(
        [(f"{side}_ids", pa.list_(pa.int32())) for side in ("prompt", "chosen", "rejected")]
    ),
    "text": pa.schema([(side, pa.string()) for side in ("prompt", "chosen", "rejected")]),
}

CALLED = "len(chosen[1].tool_calls) > 0 OR len(rejected[1].tool_calls) > 0"


class Steps(Exporter):
    """Parquet rendered by a chat template, whose prompts end with the prefix that was accepted.

    What follows in an answer that goes on is the step alone, without an end of turn; where it ends,
    the template closes it. Pairs that are not of steps have an empty prefix. TRL's DPOTrainer takes
    the tokens if its `_prepare_dataset` gives them back as they are. Answers with tool calls have no
    prefix to speak of and are left out (`uses_tools`); the notes count the pairs of which the
    template does not keep prompt or answer (`not_kept`).
    """

    ends_answers: ClassVar[bool] = False

    tokenizer: str
    """A local folder that holds the tokenizer of the model to be trained, and its chat template."""
    form: Literal["ids", "text"] = "ids"
    """"ids": the tokens `prompt_ids`, `chosen_ids`, `rejected_ids`. "text": prompt, chosen, rejected;
    encode them without adding special tokens, which the template wrote already."""

    _chat: Chat = PrivateAttr()

    def check(self, where: Where) -> None:
        """Reads the tokenizer. Raises RecipeError."""
        self._chat = read_chat(where.root / self.tokenizer)

    def identity(self) -> dict[str, Any]:
        """With what the tokenizer is, wherever it lies."""
        return super().identity() | {"tokenizer_sha256": self._chat.digest}

    def left_out(self, *, tools: bool) -> dict[str, str]:
        """Pairs whose answers call a tool."""
        return {"uses_tools": CALLED} if tools else {}

    def write(self, pairs: Pairs, folder: Path) -> Written:
        """One file, in published order."""
        examples = filter(None, map(self._example, _rows(pairs)))
        files = write_examples(examples, SCHEMAS[self.form], pairs.split, folder)
        not_kept = pairs.rows - sum(files.values())
        return Written(files, {"not_kept": not_kept} if not_kept else {})

    def _example(self, pair: dict[str, Any]) -> dict[str, Any] | None:
        """The row of a pair; None where the template does not keep it."""
        try:
            chosen, rejected = (self._side(pair, side) for side in ("chosen", "rejected"))
        except Unrenderable:
            return None
        if self.form == "text":
            return {"prompt": chosen.prompt, "chosen": chosen.answer, "rejected": rejected.answer}
        return self._tokens(chosen, rejected)

    def _side(self, pair: dict[str, Any], side: str) -> Begun:
        prompt, answer, n_prefix = pair["prompt"], pair[side], pair["n_prefix"]
        return begun(self._chat, prompt, answer, n_prefix, pair["tools"], ends=pair[f"{side}_ends"])

    def _tokens(self, chosen: Begun, rejected: Begun) -> dict[str, Any]:
        """Encoded as wholes, and cut where the prompt's own tokens end in both."""
        texts = [chosen.prompt, *(side.prompt + side.answer for side in (chosen, rejected))]
        prompt, *both = self._chat.encode(texts)
        start = min(common_prefix(prompt, ids) for ids in both)
        return {
            "prompt_ids": prompt[:start],
            "chosen_ids": both[0][start:],
            "rejected_ids": both[1][start:],
        }


def _rows(pairs: Pairs) -> Iterator[dict[str, Any]]:
    for batch in pairs.read(ROWS):
        yield from batch.to_pylist()
