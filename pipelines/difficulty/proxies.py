"""Proxies: figures that cost nothing, and how well they order pairs as the held-out loss does."""

import polars as pl

from pipelines.difficulty.aggregate import spearman

PROXIES = {
    "-margin": -pl.col("score_margin"),
    "-chosen score": -pl.col("score_chosen"),
    "rejected score": pl.col("score_rejected"),
    "variance of the prompt's scores": pl.col("score_var"),
    "-p_chosen": -pl.col("p_chosen"),
    "chosen characters": pl.col("n_chars_chosen"),
    "rejected characters": pl.col("n_chars_rejected"),
    "chosen - rejected characters": pl.col("n_chars_chosen") - pl.col("n_chars_rejected"),
}
"""Each so that more of it should mean a harder pair."""


def proxy_correlations(pairs: pl.DataFrame, measured: pl.DataFrame) -> dict[str, float | None]:
    """Spearman's correlation of each proxy with `difficulty`; None where one does not vary.

    `pairs` has the published columns of pairs, `measured` those of `aggregate.MEASURED`.
    """
    published = pairs.drop("difficulty", strict=False)
    both = published.join(measured, on="pair_id", how="inner").sort("pair_id")
    return {
        name: spearman(both.select(value=proxy)["value"], both["difficulty"])
        for name, proxy in PROXIES.items()
    }
