"""Separability: how well a linear probe tells chosen from rejected by how the texts look.

"More is Less" (arXiv 2504.02193) finds that pairs of a strong model's answer over a weak one's are
almost linearly separable, and that training on them hurts safety: what is learned is whose style
it is. The probe here sees text features (`features`), and never two answers to one prompt on both
sides of a fold.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from pipelines.bias.figure import Figure, figure, ratio
from pipelines.risks.compared import SIDES, Compared
from pipelines.risks.features import features
from pipelines.risks.probe import FOLDS, told
from pipelines.selection.hashes import draw_integers

MOST = 0.9
"""An accuracy from which pairs are called separable."""
LEAST_PAIRS = 50
"""With fewer a probe learns nothing, and is not fitted."""
PAIRS_AT_MOST = 1000
"""Pairs of one probe: a seeded sample of more."""
PROMPTS_AT_MOST = 1000
"""Prompts of one probe: of more, the first ones by id, which is a hash."""
MODELS = ["chosen_model", "rejected_model"]
SEED = 0


class Separability(NamedTuple):
    """How well texts of some pairs are told apart."""

    accuracy: Figure
    """The share of texts, chosen and rejected alike, that are told right. 0.5: not at all."""
    auc: float
    """Mean over folds."""


def separability(
    known: Compared, pairs: pl.DataFrame, most: int = PAIRS_AT_MOST
) -> Separability | None:
    """That of `pairs`, some of those of `known`; None for fewer than `LEAST_PAIRS` with texts."""
    texts = known.texts(sample(pairs, most))
    return separable(texts.select("prompt_id", *SIDES).drop_nulls())


def sample(pairs: pl.DataFrame, most: int) -> pl.DataFrame:
    """The pairs that are probed: so many at most of the first prompts, by a seeded draw."""
    prompts = pairs["prompt_id"].unique().sort().head(PROMPTS_AT_MOST)
    pairs = pairs.filter(pl.col("prompt_id") <= prompts.max())
    drawn = draw_integers(pairs, SEED, "separability", pl.col("pair_id"))
    return pairs.with_columns(draw=drawn).sort("draw", "pair_id").head(most).drop("draw")


def model_pairs(known: Compared) -> dict[tuple[str, str], pl.DataFrame]:
    """(chosen model, rejected model) -> its pairs, the largest first."""
    pairs = known.pairs.with_columns(pl.col(MODELS).fill_null("?"))
    groups = pairs.partition_by(MODELS, as_dict=True, maintain_order=True)
    order = sorted(groups, key=lambda group: (-groups[group].height, group))
    return {(str(group[0]), str(group[1])): groups[group] for group in order}


def separable(pairs: pl.DataFrame) -> Separability | None:
    """Separability of `prompt_id`, `chosen` and `rejected`; None for too few pairs or prompts."""
    if pairs.height < LEAST_PAIRS or pairs["prompt_id"].n_unique() < FOLDS:
        return None
    ordered = pairs.sort("prompt_id", *SIDES)
    texts = pl.concat([ordered["chosen"].alias("text"), ordered["rejected"].alias("text")])
    prompts = pl.concat([ordered["prompt_id"], ordered["prompt_id"]])
    labels = np.repeat([1, 0], pairs.height)
    found = told(features(texts), labels, prompts)
    right = pl.DataFrame({"prompt": prompts, "right": (found.sums > 0) == labels})
    totals = right.group_by("prompt").agg(pl.col("right").sum(), texts=pl.len())
    accuracy = figure(totals, ratio, "texts")
    assert accuracy is not None
    return Separability(accuracy, found.auc)
