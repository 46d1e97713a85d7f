"""The best step over the worst, wherever a search had a choice (iTool, arXiv 2501.09766)."""

from decimal import Decimal
from typing import ClassVar, Literal

import polars as pl
from pydantic import Field

from pipelines.pairing import Paired, Pairing
from pipelines.part import Threshold, micro
from pipelines.selection.frames import Columns, Frames
from pipelines.selection.tree_duels import READS, explained, extremes, paired, valued


class TreeExtremes(Pairing):
    """One pair at each node of a search that has two different children.

    The scores of a pair are the values of its nodes. iTool also drops pairs whose texts overlap by
    more than 0.95: that is the filter `overlap`.
    """

    reads: ClassVar[Columns] = READS

    sampler: str | None = None
    """Name of the search. Default: all of the recipe's."""
    by: Literal["q", "value"] = "q"
    """Which value: "q", what the search made of the step (for `tool_search`, the running sum of its
    rewards, as published), or "value", what its evaluation alone said."""
    min_gap: Threshold = Field(default=Decimal("0.1"), ge=0)
    """Least difference of the two values. Equal values make no pair in any case."""
    min_chosen: Threshold = Decimal("-0.3")
    """Least value of the chosen step."""

    def pair(self, frames: Frames, seed: int) -> Paired:
        """One pair, or a reason, for each decision: a comparison, by the id of the node it is at."""
        nodes = valued(frames, self.by, self.sampler, choose_refusals=self.choose_refusals)
        duels = extremes(nodes, ["prompt", "comparison_id"])
        too_low = {"chosen_too_low": pl.col("score_chosen") < micro(self.min_chosen)}
        return paired(frames, explained(duels, micro(self.min_gap), too_low))
