"""Pairs conditioned on a score: each answer is the better one where its own score is asked for."""

from pathlib import Path
from typing import ClassVar

import polars as pl
from pydantic import Field, field_validator

from pipelines.exporter import Exporter, Written
from pipelines.exporting.evidence import in_sql
from pipelines.exporting.files import write_parquet
from pipelines.exporting.messages import broken_calls, pairs_schema
from pipelines.exporting.pairs import Pairs
from pipelines.exporting.spread import spread

GOAL = "{score}"

SIDES = ("chosen", "rejected")

ORDERED = """
    SELECT
        {prompt} AS prompt,
        CASE goal_side WHEN 'chosen' THEN chosen ELSE rejected END AS chosen,
        CASE goal_side WHEN 'chosen' THEN rejected ELSE chosen END AS rejected,
        tools
    FROM (
        SELECT *, CASE goal_side WHEN 'chosen' THEN {chosen} ELSE {rejected} END AS goal
        FROM placed JOIN pairs USING (order_key)
    )
    ORDER BY place
"""


class RewardAugmented(Exporter):
    """Parquet as `trl` has it, two rows for each pair: reward-augmented data (arXiv 2410.08067).

    A system message asks for a score. Where it is the chosen answer's, the pair is as it was; where
    it is the rejected one's, the answers change places. So a model learns what answers of each
    score look like, the worse ones too. When you use it, ask for the best score, in the same words.
    The two rows of a pair lie far apart. Pairs without scores (`unscored`), or with scores that are
    written alike (`equal_scores`), would contradict themselves and are left out.
    """

    keeps_order: ClassVar[bool] = False

    instruction: str = f"Write an answer whose overall score is {GOAL}."
    """The system message, with {score} in the place of the score; say what the scale is, if you like. A
    prompt's own system message follows after an empty line."""
    decimals: int = Field(default=1, ge=0, le=6)
    """Most decimals of a score that are written; a whole one has none."""

    @field_validator("instruction")
    @classmethod
    def _asks(cls, instruction: str) -> str:
        if GOAL not in instruction:
            raise ValueError(f"the place of the score, {GOAL}, is missing")
        return instruction

    def left_out(self, *, tools: bool) -> dict[str, str]:
        """Pairs of which the two rows would contradict each other."""
        missing = "score_chosen IS NULL OR score_rejected IS NULL"
        equal = " = ".join(self._goal(f"score_{side}") for side in SIDES)
        return broken_calls(tools=tools) | {"unscored": missing, "equal_scores": equal}

    def write(self, pairs: Pairs, folder: Path) -> Written:
        """The rows are put in order by their ids, then their texts are joined."""
        placed = _placed(pairs)
        pairs.con.register("placed", placed.with_row_index("place").to_arrow())
        goals = {side: self._goal(f"score_{side}") for side in SIDES}
        query = ORDERED.format(prompt=self._prompt(tools=pairs.tools), **goals)
        schema = pairs_schema(tools=pairs.tools)
        files = write_parquet(pairs, query, placed.height, schema, folder)
        pairs.con.unregister("placed")
        return Written(files)

    def _goal(self, score: str) -> str:
        """SQL: a score as text, as in 9, 7.5 or 0."""
        rounded = f"printf('%.{self.decimals}f', round({score}, {self.decimals}) + 0)"
        if not self.decimals:
            return rounded
        return rf"regexp_replace({rounded}, '\.0*$|(\.\d*?)0+$', '\1')"

    def _prompt(self, *, tools: bool) -> str:
        """SQL: the messages of the prompt behind the system message."""
        asked = ", goal, ".join(map(in_sql, self.instruction.split(GOAL)))
        nulls = ", 'tool_calls': NULL, 'tool_call_id': NULL, 'name': NULL" if tools else ""
        alone = f"[{{'role': 'system', 'content': concat({asked}){nulls}}}]"
        both = f"concat({asked}, chr(10), chr(10), prompt[1].content)"
        before_own = f"[{{'role': prompt[1].role, 'content': {both}{nulls}}}]"
        return f"""
            CASE WHEN prompt[1].role IN ('system', 'developer')
                THEN list_concat({before_own}, prompt[2:])
                ELSE list_concat({alone}, prompt)
            END
        """


def _placed(pairs: Pairs) -> pl.DataFrame:
    """`order_key` and `goal_side` of the rows, in their order: those of one prompt far apart."""
    slim = pairs.con.sql("SELECT order_key, pair_id, prompt_id FROM pairs").pl()
    sides = [
        slim.select(
            "order_key",
            "prompt_id",
            answer_id=pl.concat_str("pair_id", pl.lit(side)),
            goal_side=pl.lit(side),
        )
        for side in SIDES
    ]
    return spread(pl.concat(sides), pairs.seed).select("order_key", "goal_side")
