"""What measures ask of the rest of a recipe: a judge that tells likelihoods, the policy's answers."""

from typing import TYPE_CHECKING

from pipelines.configuring.references import samplings_of
from pipelines.part import Where
from pipelines.samplers.recorded import Recorded

if TYPE_CHECKING:
    from pipelines.backend import Backend
    from pipelines.judge import Statistic
    from pipelines.recipe import Recipe
    from pipelines.sampler import Sampler

NO_POLICY = 'none is the policy\'s here: no model or recorded sampler has policy = "on"'


def check_likelihood(
    recipe: "Recipe", judge: str, statistic: "Statistic", where: Where, key: str = "judge"
) -> None:
    """Raises RecipeError unless the scores of `judge` are this statistic of log-probabilities.

    A name that no judge of the recipe has may stand in the rows of one with `judged_by`.
    """
    named = [one for one in recipe.judges if one.name == judge]
    of_rows = [one for one in recipe.judges if getattr(one, "judged_by", None) is not None]
    found = {one.likelihood() for one in named or of_rows}
    if not found or statistic in found:
        return  # a name that is nobody's has an error of its own
    are = " or ".join(sorted(f'their "{one}"' for one in found if one)) or "something else"
    raise where.error(
        f'the {statistic} of log-probabilities is wanted here, and the scores of "{judge}" are '
        f'{are}. A judge of kind "likelihood" with statistic = "{statistic}" gives it; recorded '
        f'scores that are it say so: statistic = "{statistic}"',
        key,
    )


def of_policy(recipe: "Recipe") -> "list[Sampler]":
    """The samplers that may have answers of the policy, of a model with policy = "on" or recorded."""
    return [
        sampler
        for sampler in recipe.samplers
        if _may_be_policy(sampler) or _policy_models(recipe, sampler)
    ]


def keeps_logprobs(recipe: "Recipe", sampler: "Sampler") -> bool:
    """Whether the policy's answers by `sampler` come with log-probabilities, as far as is known."""
    recorded = isinstance(sampler, Recorded)
    return (_may_be_policy(sampler) and not recorded) or any(
        model.effective(sampling).logprobs
        for model in _policy_models(recipe, sampler)
        for sampling in samplings_of(sampler, model.name)
    )


def _policy_models(recipe: "Recipe", sampler: "Sampler") -> "list[Backend]":
    named = (recipe.models.get(name) for name in sampler.models())
    return [model for model in named if model is not None and model.policy == "on"]


def _may_be_policy(sampler: "Sampler") -> bool:
    """Whether it calls no model and does not say that its answers are not the policy's."""
    if isinstance(sampler, Recorded):
        return sampler.policy == "on" or sampler.policy_column is not None
    return not sampler.models()
