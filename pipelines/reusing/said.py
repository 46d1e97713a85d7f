"""Said: what a version's manifest says of its judges, taken over with its units.

It hangs on judgments, responses and tie rules: of equal units it is equal. What a recipe's later
parts have added to it is left out. No digest vouches for it, as for tables: what a gate goes by is
measured anew.
"""

from pipelines.bias.notes import LENGTH_SLOPE
from pipelines.gating.gates import Gates
from pipelines.publishing.account import Notes
from pipelines.publishing.passed_over import is_count
from pipelines.report.judge_figures import JUDGE_FIGURES
from schemas.version import Figure, Manifest


def notes_of(manifest: Manifest) -> dict[str, Notes]:
    """Judge -> what its judgments alone say of it."""
    return {
        name: {
            note: value
            for note, value in judge.notes.items()
            if note != LENGTH_SLOPE and not is_count(note)
        }
        for name, judge in manifest.judges.items()
    }


def judge_figures_of(manifest: Manifest, gates: Gates) -> tuple[Figure, ...] | None:
    """The figures of the judges; None where `gates` go by one of them, or none are known."""
    if not manifest.figures or JUDGE_FIGURES & gates.bounds().keys():
        return None
    return tuple(one for one in manifest.figures if one.figure in JUDGE_FIGURES)
