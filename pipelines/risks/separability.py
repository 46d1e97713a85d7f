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
from pipelines.risks.probe import FOLDS, auc, held_out
from pipelines.selection.hashes import draw_integers

MOST = 0.9
"""An accuracy from which pairs are called separable."""
LEAST_PAIRS = 50
"""With fewer a probe learns nothing, and is not fitted."""
PAIRS_AT_MOST = 1000
"""Pairs of one probe: a seeded sample of more."""
SEED = 0


class Separability(NamedTuple):
    """How well texts of some pairs are told apart."""

    accuracy: Figure
    """The share of texts, chosen and rejected alike, that are told right. 0.5: not at all."""
    auc: float
    """Mean over folds."""


def separability(known: Compared, pairs: pl.DataFrame) -> Separability | None:
    """That of `pairs`, some of those of `known`; None for fewer than `LEAST_PAIRS` with texts."""
    drawn = draw_integers(pairs, SEED, "separability", pl.col("pair_id"))
    some = pairs.with_columns(draw=drawn).sort("draw", "pair_id").head(PAIRS_AT_MOST)
    return separable(known.texts(some).select("prompt_id", *SIDES).drop_nulls())


def model_pairs(known: Compared) -> dict[tuple[str, str], pl.DataFrame]:
    """(chosen model, rejected model) -> its pairs, the largest first."""
    models = ["chosen_model", "rejected_model"]
    pairs = known.pairs.with_columns(pl.col(models).fill_null("?"))
    groups = pairs.partition_by(models, as_dict=True, maintain_order=True)
    order = sorted(groups, key=lambda group: (-groups[group].height, group))
    return {(str(group[0]), str(group[1])): groups[group] for group in order}


def separable(pairs: pl.DataFrame) -> Separability | None:
    """Separability of `prompt_id`, `chosen` and `rejected`; None for too few pairs or prompts."""
    if pairs.height < LEAST_PAIRS or pairs["prompt_id"].n_unique() < FOLDS:
        return None
    texts = pl.concat([pairs["chosen"].alias("text"), pairs["rejected"].alias("text")])
    prompts = pl.concat([pairs["prompt_id"], pairs["prompt_id"]])
    labels = np.repeat([1.0, -1.0], pairs.height)
    folds = _folds(prompts)
    sums = held_out(features(texts), labels, folds)
    told = pl.DataFrame({"prompt": prompts, "right": np.where(labels > 0, sums > 0, sums <= 0)})
    totals = told.group_by("prompt").agg(pl.col("right").sum(), texts=pl.len())
    accuracy = figure(totals, ratio, "texts")
    areas = [auc(sums[folds == fold], labels[folds == fold]) for fold in range(FOLDS)]
    assert accuracy is not None
    return Separability(accuracy, float(np.mean([area for area in areas if area is not None])))


def _folds(prompts: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The fold of each row: prompts in seeded order, dealt round."""
    unique = prompts.unique().to_frame("prompt")
    drawn = draw_integers(unique, SEED, "folds", pl.col("prompt"))
    dealt = unique.with_columns(draw=drawn).sort("draw", "prompt").with_row_index("place")
    rows = prompts.to_frame("prompt").join(dealt, on="prompt", how="left", maintain_order="left")
    return (rows["place"].to_numpy() % FOLDS).astype(np.int64)
