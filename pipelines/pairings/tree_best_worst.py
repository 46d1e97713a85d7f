"""The best node of a whole search over its worst (P-Aligner, arXiv 2508.04626)."""

from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import Field

from pipelines.pairing import Paired, Pairing
from pipelines.part import Threshold, micro
from pipelines.selection.frames import Columns, Frames
from pipelines.selection.tree_duels import READS, explained, extremes, paired, valued


class TreeBestWorst(Pairing):
    """One pair of each search: the highest value in the tree over the lowest.

    The scores of a pair are the values of its nodes. A root takes part where it is a response, as
    the raw instruction of `instruction_search` is: chosen, it says "do not rewrite this".
    """

    reads: ClassVar[Columns] = READS

    sampler: str | None = None
    """Name of the search. Default: all of the recipe's."""
    by: Literal["value", "q"] = "value"
    """Which value: "value", the node's own reward, or "q", what the search made of it."""
    min_gap: Threshold = Field(default=Decimal(0), ge=0)
    """Least difference of the two values. Equal values make no pair in any case."""

    def pair(self, frames: Frames, seed: int) -> Paired:
        """Of equal values, the node with the smaller depth, then with the smaller response id."""
        nodes = valued(frames, self.by, self.sampler, choose_refusals=self.choose_refusals)
        duels = extremes(nodes, ["prompt", "sampler"]).drop("n_chars_prefix")
        return paired(frames, explained(duels, micro(self.min_gap), {}))
