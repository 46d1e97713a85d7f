"""Traits: how a judge's preference goes with a number that each answer has, as its length.

Three figures, from the weakest use of the scores to the strongest: who wins, how far margins go
with differences, and how far scores go with the trait. All compare answers to the same prompt, so
that what makes a prompt easy, or its answers long, plays no part.
"""

import polars as pl

from pipelines.bias.figure import Figure, correlation, figure, share


def more_wins(duels: pl.DataFrame, trait: pl.Series, *, sure: bool = True) -> Figure | None:
    """The share of duels that the answer with more of the trait wins. 0.5: it does not matter.

    Duels that are not decided, or whose answers do not differ in it, are left out. `trait` has a value for each answer, by its number, null where it is not known.
    """
    differing = _differing(duels, trait).filter(pl.col("margin") != 0)
    won = (pl.col("margin") > 0) == (pl.col("more") > 0)
    sums = differing.group_by("prompt").agg(won=won.sum(), duels=pl.len())
    return share(sums, "duels", sure=sure)


def margin_correlation(duels: pl.DataFrame, trait: pl.Series) -> Figure | None:
    """Spearman's correlation of the margin with the difference in the trait, over duels.

    Which answer of a duel comes first means nothing, so each is counted both ways round: the rank
    of a difference d is sign(d) * (its rank among all |d|), and the correlation is that of the
    signed ranks about 0. Ranks are those of all duels, in every resample.
    """
    compared = _differing(duels, trait, keep_equal=True)
    ranked = compared.select("prompt", margin=_signed_rank("margin"), more=_signed_rank("more"))
    return _correlation(ranked, "margin", "more")


def score_correlation(ratings: pl.DataFrame, trait: pl.Series) -> Figure | None:
    """Spearman's correlation of the score with the trait within prompts.

    Both are ranked within each prompt (equal values share their mean rank) and centred there;
    products and squares are summed over prompts. With answers equally many and no ties it is the
    mean of the prompts' correlations; a prompt whose answers do not differ says nothing.
    """
    own = ratings.with_columns(trait=trait.gather(ratings["response"])).drop_nulls("trait")
    centred = own.select(
        "prompt",
        value=_centred_rank("value").over("prompt"),
        trait=_centred_rank("trait").over("prompt"),
    )
    return _correlation(centred, "value", "trait")


def _differing(duels: pl.DataFrame, trait: pl.Series, *, keep_equal: bool = False) -> pl.DataFrame:
    """The duels with `more`: by how much `a` has more of the trait than `b`."""
    values = trait.cast(pl.Float64)
    more = values.gather(duels["a"]) - values.gather(duels["b"])
    with_more = duels.with_columns(more=more).drop_nulls("more")
    return with_more if keep_equal else with_more.filter(pl.col("more") != 0)


def _signed_rank(name: str) -> pl.Expr:
    """Ranks in the sample counted both ways round, less their mean."""
    return pl.col(name).sign() * (pl.col(name).abs().rank("average") - 0.5)


def _centred_rank(name: str) -> pl.Expr:
    return pl.col(name).rank("average") - (pl.len() + 1) / 2


def _correlation(centred: pl.DataFrame, left: str, right: str) -> Figure | None:
    x, y = pl.col(left), pl.col(right)
    sums = centred.group_by("prompt").agg(
        product=(x * y).sum(), left=(x * x).sum(), right=(y * y).sum(), n=pl.len()
    )
    return figure(sums, lambda product, left, right, _: correlation(product, left, right), "n")
