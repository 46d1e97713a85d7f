"""What the judges of a version were checked on, as `show` tells it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flows.judging.check_text import number
from flows.texts.plain import aligned, count

if TYPE_CHECKING:
    from pipelines.publishing.store import Store
    from schemas.calibration import Check
    from schemas.version import Judge, Manifest

DIGITS = 12
"""Of a digest, where people read it."""


def checks_table(manifest: "Manifest", store: "Store") -> str:
    """A line for each check, as `store` holds it now or the version was built with; "" for none."""
    rows = [("checked", "labels", "", "pairs", "accuracy", "at least")]
    for name, judge in manifest.judges.items():
        for check in _checks(judge, store):
            known = number(check.accuracy), number(check.lower_bound)
            rows.append((name, check.name, check.labels[:DIGITS], count(check.pairs), *known))
    return aligned(rows) if len(rows) > 1 else ""


def _checks(judge: "Judge", store: "Store") -> "Iterator[Check]":
    from pipelines.calibration.stored import stored_calibrations

    found = {one.labels: one for one in judge.checks}
    if judge.checked_as:
        summaries = (one.summary() for one in stored_calibrations(store, judge.checked_as))
        found |= {one.labels: one for one in summaries}
    yield from (found[labels] for labels in sorted(found))
