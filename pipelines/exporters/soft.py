"""Pairs with soft labels, for losses that read more than which answer is better."""

from pathlib import Path

import pyarrow as pa
from pydantic import field_validator

from pipelines.exporter import Exporter, Written
from pipelines.exporting.evidence import in_sql
from pipelines.exporting.files import write_parquet
from pipelines.exporting.messages import broken_calls, pairs_schema
from pipelines.exporting.pairs import Pairs
from pipelines.publishing.catalog import quoted
from pipelines.selection.pairs import SUREST

MEASURED = "SELECT pair_id, value FROM version.measures WHERE measure ="

STRENGTH = f"ln(least(p_chosen, {SUREST})) - ln(1 - least(p_chosen, {SUREST}))"


class Soft(Exporter):
    """Parquet with prompt, chosen, rejected, `p_chosen` and `strength`, for a loss of your own.

    `p_chosen` is the share of votes for the chosen answer, (k + 1/2) / (m + 1), or of visits, where
    a search says it; `strength` its log-odds, of 0.999 at the most: the labels of OSP's soft
    cross-entropy and of iREPO's square. TRL reads neither; for its trainers take `trl`. Nothing is
    null: pairs without a label (`no_votes`), or that one of the measures could not tell
    (`not_measured`), are left out.
    """

    measures: tuple[str, ...] = ()
    """Measures of the recipe to add, as columns of their names: difficulty, flip_rate..."""

    @field_validator("measures")
    @classmethod
    def _new_columns(cls, measures: tuple[str, ...]) -> tuple[str, ...]:
        taken = {"prompt", "chosen", "rejected", "tools", "p_chosen", "strength"}
        for name in measures:
            if name in taken:
                raise ValueError(f'there would be two columns "{name}"')
            taken.add(name)
        return measures

    def left_out(self, *, tools: bool) -> dict[str, str]:
        """Pairs that have no value in one of the columns."""
        unknown = [
            f"pair_id NOT IN (SELECT pair_id FROM ({MEASURED} {in_sql(name)}))"  # noqa: S608
            for name in self.measures
        ]
        unmeasured = {"not_measured": " OR ".join(unknown)} if unknown else {}
        return broken_calls(tools=tools) | {"no_votes": "p_chosen IS NULL"} | unmeasured

    def write(self, pairs: Pairs, folder: Path) -> Written:
        """The pairs in their published order, which is the seeded shuffle."""
        numbers = ((name, pa.float64()) for name in ("p_chosen", "strength", *self.measures))
        schema = pairs_schema(*numbers, tools=pairs.tools)
        return Written(write_parquet(pairs, self._query(), pairs.rows, schema, folder))

    def _query(self) -> str:
        measures = list(enumerate(self.measures))
        values = "".join(f", found_{place}.value AS {quoted(name)}" for place, name in measures)
        joins = " ".join(
            f"JOIN ({MEASURED} {in_sql(name)}) AS found_{place} USING (pair_id)"
            for place, name in measures
        )
        return f"""
            SELECT prompt, chosen, rejected, tools, p_chosen, {STRENGTH} AS strength{values}
            FROM pairs {joins} ORDER BY order_key
        """  # noqa: S608 - our own names
