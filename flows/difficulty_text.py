"""What a cross-fit found, as text."""

from pathlib import Path

import polars as pl

from flows.plain_text import aligned, counted
from pipelines.difficulty.aggregate import learning_order, stability
from pipelines.difficulty.crossfit import Fitted
from pipelines.difficulty.proxies import proxy_correlations

QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


def difficulty_text(ref: str, fitted: Fitted) -> str:
    """Distribution, stability between seeds, cheap proxies, and what to do with it."""
    measured = learning_order(fitted.losses)
    known = measured.filter(pl.col("difficulty").is_not_null())
    runs, per_pair = fitted.losses["run_id"].n_unique(), fitted.losses.height // measured.height
    about = f"{counted(known.height, 'pair')}, {counted(runs, 'reference run')}"
    return "\n".join(
        [
            f"{ref}: {about}, {per_pair} held-out losses each",
            "",
            "mean held-out loss (ln 2 = 0.6931 for a model that learned nothing)",
            aligned(_quantiles(known["difficulty"])),
            "",
            "rank correlation between seeds (Spearman)",
            aligned([(f"  {a} and {b}", _r(r)) for (a, b), r in stability(fitted.losses).items()]),
            "",
            "rank correlation of what costs nothing with the held-out loss",
            aligned(
                [
                    (f"  {name}", _r(r))
                    for name, r in proxy_correlations(fitted.pairs, measured).items()
                ]
            ),
            "",
            f"losses: {_shown(fitted.folder / 'val_losses.parquet')}",
        ]
    )


def _quantiles(values: pl.Series) -> list[tuple[str, ...]]:
    heads = ["  least", *(f"{share:.0%}" for share in QUANTILES[1:-1]), "most"]
    found = [values.quantile(share, "nearest") for share in QUANTILES]
    return [tuple(heads), tuple(f"{'  ' * (not at)}{value:.4f}" for at, value in enumerate(found))]


def _r(correlation: float | None) -> str:
    return "does not vary" if correlation is None else f"{correlation:+.2f}"


def _shown(path: Path) -> str:
    """Relative to the working folder where it lies in it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
