"""What a build does once its units are finished, on the evidence of `selection_evidence.py`.

    python bench/selection_build.py FOLDER RECIPE STORE STEP

FOLDER has the staged evidence of a shard, which is left as it is. STEP is how far it goes:
"import" (nothing is done), "select" (scores, pairs, filters, selectors), or "publish" (a version).
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipelines.build import publish  # noqa: E402
from pipelines.calibration.gate import JudgeGate  # noqa: E402
from pipelines.calls.meter import Meter  # noqa: E402
from pipelines.intake.inputs import Intake  # noqa: E402
from pipelines.publishing.store import Store, staged  # noqa: E402
from pipelines.recipe import Recipe, read_recipe  # noqa: E402
from pipelines.running.shard import Finished  # noqa: E402
from pipelines.selection.funnel import Funnel  # noqa: E402
from pipelines.selection.select import select  # noqa: E402
from pipelines.staging.evidence import Evidence  # noqa: E402
from schemas.tables import STAGED  # noqa: E402


def main() -> None:
    folder, recipe, store = (
        Path(sys.argv[1]),
        read_recipe(Path(sys.argv[2])),
        Store(Path(sys.argv[3])),
    )
    step = sys.argv[4]
    if step == "select":
        select(recipe, folder, Funnel())
    elif step == "publish":
        _publish(recipe, store, folder)


def _publish(recipe: Recipe, store: Store, folder: Path) -> None:
    prompts = Evidence(folder).count("prompts")
    with staged(store, recipe.head.name) as staging:
        Evidence(staging / "evidence").flush()
        _link(folder, staging / "shard")
        finished = Finished(staging / "shard", Meter())
        intake = Intake((), prompts, prompts, ())
        gate = JudgeGate(recipe, store)
        outcome = publish(recipe, store, staging, intake, [finished], Meter(), gate)
    assert outcome.published, outcome.failures


def _link(folder: Path, place: Path) -> None:
    """The staged files under a second name: publishing moves them."""
    for table in STAGED:
        (place / table).mkdir(parents=True)
        for file in (folder / table).iterdir():
            os.link(file, place / table / file.name)


if __name__ == "__main__":
    main()
