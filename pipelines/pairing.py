"""Pairings: which responses are set against each other.

A pairing sees the kept responses with their scores and the comparisons (`frames.Frames`), and
never pairs a response with itself, two equal texts, or two equal scores. A response without text
is never paired.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import polars as pl

from pipelines.part import Part
from pipelines.selection.frames import EVERY_COLUMN, Columns, Frames


@dataclass(frozen=True, slots=True)
class Paired:
    """What a pairing made, and why it made nothing of the rest."""

    pairs: pl.DataFrame
    """Columns `frames.PAIRED`: who is chosen over whom, with the scores that say so."""
    unpaired_prompts: pl.DataFrame
    """`prompt`, `reason`: prompts of which it made no pair (too_few_scored, all_tied...)."""
    unpaired_comparisons: pl.DataFrame | None = None
    """`comparison_id`, `prompt`, `reason`: comparisons without a pair (tie, unread...)."""


class Pairing(Part):
    """Makes pairs of the responses to each prompt."""

    shelf: ClassVar[str] = "pairings"

    reads: ClassVar[Columns] = EVERY_COLUMN
    """The columns that `pair` reads: a build of millions of rows holds no others in memory."""

    choose_refusals: bool = False
    """Whether a refusal may be chosen. It may be rejected either way, unless a filter drops it."""

    def judge_names(self) -> tuple[str, ...]:
        """Judges of the recipe that this part names; checked before any call."""
        return ()

    def sampler_names(self) -> tuple[str, ...]:
        """Samplers of the recipe that this part names; checked before any call."""
        return ()

    def thresholds_on_scale(self) -> tuple[Any, ...]:
        """Scores that must lie on the scale of those judges (of `[score]`'s, if none is named)."""
        return ()

    @abstractmethod
    def pair(self, frames: Frames, seed: int) -> Paired:
        """The pairs. Depends on the set of rows and on `seed`, never on their order."""
