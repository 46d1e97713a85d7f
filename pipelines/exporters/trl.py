"""Pairs for TRL's DPO trainer."""

from pathlib import Path

import pyarrow as pa

from pipelines.exporter import Exporter, Written
from pipelines.exporting.files import write_parquet
from pipelines.exporting.messages import broken_calls, messages_type
from pipelines.exporting.pairs import Pairs


class Trl(Exporter):
    """Parquet with prompt, chosen and rejected as message lists: TRL's DPOTrainer and its kin.

    `tools` is there where the set has tools, and nothing else is: a column that a trainer does not
    ask for is carried into every batch by some, and changes what is learned in others.
    """

    def left_out(self, *, tools: bool) -> dict[str, str]:
        """Pairs with a tool call whose arguments no template can render."""
        return broken_calls(tools=tools)

    def write(self, pairs: Pairs, folder: Path) -> Written:
        """The pairs in their published order, which is the seeded shuffle."""
        messages = messages_type(tools=pairs.tools)
        columns = [(name, messages) for name in ("prompt", "chosen", "rejected")]
        schema = pa.schema([*columns, ("tools", pa.string())] if pairs.tools else columns)
        query = f"SELECT {', '.join(schema.names)} FROM pairs"  # noqa: S608 - our own names
        return Written(write_parquet(pairs, query, pairs.rows, schema, folder))
