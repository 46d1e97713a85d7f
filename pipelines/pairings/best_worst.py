"""The best response over the worst (UltraFeedback's variant a; best of K, as SimPO's data).

Equal scores are ordered by response id.
"""

from typing import ClassVar

from pipelines.pairing import Paired, Pairing
from pipelines.selection.duels import READS, against_worst, best, duels, paired, scored_responses
from pipelines.selection.frames import Columns, Frames


class BestWorst(Pairing):
    """One pair per prompt: highest score over lowest score."""

    reads: ClassVar[Columns] = READS

    def pair(self, frames: Frames, seed: int) -> Paired:
        """The worst is the lowest score among the texts that differ from the best one."""
        scored = scored_responses(frames, self.choose_refusals)
        pairs = against_worst(duels(best(scored), scored))
        return paired(frames, scored, pairs)
