"""The tables that a manifest holds, for SQL: beside those in Parquet, and much smaller.

steps      the funnel, in the order of the build
figures    what the report shows of judges, models and pairs, with intervals
spending   what each model took, over all runs
"""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from pipelines.arrow import make_table
from schemas.version import Manifest, Spent

STEPS = pa.schema(
    [
        ("place", pa.int64()),
        ("step", pa.string()),
        ("level", pa.string()),
        ("n_in", pa.int64()),
        ("n_kept", pa.int64()),
        ("n_dropped", pa.int64()),
        ("reasons", pa.list_(pa.struct([("reason", pa.string()), ("n", pa.int64())]))),
    ]
)
"""`place`: from 1. A row may be dropped for several reasons."""

FIGURES = pa.schema(
    [
        ("figure", pa.string()),
        ("subject", pa.string()),
        ("other", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("n", pa.int64()),
        ("prompts", pa.int64()),
    ]
)

SPENDING = pa.schema(
    [
        ("model", pa.string()),
        ("calls", pa.int64()),
        ("prompt_tokens", pa.int64()),
        ("cached_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("reasoning_tokens", pa.int64()),
        ("money", pa.float64()),
        ("missing_usage", pa.int64()),
        ("unpriced", pa.int64()),
    ]
)
"""In all: this run and those that had paid for what it replayed. Money in the currency of the
prices, of the replies that are neither `missing_usage` nor `unpriced`."""


TABLES = ("steps", "figures", "spending")


def manifest_tables(manifest: Manifest) -> dict[str, pa.Table]:
    """Name -> table."""
    steps = make_table(list(_steps(manifest)), STEPS)
    figures = make_table([one.model_dump() for one in manifest.figures], FIGURES)
    spending = make_table(list(_spending(manifest)), SPENDING)
    return dict(zip(TABLES, (steps, figures, spending), strict=True))


def _steps(manifest: Manifest) -> Iterator[dict[str, Any]]:
    for place, step in enumerate(manifest.counts, start=1):
        yield {
            "place": place,
            "step": step.step,
            "level": step.level,
            "n_in": step.in_,
            "n_kept": step.kept,
            "n_dropped": step.dropped,
            "reasons": [{"reason": name, "n": rows} for name, rows in sorted(step.reasons.items())],
        }


def _spending(manifest: Manifest) -> Iterator[dict[str, Any]]:
    run = manifest.run
    for model in sorted({*run.spent, *run.before}):
        now, before = (paid.get(model, Spent()).model_dump() for paid in (run.spent, run.before))
        yield {"model": model, **{name: value + before[name] for name, value in now.items()}}
