"""Joint preferences: an instruction with its answer, over another instruction with its own."""

from pathlib import Path

import pyarrow as pa

from pipelines.exporter import Exporter, Written
from pipelines.exporting.files import write_parquet
from pipelines.exporting.messages import some_message
from pipelines.exporting.pairs import Pairs

COLUMNS = ("i_chosen", "r_chosen", "i_reject", "r_reject")


def _is_joint(side: str) -> str:
    """SQL: whether an answer is an object with an instruction and a response."""
    content = f"{side}[1].content"
    fields = " AND ".join(
        f"coalesce(json_type({content}, '$.{name}') = 'VARCHAR', false)"
        for name in ("instruction", "response")
    )
    return f"CASE WHEN json_valid({content}) THEN {fields} ELSE false END"


IS_JOINT = f"({_is_joint('chosen')} AND {_is_joint('rejected')})"

ASKED = "array_to_string(list_transform(prompt, lambda m: m.content), chr(10) || chr(10))"
SEVERAL_TURNS = "len(list_filter(prompt, lambda m: m.role NOT IN ('system', 'developer'))) > 1"


class Joint(Exporter):
    """Parquet with i_chosen, r_chosen, i_reject and r_reject: for DOVE's loss (arXiv 2404.00530).

    Answers that are JSON objects with `instruction` and `response`, as the recipe
    `joint_preferences` makes them, are taken apart. Of any other pair the instruction is the prompt,
    on both sides, its system message first: the usual preferences, which the paper mixes in. Pairs of
    prompts with several turns (`several_turns`), or with tool calls (`has_tool_calls`), are left
    out.
    """

    def left_out(self, *, tools: bool) -> dict[str, str]:
        """Pairs whose prompt is no single instruction."""
        calls = {"has_tool_calls": some_message("len(m.tool_calls) > 0")} if tools else {}
        return calls | {"several_turns": f"NOT {IS_JOINT} AND {SEVERAL_TURNS}"}

    def write(self, pairs: Pairs, folder: Path) -> Written:
        """The pairs in their published order, which is the seeded shuffle."""
        fields = [
            f"CASE WHEN {IS_JOINT} THEN json_extract_string({side}[1].content, '$.{name}') "
            f"ELSE {plain} END"
            for side in ("chosen", "rejected")
            for name, plain in (("instruction", ASKED), ("response", f"{side}[1].content"))
        ]
        columns = ", ".join(
            f"{field} AS {name}" for field, name in zip(fields, COLUMNS, strict=True)
        )
        schema = pa.schema([(name, pa.string()) for name in COLUMNS])
        query = f"SELECT {columns} FROM pairs ORDER BY order_key"  # noqa: S608 - our own names
        return Written(write_parquet(pairs, query, pairs.rows, schema, folder))
