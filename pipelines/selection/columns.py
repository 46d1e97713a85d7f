"""Which columns of the slim tables a recipe reads: the others are not held in memory."""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from pipelines.filter import Filter, On
from pipelines.measure import Measure
from pipelines.pairing import Pairing
from pipelines.recipe import Recipe
from pipelines.scoring import comparisons
from pipelines.selection.frames import (
    JUDGMENTS,
    PAIRED,
    PAIRS,
    PROMPTS,
    RESPONSES,
    Columns,
)
from pipelines.selection.measured import DIFFICULTY, column_of
from pipelines.selection.steps import late, named
from pipelines.selector import Selector

OF_EVERY_PAIR = (*PAIRED, "pair_id", "prompt_id", "pairing", "score_margin",
                 "p_preferred")  # fmt: skip
"""The columns of a pair that say what it is; those of its responses and prompt are left out."""

OF_DROPPED_PAIR = ("pair_id", "prompt", "chosen", "rejected", "score_chosen", "score_rejected")
"""There may be many more of them than of those that are kept."""

OF_EVERY_RECIPE = Columns(
    prompts=frozenset(("prompt_id", "group_id")),
    responses=frozenset(("response_id", "prompt_id")),
    judgments=frozenset(("judge", "dimension", "score", "rank")),
    pairs=frozenset(OF_EVERY_PAIR),
)

_OF_MODELS = frozenset(name for name in PROMPTS if "model" in name)


def columns_read(recipe: Recipe) -> Columns:
    """The columns that the score, the pairings, the late filters and the selectors read."""
    parts: tuple[Pairing | Measure, ...] = (*recipe.pairings, *recipe.measures)
    read = reduce(or_, (part.reads for part in parts), OF_EVERY_RECIPE)
    filtered = _named(recipe.filters, "pairs") | texts_read(recipe.measures)
    joined = {
        f"{side}_response_id" for side in ("chosen", "rejected") if f"{side}_text" in filtered
    }
    pairs = read.pairs.union(filtered, joined, pairs_read(recipe))  # a text is joined by its id
    prompts = read.prompts.union(_named(recipe.filters, "prompts"), pairs)
    of_sides = {name.partition("_")[2] for name in pairs.difference(OF_EVERY_PAIR)}
    of_sides |= {"n_chars"} if recipe.score.control == "length" else set()
    of_sides |= {"n_chars"} if read.nodes else set()  # of the accepted prefix
    of_models = {"model"} if prompts & _OF_MODELS else set()
    responses = read.responses.union(_named(recipe.filters, "responses"), of_sides, of_models)
    of_comparisons = comparisons.READS if recipe.score.judges else frozenset()
    return Columns(
        prompts & PROMPTS.keys(),
        responses & RESPONSES.keys(),
        (read.judgments | of_comparisons) & JUDGMENTS.keys(),
        pairs & PAIRS.keys(),
        read.nodes,
    )


def pairs_read(recipe: Recipe) -> Sequence[str]:
    """The columns of kept pairs, numbers among them: what is published, and what selectors read."""
    of_selectors = {name for selector in recipe.selectors for name in selector.reads}
    texts = texts_read(recipe.selectors) - {"prompt_text"}  # a text is joined by its id
    of_selectors |= {text.replace("_text", "_response_id") for text in texts}
    return [*OF_EVERY_PAIR, *sorted(of_selectors.difference(OF_EVERY_PAIR))]


def measures_read(recipe: Recipe) -> list[str]:
    """The columns of measures that selectors read, and what is published as `difficulty`."""
    named = {name for selector in recipe.selectors for name in selector.measure_names()}
    return [column_of(one.name) for one in recipe.measures if one.name in named | {DIFFICULTY}]


def texts_read(parts: Iterable[Measure | Selector]) -> frozenset[str]:
    """The texts of pairs (`frames.TEXT_COLUMNS`) that some parts read."""
    return frozenset(text for part in parts for text in part.texts)


def _named(filters: Iterable[Filter], on: On) -> frozenset[str]:
    return named(one for filter_ in late(tuple(filters), on) for one in filter_.drops().values())
