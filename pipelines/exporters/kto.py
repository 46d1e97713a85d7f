"""Single answers with a label, for TRL's KTO trainer."""

from pathlib import Path
from typing import ClassVar

import polars as pl
import pyarrow as pa

from pipelines.exporter import Exporter, Written
from pipelines.exporting.files import write_parquet
from pipelines.exporting.messages import broken_calls, messages_type
from pipelines.exporting.pairs import Pairs
from pipelines.exporting.spread import least_distance, spread

ANSWERS = """
    CREATE OR REPLACE TEMP TABLE answers AS
    SELECT prompt_id, answer, bool_and(label) AS label, min(order_key) AS order_key,
        count(*) AS sides, count(DISTINCT label) > 1 AS contradictory
    FROM (
        SELECT prompt_id, md5(to_json(chosen)::VARCHAR) AS answer, true AS label, order_key
        FROM pairs
        UNION ALL
        SELECT prompt_id, md5(to_json(rejected)::VARCHAR), false, order_key FROM pairs
    )
    GROUP BY prompt_id, answer
"""
"""The first pass, which leaves no text: each answer to a prompt once, and a pair that holds it."""

COUNTS = """
    SELECT
        coalesce(sum(sides) FILTER (contradictory), 0)::BIGINT AS contradictory,
        coalesce(sum(sides - 1) FILTER (NOT contradictory), 0)::BIGINT AS repeated,
        count(*) FILTER (label AND NOT contradictory) AS desirable,
        count(*) FILTER (NOT label AND NOT contradictory) AS undesirable
    FROM answers
"""

ORDERED = """
    SELECT prompt, CASE WHEN placed.label THEN chosen ELSE rejected END AS completion,
        placed.label{tools}
    FROM placed JOIN pairs USING (order_key)
    ORDER BY place
"""


class Kto(Exporter):
    """Parquet with prompt, completion and a boolean label: TRL's KTOTrainer.

    Every answer to a prompt is one row, in however many pairs it is (`repeated` counts the others);
    one that is chosen in a pair and rejected in another contradicts itself and is left out
    (`contradictory`). The trainer reads its rows in order, and takes the answer of a neighbour as
    one that does not belong to the prompt: so the rows are shuffled by the dataset's seed with the
    answers to one prompt far apart, as `exporting.spread` says.
    """

    keeps_order: ClassVar[bool] = False

    def left_out(self, *, tools: bool) -> dict[str, str]:
        """Pairs with a tool call whose arguments no template can render."""
        return broken_calls(tools=tools)

    def write(self, pairs: Pairs, folder: Path) -> Written:
        """Two passes: the answers by their ids are put in order, then their texts are joined."""
        pairs.con.execute(ANSWERS)
        placed = _placed(pairs)
        pairs.con.register("placed", placed.with_row_index("place").to_arrow())
        messages = messages_type(tools=pairs.tools)
        columns = [("prompt", messages), ("completion", messages), ("label", pa.bool_())]
        schema = pa.schema([*columns, ("tools", pa.string())] if pairs.tools else columns)
        selected = ORDERED.format(tools=", tools" if pairs.tools else "")
        files = write_parquet(pairs, selected, placed.height, schema, folder)
        pairs.con.unregister("placed")
        return Written(files, _notes(pairs, placed))


def _placed(pairs: Pairs) -> pl.DataFrame:
    """The answers that are exported, in order: `prompt_id`, `label`, `order_key`."""
    kept = pairs.con.sql("""
        SELECT prompt_id, prompt_id || answer AS answer_id, label, order_key
        FROM answers WHERE NOT contradictory
    """).pl()
    return spread(kept, pairs.seed).drop("answer_id")


def _notes(pairs: Pairs, placed: pl.DataFrame) -> dict[str, int]:
    counts = pairs.con.sql(COUNTS)
    notes: dict[str, int] = dict(zip(counts.columns, counts.fetchall()[0], strict=True))
    distance = least_distance(placed)
    return notes if distance is None else notes | {"siblings_apart": distance}
