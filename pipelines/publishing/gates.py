"""Gates: what must hold for a build to be published. A refused build keeps its evidence."""

from decimal import Decimal

from pydantic import Field

from pipelines.part import Table, Threshold
from schemas.version import Manifest


class Gates(Table):
    """Bounds that the finished build is held against."""

    min_pairs: int = Field(default=1, ge=0)
    """Fewest kept pairs."""
    min_read_share: Threshold = Field(default=Decimal("0.95"), ge=0, le=1)
    """Least share of readable replies, for each judge that asks a model."""
    allow_incomplete: Threshold = Field(default=Decimal(0), ge=0, le=1)
    """Largest share of prompts whose calls may still be owed when publishing."""


def failed_gates(gates: Gates, manifest: Manifest, asking: frozenset[str]) -> list[str]:
    """What the build fails, in words; empty when it may be published.

    `asking` are the judges that ask a model: only their replies can be unreadable by chance.
    """
    failures = []
    if (pairs := manifest.rows("pairs")) < gates.min_pairs:
        failures.append(f"{pairs} pairs kept, and gates.min_pairs is {gates.min_pairs}")
    for name in sorted(asking & manifest.judges.keys()):
        judge = manifest.judges[name]
        if judge.read < gates.min_read_share * judge.asked:
            failures.append(
                f"judge {name}: {judge.read} of {judge.asked} replies could be read "
                f"({judge.read / judge.asked:.1%}), and gates.min_read_share is "
                f"{gates.min_read_share}"
            )
    return failures
