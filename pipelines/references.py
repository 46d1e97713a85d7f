"""References: every name that one table of a recipe has of another one exists."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.backend import AS_THE_MODEL, Backend, Sampling
from pipelines.cascade import check_cascade
from pipelines.errors import nearest
from pipelines.exactly import check_exactly
from pipelines.extras import missing
from pipelines.filter import Filter
from pipelines.judge import Judge
from pipelines.languages import check_languages
from pipelines.measure import Measure
from pipelines.pairing import Pairing
from pipelines.part import Part, Where
from pipelines.sampler import Sampler
from pipelines.selector import Selector
from pipelines.waves import check_waves

if TYPE_CHECKING:
    from pipelines.recipe import Recipe


def check_references(recipe: "Recipe", where: Where) -> None:
    """Every name that one table has of another exists. Raises RecipeError."""
    for key in ("samplers", "pairings"):
        if not getattr(recipe, key):
            raise where.error(
                f"at least one [[{key}]] is needed. `pairwright parts {key}` lists them"
            )
    if not recipe.prompts:
        raise where.error("a [prompts] table is needed: it says which column is the prompt")
    callers: tuple[Sampler | Judge, ...] = (*recipe.samplers, *recipe.judges)
    for caller in callers:
        for model in caller.models():
            _known(model, recipe.models, "model", _place(caller, model), where)
            backend = recipe.models[model]
            caller_place = replace(where, table=_place(caller, model))
            for sampling in _samplings(caller, model):
                backend.check_sampling(backend.effective(sampling), caller_place)
                _refuse_omitted_logprobs(backend, sampling, caller_place)
                recipe.budget.check_model(backend, sampling, replace(where, table="[budget]"))
    for reader in (*recipe.prompts, *recipe.samplers, *recipe.judges):
        source = getattr(reader, "source", None)
        if source is not None and (source or len(recipe.sources) != 1):
            place = (
                f"[[{reader.shelf}]] {reader.name}" if isinstance(reader, Part) else "[[prompts]]"
            )
            if not source:
                raise where.error(_which_source(recipe.sources), f"{place}: source")
            _known(source, recipe.sources, "source", f"{place}: source", where)
    _check_sampler_names(recipe, where)
    _check_judge_names(recipe, where)
    _check_measure_names(recipe, where)
    check_waves(recipe.samplers, where)
    check_cascade(recipe.judges, where)
    check_exactly(recipe, replace(where, table="[exactly]"))
    check_languages(recipe.languages, recipe.filters, where)
    if recipe.publish.group_near_duplicates and (lacking := missing("risks", "datasketch")):
        raise where.error(lacking, "[publish]: group_near_duplicates")


def _check_sampler_names(recipe: "Recipe", where: Where) -> None:
    """The samplers that pairings name exist."""
    samplers = [sampler.name for sampler in recipe.samplers]
    for pairing in recipe.pairings:
        for name in pairing.sampler_names():
            _known(name, samplers, "sampler", _place(pairing, name), where)


def _check_measure_names(recipe: "Recipe", where: Where) -> None:
    """The measures that filters and selectors name exist."""
    measures = [measure.name for measure in recipe.measures]
    parts: tuple[Filter | Selector, ...] = (*recipe.filters, *recipe.selectors)
    for part in parts:
        for name in part.measure_names():
            _known(name, measures, "measure", _place(part, name), where)


def _samplings(caller: Sampler | Judge, model: str) -> tuple[Sampling, ...]:
    """How the caller asks a model; a judge's `decoding` is its sampling, with what it presets."""
    if isinstance(caller, Sampler) and (asked := caller.samplings(model)):
        return asked
    sampling = getattr(caller, "decoding", None) or getattr(caller, "sampling", AS_THE_MODEL)
    assert isinstance(sampling, Sampling)
    return (sampling,)


def _refuse_omitted_logprobs(backend: Backend, sampling: Sampling, where: Where) -> None:
    if sampling.top_logprobs and not backend.effective(sampling).top_logprobs:
        raise where.error(
            f"log-probabilities are needed, and models.{backend.name} omits top_logprobs"
        )


def _which_source(sources: Iterable[str]) -> str:
    names = sorted(sources)
    if not names:
        return "there is no source to read: a [sources.NAME] table is needed"
    return f"which of the sources is read? Valid: {', '.join(names)}"


def _check_judge_names(recipe: "Recipe", where: Where) -> None:
    """The judges that `[score]` and the pairings name exist, as far as the recipe can tell."""
    if any(getattr(judge, "judged_by", None) is not None for judge in recipe.judges):
        return  # the names of its judges stand in the rows of its source
    judges = [judge.name for judge in recipe.judges]
    aspects = [f"{judge.name}.{one}" for judge in recipe.judges for one in judge.dimensions()]
    for name in recipe.score.judges:
        _known(name, [*judges, *aspects], "judge", "[score]: judges", where)
    if isinstance(recipe.gates.judge_accuracy, dict):
        for name in recipe.gates.judge_accuracy:
            _known(name, [*judges, *aspects], "judge", "[gates]: judge_accuracy", where)
    parts: tuple[Sampler | Pairing | Measure, ...] = (
        *recipe.samplers,
        *recipe.pairings,
        *recipe.measures,
    )
    for part in parts:
        for name in part.judge_names():
            _known(name, judges, "judge", _place(part, name), where)


def _place(part: Part, named: str) -> str:
    """The table of `part`, and its key whose value is, or holds, the name `named`."""
    values = {key: getattr(part, key) for key in type(part).model_fields if key != "name"}
    keys = [
        key
        for key, value in values.items()
        if value == named or (isinstance(value, tuple | dict) and named in value)
    ]
    return ": ".join([f"[[{part.shelf}]] {part.name}", *keys[:1]])


def _known(name: str, valid: Iterable[str], noun: str, place: str, where: Where) -> None:
    names = list(valid)
    if name not in names:
        raise where.error(f'no such {noun} "{name}"; {nearest(name, names)}', place)
