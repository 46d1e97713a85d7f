"""Every response over every lower one, for filters and selectors to choose from (AIR)."""

from typing import ClassVar

from pydantic import Field

from pipelines.pairing import Paired, Pairing
from pipelines.selection.duels import READS, capped, duels, paired, scored_responses
from pipelines.selection.frames import Columns, Frames


class AllPairs(Pairing):
    """All pairs of different scores: up to K(K-1)/2 for K responses."""

    reads: ClassVar[Columns] = READS

    max_per_prompt: int | None = Field(default=None, ge=1)
    """At most so many pairs of one prompt, drawn by the seed. Default: all."""

    def pair(self, frames: Frames, seed: int) -> Paired:
        """Each pair stands once, the higher score chosen."""
        scored = scored_responses(frames, self.choose_refusals)
        every = duels(scored, scored)
        pairs = capped(frames, every, self.max_per_prompt, seed, self.name)
        return paired(frames, scored, pairs)
