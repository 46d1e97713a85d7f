"""Survival: how many prompts `[exactly]` is likely to draw, as far as the ledger tells.

    first rounds ─ replayed from the ledger ─> pairs per prompt ─> prompts that are needed

The rounds are those of the build, so where it was built before, the answer is what it drew.
"""

from dataclasses import dataclass
from pathlib import Path

from pipelines.ablation.replay import run_replayed
from pipelines.intake.records import Records
from pipelines.recipe import Recipe
from pipelines.running.exactly import Exactly
from pipelines.running.rounds import pairs_of
from pipelines.running.workshop import Workshop
from pipelines.staging.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Survival:
    """What came of the first prompts in their seeded order."""

    prompts: int
    """Prompts of which every call is in the ledger."""
    pairs: int
    """Pairs that survive of them."""
    needed: int
    """Prompts that the build is expected to draw; all there are where nothing survived."""


async def survival(
    recipe: Recipe, exactly: Exactly, records: Records, workshop: Workshop, folder: Path
) -> Survival:
    """Replays the rounds up to the first that owes a call, or that has enough pairs.

    Rows are staged in the new `folder`. No call is made.
    """
    evidence, total = Evidence(folder), records.count()
    known = pairs = 0
    for draw in exactly.draws(total):
        _, owed = await run_replayed(recipe, records, workshop, evidence, draw)
        evidence.flush()
        last = draw.last or total
        known += last - draw.first - owed
        if known:
            pairs = pairs_of(recipe, evidence)
        if not owed and pairs >= exactly.pairs:
            return Survival(known, pairs, last)
        if owed or draw.more or last == total:
            break
    return Survival(known, pairs, expected(exactly, known, pairs, total))


def expected(exactly: Exactly, prompts: int, pairs: int, total: int) -> int:
    """How many of `total` prompts are drawn, in whole rounds, where `prompts` gave `pairs`.

    >>> hundred = Exactly(pairs=100, prompts_per_round=50)
    >>> expected(hundred, 20, 6, 1000), expected(hundred, 20, 6, 300), expected(hundred, 20, 0, 300)
    (350, 300, 300)
    """
    if not pairs:
        return total
    needed = -(-exactly.pairs * prompts // pairs)
    return min(total, -(-needed // exactly.prompts_per_round) * exactly.prompts_per_round)
