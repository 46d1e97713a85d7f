"""Pairs with soft labels, for losses that read more than which answer is better."""

from math import fsum
from pathlib import Path
from typing import Literal

import pyarrow as pa
from pydantic import field_validator, model_validator

from pipelines.errors import RecipeError
from pipelines.exporter import Exporter, Written
from pipelines.exporting.evidence import in_sql
from pipelines.exporting.files import write_parquet
from pipelines.exporting.messages import broken_calls, pairs_schema
from pipelines.exporting.pairs import Pairs
from pipelines.querying.version_schema import quoted
from pipelines.selection.pairs import SUREST

MEASURED = "SELECT pair_id, value FROM version.measures WHERE measure ="

STRENGTH = f"ln(least(p_chosen, {SUREST})) - ln(1 - least(p_chosen, {SUREST}))"


class Soft(Exporter):
    """Parquet with prompt, chosen, rejected, `p_chosen` and `strength`, for a loss of your own.

    `p_chosen` is the share of votes for the chosen answer, (k + 1/2) / (m + 1), or of visits, where
    a search says it; `strength` its log-odds, of 0.999 at the most: the labels of OSP's soft
    cross-entropy and of iREPO's square. TRL reads neither; for its trainers take `trl`. Nothing is
    null: pairs without a label (`no_votes`), or that one of the measures could not tell
    (`not_measured`), are left out, unless these have the mean (`filled`).
    """

    measures: tuple[str, ...] = ()
    """Measures of the recipe to add, as columns of their names: difficulty, flip_rate..."""
    unmeasured: Literal["left_out", "mean"] = "left_out"
    """What becomes of a pair that a measure could not tell: it is left out, or has the mean of the
    published pairs that it could tell, as CREAM does where rankings cannot be compared."""
    averaged: tuple[str, ...] = ()
    """Those of `measures` of which every row has that mean: CREAM's one weight for the whole set."""

    @field_validator("measures")
    @classmethod
    def _new_columns(cls, measures: tuple[str, ...]) -> tuple[str, ...]:
        taken = {"prompt", "chosen", "rejected", "tools", "p_chosen", "strength"}
        for name in measures:
            if name in taken:
                raise ValueError(f'there would be two columns "{name}"')
            taken.add(name)
        return measures

    @model_validator(mode="after")
    def _of_measures(self) -> "Soft":
        if strange := sorted(set(self.averaged) - set(self.measures)):
            raise ValueError(f'`averaged` has "{strange[0]}", which is none of `measures`')
        return self

    def measure_names(self) -> tuple[str, ...]:
        """Those that become columns."""
        return self.measures

    def left_out(self, *, tools: bool) -> dict[str, str]:
        """Pairs that have no value in one of the columns."""
        needed = set(self.measures) - set(self.averaged)
        unknown = [
            f"pair_id NOT IN (SELECT pair_id FROM ({MEASURED} {in_sql(name)}))"  # noqa: S608
            for name in (sorted(needed) if self.unmeasured == "left_out" else ())
        ]
        unmeasured = {"not_measured": " OR ".join(unknown)} if unknown else {}
        return broken_calls(tools=tools) | {"no_votes": "p_chosen IS NULL"} | unmeasured

    def write(self, pairs: Pairs, folder: Path) -> Written:
        """The pairs in their published order, which is the seeded shuffle."""
        numbers = ((name, pa.float64()) for name in ("p_chosen", "strength", *self.measures))
        schema = pairs_schema(*numbers, tools=pairs.tools)
        files = write_parquet(pairs, self._query(pairs), pairs.rows, schema, folder)
        return Written(files, {"filled": self._filled(pairs)} if self.unmeasured == "mean" else {})

    def _query(self, pairs: Pairs) -> str:
        values, joins = [], []
        for place, name in enumerate(self.measures):
            found = f"found_{place}"
            value = f"{found}.value"
            if name in self.averaged:
                value = _mean(pairs, name)
            elif self.unmeasured == "mean":
                value = f"coalesce({value}, {_mean(pairs, name)})"
            values.append(f", {value} AS {quoted(name)}")
            joins.append(f"LEFT JOIN ({MEASURED} {in_sql(name)}) AS {found} USING (pair_id)")
        return f"""
            SELECT prompt, chosen, rejected, tools, p_chosen, {STRENGTH} AS strength{"".join(values)}
            FROM pairs {" ".join(joins)} ORDER BY order_key
        """  # noqa: S608 - our own names

    def _filled(self, pairs: Pairs) -> int:
        """How many pairs have a mean in the place of a value that is not known."""
        known = [
            f"pair_id IN (SELECT pair_id FROM ({MEASURED} {in_sql(name)}))"  # noqa: S608
            for name in self.measures
            if name not in self.averaged
        ]
        every = " AND ".join(known) or "true"
        ((count,),) = pairs.con.sql(f"SELECT count(*) FROM pairs WHERE NOT ({every})").fetchall()  # noqa: S608
        return int(count)


def _mean(pairs: Pairs, measure: str) -> str:
    """SQL: that of the measured pairs of all splits, rounded once, so that no order of rows shows."""
    known = f"{MEASURED} {in_sql(measure)} AND pair_id IN (SELECT pair_id FROM version.pairs)"  # noqa: S608
    values = [value for _, value in pairs.con.sql(known).fetchall()]
    if not values:
        raise RecipeError(f'no published pair has a value of the measure "{measure}"')
    return f"'{fsum(values) / len(values)!r}'::DOUBLE"
