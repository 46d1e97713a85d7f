"""What the held-out losses of a version's pairs tell, as text."""

from pathlib import Path

import polars as pl

from flows.texts.plain import aligned, counted
from pipelines.difficulty.aggregate import learning_order, stability
from pipelines.difficulty.proxies import Correlation, proxy_correlations

QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


def difficulty_text(ref: str, losses: pl.DataFrame, pairs: pl.DataFrame, table: Path) -> str:
    """Distribution, stability between seeds, cheap proxies, and where the table lies.

    `losses` has the columns `losses.LOSSES`; `pairs` are `crossfit.grouped_pairs`. Pairs of which
    there are no losses, and losses of other pairs, are left out and counted.
    """
    losses = losses.join(pairs.select("pair_id"), on="pair_id", how="semi")
    measured = learning_order(losses)
    known = measured.filter(pl.col("difficulty").is_not_null())
    runs, per_pair = losses["run_id"].n_unique(), losses.height // max(measured.height, 1)
    some = "" if known.height == pairs.height else f" of {pairs.height:,}"
    about = f"{counted(known.height, 'pair')}{some}, {counted(runs, 'reference run')}"
    return "\n".join(
        [
            f"{ref}: {about}, {per_pair} held-out losses each",
            "",
            "mean held-out loss (ln 2 = 0.6931 for a model that learned nothing)",
            aligned(_quantiles(known["difficulty"])),
            "",
            "rank correlation between seeds (Spearman)",
            aligned([(f"  {a} and {b}", _r(r)) for (a, b), r in stability(losses).items()]),
            "",
            "rank correlation of what costs nothing with the held-out loss, and its 95 % interval",
            aligned(
                [
                    (f"  {name}", _r(found and found.r), _reach(found))
                    for name, found in proxy_correlations(pairs, measured).items()
                ]
            ),
            "",
            f"losses: {_shown(table)}",
        ]
    )


def _quantiles(values: pl.Series) -> list[tuple[str, ...]]:
    heads = ["  least", *(f"{share:.0%}" for share in QUANTILES[1:-1]), "most"]
    found = [values.quantile(share, "nearest") for share in QUANTILES]
    return [tuple(heads), tuple(f"{'  ' * (not at)}{value:.4f}" for at, value in enumerate(found))]


def _r(correlation: float | None) -> str:
    return "does not vary" if correlation is None else f"{correlation:+.2f}"


def _reach(found: Correlation | None) -> str:
    return "" if found is None else f"{found.low:+.2f} to {found.high:+.2f}"


def _shown(path: Path) -> str:
    """Relative to the working folder where it lies in it."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
