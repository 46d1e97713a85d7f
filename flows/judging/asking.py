"""Asking: judges are run on labelled pairs, with progress, and may leave calls owed."""

import argparse
from typing import TYPE_CHECKING

from flows.commands.build import say
from flows.texts.plain import counted

if TYPE_CHECKING:
    from pipelines.calibration.labelled import LabelSet
    from pipelines.calibration.run import Run
    from pipelines.calls.meter import Meter
    from pipelines.judge import Judge
    from pipelines.recipe import Recipe


class Owing(Exception):
    """Calls are owed, so that nothing can be said of a judge yet."""

    def __init__(self, found: "Run", meter: "Meter") -> None:
        owing = counted(len(found.owed), "pair owes calls", "pairs owe calls")
        bought = counted(meter.samples_paid, "sample")
        super().__init__(
            f"not checked: {owing}, for example {found.owed[0]}\n"
            f"{bought} bought in this run, which are kept. Run the same command to go on."
        )
        self.budget_reached = found.budget_reached


def ask(
    chosen: argparse.Namespace,
    recipe: "Recipe",
    judges: "dict[str, Judge]",
    labels: "LabelSet",
    meter: "Meter",
) -> "Run":
    """What the judges say, with progress. Raises Owing; and KeyboardInterrupt, once it is said."""
    from flows.progress import progress
    from pipelines.calibration.check import run_on
    from pipelines.publishing.store import Store

    try:
        with progress(meter):
            found = run_on(recipe, Store(chosen.store), judges, labels, meter)
    except KeyboardInterrupt:
        say("stopped: what was bought is kept. Run the same command to go on.")
        raise
    if found.owed:
        raise Owing(found, meter)
    return found
