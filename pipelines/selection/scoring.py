"""Scoring block by block: what judges said of all prompts is looked at once, before, where it counts."""

from collections.abc import Iterable
from functools import partial

import polars as pl

from pipelines.judging.tie_rule import TieRules
from pipelines.scoring.score import (
    Adjusted,
    Score,
    adjusted,
    looks_across,
    voices_of,
    wants_every_judge,
    who_counts,
    with_scores,
)
from pipelines.scoring.voices import Voice, together, within
from pipelines.selection.frames import Frames


class Scoring:
    """Scores the responses of one block after another as `score_responses` would score all."""

    def __init__(
        self,
        score: Score,
        rules: TieRules,
        of_responses: pl.LazyFrame,
        blocks: Iterable[Frames],
    ) -> None:
        """`of_responses` are all judgments of single responses. `blocks` are read if need be."""
        self._score, self._rules = score, rules
        self._counting = who_counts(score, of_responses) if wants_every_judge(score) else None
        self._adjusted = self._hear_all(blocks) if looks_across(score) else None

    def score(self, frames: Frames) -> pl.DataFrame:
        """The responses of a block with what `score_responses` adds."""
        if self._adjusted is None:
            said = adjusted(self._score, self._voices(frames), frames.responses)
        else:
            of_block = partial(within, responses=frames.responses)
            said = Adjusted(*([of_block(one) for one in voices] for voices in self._adjusted))
        return with_scores(self._score, said, frames.responses)

    def _voices(self, frames: Frames) -> list[Voice]:
        judgments, counting = frames.judgments, self._counting
        if counting is None:
            of_responses = judgments.lazy().filter(pl.col("response").is_not_null())
            counting = who_counts(self._score, of_responses)
        return voices_of(self._score, counting, frames.responses, judgments, self._rules)

    def _hear_all(self, blocks: Iterable[Frames]) -> Adjusted:
        """The voices of all blocks, adjusted together. Of responses no more is kept than counts."""
        heard, facts = [], []
        for frames in blocks:
            heard.append(self._voices(frames))
            facts.append(frames.responses.select("response", "prompt", pl.col("^n_chars$")))
            del frames  # gone before the next are read
        voices = [together(of_judge) for of_judge in zip(*heard, strict=True)]
        return adjusted(self._score, voices, pl.concat(facts))
