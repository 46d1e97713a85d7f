"""The best response over a random lower one (UltraFeedback's variants b and c)."""

from typing import ClassVar

from pipelines.pairing import Paired, Pairing
from pipelines.selection.duels import READS, best, capped, duels, paired, scored_responses
from pipelines.selection.frames import Columns, Frames


class BestRandom(Pairing):
    """One pair per prompt: highest score over a seeded draw among the strictly lower ones."""

    reads: ClassVar[Columns] = READS

    def pair(self, frames: Frames, seed: int) -> Paired:
        """The draw is keyed by seed, this part's name and the ids of both responses."""
        scored = scored_responses(frames, self.choose_refusals)
        pairs = capped(frames, duels(best(scored), scored), 1, seed, self.name)
        return paired(frames, scored, pairs)
