"""References: every name that one table of a recipe has of another one exists."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.backend import AS_THE_MODEL, Backend, Sampling
from pipelines.errors import nearest
from pipelines.extras import missing
from pipelines.filter import Filter
from pipelines.judge import Judge
from pipelines.languages import check_languages
from pipelines.measure import Measure
from pipelines.pairing import Pairing
from pipelines.part import Part, Where
from pipelines.publishing.layout import Publish
from pipelines.running.cascade import check_cascade
from pipelines.running.exactly import check_exactly
from pipelines.running.waves import check_waves
from pipelines.sampler import Sampler
from pipelines.selector import Selector

if TYPE_CHECKING:
    from pipelines.recipe import Recipe

T = TypeVar("T")


Checked = Callable[..., object]
"""Calls a check with its arguments, and keeps its RecipeError: `RecipeTables.checked`."""


def check_references(recipe: "Recipe", where: Where, checked: Checked) -> None:
    """Every name that one table has of another exists; `checked` is told of each that does not.

    Parts that could not be loaded are None. What depends on them is not looked at: a name may be
    theirs.
    """
    for key in ("samplers", "pairings", "prompts"):
        if key not in recipe.table:
            checked(_refuse_absent, key, where)
    callers: tuple[Sampler | Judge, ...] = (*recipe.samplers, *recipe.judges)
    for caller in _loaded(callers):
        for model in caller.models():
            checked(_check_model, recipe, caller, model, where)
    for reader in _loaded(recipe.prompts, recipe.samplers, recipe.judges):
        checked(_check_source, recipe, reader, where)
    if are_loaded(recipe.samplers):
        for pairing in _loaded(recipe.pairings):
            checked(_check_sampler_names, recipe, pairing, where)
        checked(check_waves, recipe.samplers, where)
    if are_loaded(recipe.judges):
        _check_judge_names(recipe, where, checked)
        checked(check_cascade, recipe.judges, where)
    if are_loaded(recipe.measures):
        for part in _loaded(recipe.filters, recipe.selectors):
            checked(_check_measure_names, recipe, part, where)
    if are_loaded(recipe.samplers, recipe.judges, tuple(recipe.models.values())):
        for measure in _loaded(recipe.measures):
            place = replace(where, table=f"[[measures]] {measure.name}")
            checked(measure.check_recipe, recipe, place)
    if are_loaded(recipe.samplers, recipe.selectors, (recipe.gates,)):
        checked(check_exactly, recipe, replace(where, table="[exactly]"))
    if "languages" not in recipe.table or recipe.languages is not None:
        checked(check_languages, recipe.languages, list(_loaded(recipe.filters)), where)
    if are_loaded((recipe.publish,)):
        checked(_check_publish, recipe.publish, where)


def are_loaded(*shelves: Sequence[object]) -> bool:
    """Whether no part of these shelves is None."""
    return all(part is not None for shelf in shelves for part in shelf)


def _loaded(*shelves: Sequence[T]) -> Iterator[T]:
    return (part for shelf in shelves for part in shelf if part is not None)


def _refuse_absent(key: str, where: Where) -> None:
    if key == "prompts":
        raise where.error("a [prompts] table is needed: it says which column is the prompt")
    raise where.error(f"at least one [[{key}]] is needed. `pairwright parts {key}` lists them")


def _check_model(recipe: "Recipe", caller: Sampler | Judge, model: str, where: Where) -> None:
    """The model that `caller` names is there, and can be asked as it asks."""
    _known(model, recipe.models, "model", _place(caller, model), where)
    backend: Backend | None = recipe.models[model]
    if backend is None:
        return
    caller_place = replace(where, table=_place(caller, model))
    for sampling in samplings_of(caller, model):
        backend.check_sampling(backend.effective(sampling), caller_place)
        _refuse_omitted_logprobs(backend, sampling, caller_place)
        if are_loaded((recipe.budget,)):
            recipe.budget.check_model(backend, sampling, replace(where, table="[budget]"))


def _check_source(recipe: "Recipe", reader: Any, where: Where) -> None:
    """The source that `reader` names is there, or there is only one."""
    source = getattr(reader, "source", None)
    if source is None or (not source and len(recipe.sources) == 1):
        return
    place = f"[[{reader.shelf}]] {reader.name}" if isinstance(reader, Part) else "[[prompts]]"
    if not source:
        raise where.error(_which_source(recipe.sources), f"{place}: source")
    _known(source, recipe.sources, "source", f"{place}: source", where)


def _check_publish(publish: Publish, where: Where) -> None:
    if publish.group_near_duplicates and (lacking := missing("risks", "datasketch")):
        raise where.error(lacking, "[publish]: group_near_duplicates")


def _check_sampler_names(recipe: "Recipe", pairing: Pairing, where: Where) -> None:
    """The samplers that a pairing names exist."""
    samplers = [sampler.name for sampler in recipe.samplers]
    for name in pairing.sampler_names():
        _known(name, samplers, "sampler", _place(pairing, name), where)


def _check_measure_names(recipe: "Recipe", part: Filter | Selector, where: Where) -> None:
    """The measures that a filter or selector names exist."""
    measures = [measure.name for measure in recipe.measures]
    for name in part.measure_names():
        _known(name, measures, "measure", _place(part, name), where)


def samplings_of(caller: Sampler | Judge, model: str) -> tuple[Sampling, ...]:
    """How `caller` asks a model; a judge's `decoding` is its sampling, with what it presets."""
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


