"""Rounds: which prompts a build draws next, and when it has enough of them.

    for draw in rounds:  ─> units ─> rounds.add(draw, what they left behind)
          ^                                  │ evidence so far ─ select ─> pairs
          └──────── pairs are missing <──────┘

Without `[exactly]` there is one round, of all prompts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelines.calls.meter import Meter
from pipelines.intake.draw import EVERY, Draw
from pipelines.intake.inputs import Intake
from pipelines.recipe import Recipe
from pipelines.running.exactly import Exactly, drawn_sampler
from pipelines.running.shard import Finished
from pipelines.selection.funnel import Funnel
from pipelines.selection.select import select
from pipelines.staging.evidence import Evidence

SAMPLING = "sampling and judging"


@dataclass(slots=True)
class Rounds:
    """The rounds of one build, in `staging`. Whoever runs them tells what each left behind."""

    recipe: Recipe
    staging: Path
    intake: Intake
    meter: Meter
    pairs: int = 0
    """Pairs that survive of what was drawn so far; not counted without `[exactly]`."""
    _left: dict[int, list[Finished]] = field(default_factory=dict)
    """By the first place of a round. More samples of the same prompts take the place of fewer."""
    _broken: list[Finished] = field(default_factory=list)
    """Rounds of more samples that owe calls: what there was with fewer stays, they count as owed."""
    _over: bool = False

    def __iter__(self) -> Iterator[Draw]:
        exactly = self.recipe.exactly
        if exactly is None:
            yield EVERY
            return
        sampler = drawn_sampler(exactly, self.recipe.samplers)
        self.meter.units = 0
        for draw in exactly.draws(self.intake.selected, getattr(sampler, "n", 0)):
            self.meter.units += self.size(draw)
            self.meter.step = f"{SAMPLING}, {self.pairs:,} of {exactly.pairs:,} pairs"
            yield draw
            if self._over:
                return

    def size(self, draw: Draw) -> int:
        """Prompts of a round."""
        return (self.intake.selected if draw.last is None else draw.last) - draw.first

    def add(self, draw: Draw, left: Sequence[Finished]) -> None:
        """Takes in what the shards of a round left behind."""
        exactly = self.recipe.exactly
        if exactly is None:
            self._left[draw.first] = list(left)
            return
        evidence = Evidence(self.staging / "evidence")
        before = self._left.get(draw.first, [])
        if draw.more and any(one.owed for one in left):
            self._broken += [replace(one, counts={}) for one in left]
            given_up = left
        else:
            self._left[draw.first] = list(left)
            given_up = before
        for one in given_up:
            evidence.give_up(one.folder)
        for one in self._left[draw.first]:
            evidence.take(one.folder)
        self.pairs = pairs_of(self.recipe, evidence)
        self._over = self.pairs >= exactly.pairs or self._is_stopped(evidence)

    @property
    def finished(self) -> list[Finished]:
        """What all rounds left behind, as far as it counts."""
        return [one for left in self._left.values() for one in left] + self._broken

    def _is_stopped(self, evidence: Evidence) -> bool:
        """Whether a further round would buy what cannot be published yet."""
        owed = sum(one.owed for one in self.finished)
        reached = any(one.budget_reached for one in self.finished)
        return reached or owed > self.recipe.gates.allow_incomplete * evidence.count("prompts")


def pairs_of(recipe: Recipe, evidence: Evidence) -> int:
    """How many pairs survive every filter and selector. 0 without `[exactly]`: nobody asks."""
    if recipe.exactly is None:
        return 0
    funnel = Funnel()
    funnel.staged(evidence.drops())
    return select(recipe, evidence.folder, funnel).pairs.height


def missing_of(exactly: Exactly | None, pairs: int) -> int:
    """How many pairs are missing to the number that is wanted; 0 where none is."""
    return max(0, exactly.pairs - pairs) if exactly else 0


def shortage(exactly: Exactly, intake: Intake, missing: int) -> str:
    """Why a build with nothing left to draw has too few pairs."""
    lever = f", with n up to {exactly.more_samples.most}" if exactly.more_samples else ""
    return (
        f"{exactly.pairs:,} pairs are wanted, and {intake.selected:,} prompts, which is all of "
        f"them{lever}, gave {exactly.pairs - missing:,}"
    )
