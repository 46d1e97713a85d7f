"""The best response over the worst (UltraFeedback's variant a; best of K, as SimPO's data).

Equal scores are ordered by response id.
"""

from pipelines.pairing import Paired, Pairing
from pipelines.selection.duels import best, duels, paired, scored_responses
from pipelines.selection.frames import Frames


class BestWorst(Pairing):
    """One pair per prompt: highest score over lowest score."""

    def pair(self, frames: Frames, seed: int) -> Paired:
        """The worst is the lowest score among the texts that differ from the best one."""
        scored = scored_responses(frames, self.choose_refusals)
        against_best = duels(best(scored), scored)
        worst_first = against_best.sort("prompt_id", "score_rejected", "rejected_response_id")
        pairs = worst_first.unique("prompt_id", keep="first", maintain_order=True)
        return paired(frames, scored, pairs)
