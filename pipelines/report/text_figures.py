"""Figures that take texts: what a model could learn instead of what is better.

Of a large set, those of the first prompts in the order of their ids, which are hashes: responses
are sorted by these, so few texts are read. `pairwright risks` tells the same from the same pairs.
"""

from collections.abc import Collection, Iterator
from importlib.util import find_spec

import polars as pl

from pipelines.bias.figure import Figure as Estimate
from pipelines.bias.figure import share
from pipelines.bias.markdown import density
from pipelines.publishing.numbered_pairs import NumberedPairs
from pipelines.publishing.versions import Version
from pipelines.report.estimates import off_half, rows
from pipelines.risks.compared import OF_PAIRS, SIDES, Compared
from pipelines.risks.separability import (
    LEAST_PAIRS,
    MODELS,
    PAIRS_AT_MOST,
    PROMPTS_AT_MOST,
    Separability,
    sample,
    separability,
)
from schemas.version import Figure

MODEL_PAIRS = 3
"""Pairs of models that are probed, those with the most pairs first."""
PROBED, PROBED_EACH = 300, 100
"""Pairs that are probed, over all and of each two models, where no gate asks for it. As many as by
`pairwright risks` would take ten seconds."""
WORTH_PROBING = 1_000
"""Pairs from which the probes, and importing what they need, are a small part of a build."""
PROBES = frozenset(
    ("separability", "separability_auc", "model_separability", "model_separability_auc")
)
MARKDOWN = "markdown_bias"


def text_figures(pairs: NumberedPairs, wanted: Collection[str] = ()) -> Iterator[Figure]:
    """All of them that are defined.

    The probes are for large sets, and where a figure of them is `wanted`.
    """
    asked_for = not PROBES.isdisjoint(wanted)
    worth_it = pairs.rows.height >= WORTH_PROBING and find_spec("sklearn") is not None
    models = _largest(pairs.rows) if asked_for or worth_it else []
    first, *of_models = _first(pairs), *(_first(pairs, _of_models(*two)) for two in models)
    known = pairs.read(OF_PAIRS, pl.any_horizontal(first, *of_models))  # once for all of them
    every = pairs.read(OF_PAIRS, pl.lit(True)) if MARKDOWN in wanted else known.filter(first)
    yield from _markdown(pairs.version, every)
    if asked_for or worth_it:
        most, most_each = (PAIRS_AT_MOST,) * 2 if asked_for else (PROBED, PROBED_EACH)
        whole = sample(known.filter(first), most)
        each = [sample(known.filter(own), most_each) for own in of_models]
        told = _compared(pairs.version, pl.concat([whole, *each]).unique("pair_id")).held()
        yield from _probed(told, "separability", whole)
        for two, some in zip(models, each, strict=True):
            yield from _probed(told, "model_separability", some, *two)


def _markdown(version: Version, pairs: pl.DataFrame) -> Iterator[Figure]:
    """How far the share of pairs whose chosen answer is the denser one is from one half.

    Where no pair has more of it on one side, as in a set without any, that is 0.
    """
    texts = _compared(version, pairs).texts(pairs.select("prompt_id", *_KEYS))
    chosen, rejected = (density(pl.col(side)) for side in SIDES)
    by_prompt = texts.group_by(prompt="prompt_id").agg(
        denser_won=(chosen > rejected).sum(), n_denser=(chosen != rejected).sum()
    )
    nothing = Estimate(0.0, 0, None, 0)
    yield from rows(MARKDOWN, off_half(share(by_prompt, "n_denser")) or nothing)


_KEYS = [f"{side}_response_id" for side in SIDES]


def _largest(pairs: pl.DataFrame) -> list[tuple[str, str]]:
    """The chosen and the rejected model of most `pairs`, then of those with the next most..."""
    counts = pairs.group_by(MODELS).len().drop_nulls()
    largest = counts.sort("len", *MODELS, descending=[True, False, False]).head(MODEL_PAIRS)
    enough = largest.filter(pl.col("len") >= LEAST_PAIRS).drop("len")
    return enough.rows() if counts.height > 1 else []


def _first(pairs: NumberedPairs, which: pl.Expr | None = None) -> pl.Expr:
    """Whether a pair, of those that `which` holds for, is of the first prompts with such pairs."""
    which = pl.lit(True) if which is None else which
    return which & (pl.col("prompt_id") <= pairs.last_of_first(PROMPTS_AT_MOST, which))


def _of_models(chosen: str, rejected: str) -> pl.Expr:
    return (pl.col("chosen_model") == chosen) & (pl.col("rejected_model") == rejected)


def _probed(
    known: Compared, name: str, pairs: pl.DataFrame, chosen: str = "", other: str = ""
) -> Iterator[Figure]:
    """The accuracy and the AUC of one probe of `pairs`, all of them."""
    found: Separability | None = separability(known, pairs, pairs.height)
    if found is not None:
        area = Estimate(found.auc, found.accuracy.n, None, found.accuracy.prompts)
        yield from rows(name, found.accuracy, chosen, other)
        yield from rows(f"{name}_auc", area, chosen, other)


def _compared(version: Version, pairs: pl.DataFrame) -> Compared:
    """`pairs`, with the texts of their prompts."""
    responses = pl.scan_parquet(version.files("responses"), glob=False)
    theirs = responses.filter(pl.col("prompt_id") <= pairs["prompt_id"].max())
    return Compared(pairs.sort("pair_id"), theirs.select("response_id", "text"))
