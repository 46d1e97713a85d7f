"""Identity: what decides a judge's answers, so that its calibration holds for it and no other.

Known before any call: the judge's own table (its template, scale and decoding, and the code of a
user's own file) and its models. Names that a recipe gives play no part.
"""

from collections.abc import Collection
from typing import Any

from pipelines.errors import RecipeError, nearest
from pipelines.filter import Filter
from pipelines.judge import Judge
from pipelines.measure import Measure
from pipelines.recipe import Recipe
from pipelines.selection.steps import named
from pipelines.selector import Selector
from schemas.canonical import make_id

OF_VOTES = frozenset({"n_votes", "n_votes_chosen", "n_votes_rejected", "p_chosen", "p_preferred"})
"""Columns of pairs that every judge's vote goes into (`selection.votes`)."""

OF_THE_RECIPE = ("name", "when")
"""Keys of a judge that decide what it is called and asked, not what it answers."""


def calibration_id(recipe: Recipe, name: str) -> str:
    """The identity of the judge that rows of `recipe` call `name`. Raises RecipeError."""
    judge = judge_part(recipe, name)
    models = {model: _model(recipe, model) for model in judge.models()}
    own = {
        key: _renamed(value, models)
        for key, value in judge.identity().items()
        if key not in OF_THE_RECIPE
    }
    among = None if name == judge.name else name.removeprefix(f"{judge.name}.")
    return make_id("calibration", own, sorted(models.values()), among)


def judge_part(recipe: Recipe, name: str) -> Judge:
    """The part whose judgments bear `name`: its own, that of a dimension, or one in its records.

    Raises RecipeError.
    """
    by_name = {judge.name: judge for judge in recipe.judges}
    if name in by_name:
        return by_name[name]
    for judge in recipe.judges:
        if name in (f"{judge.name}.{part}" for part in judge.dimensions()):
            return judge
    recorded = [one for one in recipe.judges if has_many_names(one, one.name)]
    if len(recorded) == 1:
        return recorded[0]
    raise RecipeError(
        f'{recipe.path}: [[judges]]: no such judge "{name}"; {nearest(name, by_name)}'
    )


def has_many_names(judge: Judge, name: str) -> bool:
    """Whether `name` stands for judges that only the rows of recorded judgments name."""
    return getattr(judge, "judged_by", None) is not None and judge.name == name


def counting_judges(recipe: Recipe) -> tuple[str, ...]:
    """Names of the judges whose judgments may decide a pair, as far as the recipe can tell.

    Those that `[score]` and the pairings name. A pairing that names none goes by the score, that
    is by all judges where `[score]` names none; and one of comparisons by all judges. So does what
    filters or measures make of votes, which all have that judge single responses.
    """
    everyone = [judge.name for judge in recipe.judges]
    scored = recipe.score.judges or everyone
    names = [*recipe.score.judges]
    for pairing in recipe.pairings:
        of_comparisons = hasattr(pairing, "judges")
        names += pairing.judge_names() or (everyone if of_comparisons else scored)
    for measure in _deciding(recipe):
        names += measure.judge_names()
    if _goes_by_votes(recipe):
        names += (judge.name for judge in recipe.judges if judge.rates())
    return tuple(dict.fromkeys(names))


def counted_names(recipe: Recipe, names: Collection[str]) -> frozenset[str]:
    """The judges whose judgments may decide a pair; `names` are those by which rows call judges.

    Records that name their judges by row stand under one name in the recipe, and a judge that is
    asked only `when` another is unsure may have nothing to decide: both count if rows name them.
    """
    counting = set(counting_judges(recipe))
    recorded = {one.name for one in recipe.judges if has_many_names(one, one.name)} & counting
    others = {one.name for one in recipe.judges} - recorded
    dimensions = {f"{one.name}.{part}" for one in recipe.judges for part in one.dimensions()}
    of_records = set(names) - others - dimensions if recorded else set()
    silent = {one.name for one in recipe.judges if one.when is not None or one.name in recorded}
    return frozenset(counting - (silent - set(names)) | of_records)


def _goes_by_votes(recipe: Recipe) -> bool:
    """Whether votes on pairs decide which are kept; not only which of two equal ones is."""
    filtered = named(expr for one in recipe.filters for expr in one.drops().values())
    measured = (one.reads.pairs for one in _deciding(recipe))
    return not OF_VOTES.isdisjoint(filtered.union(*measured))


def _deciding(recipe: Recipe) -> list[Measure]:
    """The measures that a filter or a selector goes by."""
    parts: tuple[Filter | Selector, ...] = (*recipe.filters, *recipe.selectors)
    wanted = {name for part in parts for name in part.measure_names()}
    return [measure for measure in recipe.measures if measure.name in wanted]


def _model(recipe: Recipe, name: str) -> str:
    backend = recipe.models[name]
    sampling = backend.sampling.identity()
    return make_id("model", backend.model_identity(), backend.model, sampling, list(backend.omit))


def _renamed(value: Any, models: dict[str, str]) -> Any:
    """`value` with the identity of a model in the place of its name."""
    if isinstance(value, list):
        return [_renamed(one, models) for one in value]
    return models.get(value, value) if isinstance(value, str) else value
