"""The ledger: what it holds, what of it cannot be read, and what was refused."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pipelines.calls.failed import find_refusals
from pipelines.calls.ledger import Ledger
from pipelines.calls.segments import Damage
from pipelines.errors import StoreError
from pipelines.health.check import Check, counted, fault, ok, warning


def check_ledger(folder: Path) -> Iterator[Check]:
    """Samples and refusals, and a line for each segment with broken records."""
    try:
        with Ledger(folder) as ledger:
            samples, damaged = ledger.samples, ledger.damaged
        refused = sum(one.samples for one in find_refusals(folder))
    except StoreError as error:
        yield fault("ledger", str(error))
        return
    yield ok("ledger", f"{counted(samples, 'sample')} kept, never to be paid again")
    if refused:
        yield ok("refusals", f"{counted(refused, 'refused sample')} kept too", "pairwright retry")
    yield from _damage(damaged)


def _damage(damaged: list[Damage]) -> Iterator[Check]:
    records = Counter(damage.file for damage in damaged)
    torn = {damage.file for damage in damaged if damage.why == "the last line has no end"}
    for file, count in sorted(records.items()):
        place = f"{file.parent.name}/{file.name}"
        note = "; its last may be one that is being written now" if file in torn else ""
        yield warning(
            "ledger",
            f"{place}: {counted(count, 'broken record')}{note}",
            "no repair is needed: such records are passed over, and their samples bought again",
        )
