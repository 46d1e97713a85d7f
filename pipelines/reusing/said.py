"""Said: what a version's manifest says of its units, taken over with them.

What is known of the judges hangs on judgments, responses and tie rules: of equal units it is equal.
What a recipe's later parts have added to it is left out.
"""

from pipelines.bias.notes import LENGTH_SLOPE
from pipelines.publishing.passed_over import is_count
from pipelines.report.judge_figures import JUDGE_FIGURES
from schemas.version import Figure, Judge, Manifest


def judges_of(manifest: Manifest) -> dict[str, Judge]:
    """The judges that were asked, with what their judgments alone say of them."""
    return {
        name: Judge(
            identity=judge.identity,
            asked=judge.asked,
            read=judge.read,
            notes={
                note: value
                for note, value in judge.notes.items()
                if note != LENGTH_SLOPE and not is_count(note)
            },
        )
        for name, judge in manifest.judges.items()
        if judge.asked
    }


def judge_figures_of(manifest: Manifest) -> tuple[Figure, ...] | None:
    """The figures of the judges; None of a version that was published without figures."""
    known = tuple(one for one in manifest.figures if one.figure in JUDGE_FIGURES)
    return known if manifest.figures else None
