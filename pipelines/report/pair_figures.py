"""Figures of the published pairs, and of the prompts that they are of."""

from collections.abc import Iterator

import polars as pl

from pipelines.bias.figure import Figure as Estimate
from pipelines.bias.figure import figure, ratio, share
from pipelines.publishing.numbered_pairs import NumberedPairs
from pipelines.publishing.versions import Version
from pipelines.report.estimates import off_half, rows
from pipelines.risks.compared import SIDES
from schemas.version import Figure


def pair_figures(pairs: NumberedPairs) -> Iterator[Figure]:
    """All of them that are defined, of a version with pairs."""
    prompts = pl.scan_parquet(pairs.version.files("prompts"), glob=False)
    prompts = prompts.select("prompt_id", "sources", "lang", "n_pairs", "score_var")
    yield from _of_pairs(pairs.rows)
    yield from _of_prompts(prompts.collect().sort("prompt_id"))


def kept_share(version: Version) -> Iterator[Figure]:
    """Of the pairs that were made, the share that is published; where no step drops pairs, all."""
    manifest = version.manifest
    steps = [step for step in manifest.counts if step.level == "pairs"]
    if made := steps[0].in_ if steps else manifest.rows("pairs"):
        kept = Estimate(manifest.rows("pairs") / made, made, None, manifest.rows("prompts"))
        yield from rows("kept_share", kept)


def _of_pairs(pairs: pl.DataFrame) -> Iterator[Figure]:
    """Pairs are added up by prompt once, for all figures of them."""
    top = _commonest(pairs.select(part="chosen_model", pairs=1))
    chosen, rejected = pl.col("n_chars_chosen"), pl.col("n_chars_rejected")
    by_prompt = pairs.group_by("prompt").agg(
        chars_chosen=chosen.sum(),
        chars_rejected=rejected.sum(),
        longer_won=(chosen > rejected).sum(),
        n_longer=(chosen != rejected).sum(),
        margin=pl.col("score_margin").sum(),
        n_margins=pl.col("score_margin").count(),
        top=(pl.col("chosen_model") == top).sum(),
        pairs=pl.len(),
    )
    sums = by_prompt.sort("prompt")
    longer = share(sums.select("prompt", "longer_won", "n_longer"), "n_longer")
    yield from rows("length_bias", off_half(longer))
    for side in SIDES:
        length = figure(sums.select("prompt", f"chars_{side}", "pairs"), ratio, "pairs")
        yield from rows(f"mean_chars_{side}", length)
    margin = figure(sums.select("prompt", "margin", "n_margins"), ratio, "n_margins")
    yield from rows("mean_margin", margin)
    if top is not None:
        yield from rows(
            "top_model_share", share(sums.select("prompt", "top", "pairs"), "pairs"), top
        )


def _of_prompts(prompts: pl.DataFrame) -> Iterator[Figure]:
    named = prompts.rename({"prompt_id": "prompt"})
    with_pairs = named.select("prompt", won=(pl.col("n_pairs") > 0).cast(pl.Int64), prompts=1)
    yield from rows("prompt_share", share(with_pairs, "prompts"))
    known = named.drop_nulls("score_var").select("prompt", "score_var", n=1)
    yield from rows("mean_variance", figure(known, ratio, "n"))
    paired = prompts.filter(pl.col("n_pairs") > 0)
    sources = paired.explode("sources").select("prompt_id", part="sources", pairs="n_pairs")
    yield from _top("top_source_share", sources)
    yield from _top("top_lang_share", paired.select("prompt_id", part="lang", pairs="n_pairs"))
    of_sources = prompts.explode("sources").select("n_pairs", part="sources", prompt="prompt_id")
    yield from _with_pairs("source_prompt_share", of_sources)
    yield from _with_pairs("lang_prompt_share", named.select("n_pairs", "prompt", part="lang"))


def _with_pairs(name: str, parts: pl.DataFrame) -> Iterator[Figure]:
    """Of the prompts of each `part`, the share that has a pair; of what is not known, none."""
    sums = parts.drop_nulls("part").select(
        "part", "prompt", won=(pl.col("n_pairs") > 0).cast(pl.Int64), prompts=1
    )
    for (part,), own in sums.partition_by("part", as_dict=True, include_key=False).items():
        yield from rows(name, share(own, "prompts"), str(part))


def _top(name: str, parts: pl.DataFrame) -> Iterator[Figure]:
    """The share of the pairs that the commonest `part` has; parts that are not known have none."""
    top = _commonest(parts.select("part", "pairs"))
    if top is None:
        return
    own = pl.col("pairs").filter(pl.col("part").eq_missing(top)).sum()
    sums = parts.group_by(prompt="prompt_id").agg(own=own, pairs=pl.col("pairs").sum())
    yield from rows(name, share(sums, "pairs"), top)


def _commonest(parts: pl.DataFrame) -> str | None:
    """The `part` with the most `pairs`, the first of several by name; None where none is known."""
    counts = parts.drop_nulls("part").group_by("part").agg(pl.col("pairs").sum())
    first = counts.sort("pairs", "part", descending=[True, False])["part"]
    return None if first.is_empty() else str(first[0])
