"""Gates: what must hold for a build to be published. A refused build keeps its evidence."""

from collections.abc import Mapping
from decimal import Decimal

from pydantic import Field

from pipelines.part import Table, Threshold


class Gates(Table):
    """`[gates]`: bounds that the finished build is held against."""

    min_pairs: int = Field(default=1, ge=0)
    """Fewest kept pairs."""
    min_read_share: Threshold = Field(default=Decimal("0.95"), ge=0, le=1)
    """Least share of readable replies, for each judge that asks a model."""
    allow_incomplete: Threshold = Field(default=Decimal(0), ge=0, le=1)
    """Largest share of prompts whose calls may still be owed when publishing."""


def failed_gates(gates: Gates, pairs: int, read: Mapping[str, tuple[int, int]]) -> list[str]:
    """What the build fails, in words; empty when it may be published.

    `read` has, for each judge that asks a model, how many of its judgments could be read, and of
    how many.
    """
    failures = []
    if pairs < gates.min_pairs:
        failures.append(f"{pairs} pairs kept, and gates.min_pairs is {gates.min_pairs}")
    for judge, (readable, asked) in sorted(read.items()):
        if asked and readable < gates.min_read_share * asked:
            failures.append(
                f"judge {judge}: {readable} of {asked} replies could be read "
                f"({readable / asked:.1%}), and gates.min_read_share is {gates.min_read_share}"
            )
    return failures