def _check_judge_names(recipe: "Recipe", where: Where, checked: Checked) -> None:
    """The judges that samplers, `[score]` and the parts name exist, as far as the recipe can tell."""
    for sampler in _loaded(recipe.samplers):
        checked(_check_asked, recipe, sampler, where)
    if any(getattr(judge, "judged_by", None) is not None for judge in recipe.judges):
        return  # the names of its judges stand in the rows of its source
    judges = [judge.name for judge in recipe.judges]
    aspects = [f"{judge.name}.{one}" for judge in recipe.judges for one in judge.dimensions()]
    for name in recipe.score.judges if are_loaded((recipe.score,)) else ():
        checked(_known, name, [*judges, *aspects], "judge", "[score]: judges", where)
    bounds = recipe.gates.judge_accuracy if are_loaded((recipe.gates,)) else None
    for name in bounds if isinstance(bounds, dict) else ():
        checked(_known, name, [*judges, *aspects], "judge", "[gates]: judge_accuracy", where)
    parts: tuple[Pairing | Measure, ...] = (*recipe.pairings, *recipe.measures)
    for part in _loaded(parts):
        for name in part.judge_names():
            checked(_known, name, judges, "judge", _place(part, name), where)


def _check_asked(recipe: "Recipe", sampler: Sampler, where: Where) -> None:
    """The judges that a sampler asks are there, and can say what it asks."""
    recorded = {one.name for one in _loaded(recipe.samplers) if one.recorded}
    starts = sampler.starts_from()
    of_drawn = sampler.asks_of_drawn() or not starts or not recorded.issuperset(starts)
    unfit = {judge.name: _unfit(judge, sampler, of_drawn) for judge in recipe.judges}
    for name in sampler.judge_names():
        place = _place(sampler, name)
        _known(name, unfit, "judge", place, where)
        if unfit[name]:
            valid = ", ".join(sorted(one for one in unfit if not unfit[one])) or "none is there"
            raise where.error(f'"{name}" {unfit[name]}; Valid: {valid}', place)


def _unfit(judge: Judge, sampler: Sampler, of_drawn: bool) -> str:
    """Why a sampler, which may ask `of_drawn` responses, cannot ask a judge; "" where it can."""
    if sampler.asks_of_one and judge.relative:
        return "judges answers beside others, and here each stands alone"
    if of_drawn and judge.recorded:
        return "was recorded, and says nothing of what is drawn here"
    return ""


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
