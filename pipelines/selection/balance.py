"""Counts in = kept + dropped: nothing vanishes between the source and the pairs."""

from collections.abc import Sequence

from pipelines.errors import StoreError
from schemas.version import Step

CHAINED = ("prompts", "responses", "pairs")


def check_balance(steps: Sequence[Step]) -> None:
    """Raises StoreError, with every fault, unless the funnel accounts for every row.

    In each step, in = kept + dropped, and every dropped row has a reason; each further step of a
    level takes in exactly what the one before it kept (but for "rows": each reading is its own).
    """
    kept: dict[str, Step] = {}
    faults: list[str] = []
    for step in steps:
        faults += _faults(step, kept.get(step.level))
        if step.level in CHAINED:
            kept[step.level] = step
    if faults:
        raise StoreError(
            "the counts do not balance, so nothing is published:\n" + "\n".join(faults)
        )


def _faults(step: Step, before: Step | None) -> list[str]:
    place = f"{step.step} ({step.level})"
    faults = []
    if step.in_ != step.kept + step.dropped or min(step.kept, step.dropped) < 0:
        faults.append(f"{place}: {step.in_} in, {step.kept} kept, {step.dropped} dropped")
    reasons = step.reasons.values()
    if sum(reasons) < step.dropped or max(reasons, default=0) > step.dropped:
        faults.append(f"{place}: {step.dropped} dropped, with the reasons {dict(step.reasons)}")
    if before is not None and step.level != "rows" and before.kept != step.in_:
        faults.append(f"{place}: {step.in_} in, and {before.step} kept {before.kept}")
    return faults
