"""Check: judges of a recipe are held against labelled pairs, and what came of it is a calibration.

recorded judgments ───────────────────┐
labelled pairs ─ run (calls) ─────────┴─> opinions ─ figures ─> calibration
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version

from pipelines.agreement.wilson import lower_bound
from pipelines.calibration.figures import Judged
from pipelines.calibration.identity import (
    calibration_id,
    counting_judges,
    has_many_names,
    judge_part,
)
from pipelines.calibration.labelled import LabelSet
from pipelines.calibration.opinion import Opinion, recorded_opinion
from pipelines.calibration.reasons import commonest
from pipelines.calibration.run import Run, run_judges
from pipelines.calls.meter import Meter
from pipelines.errors import RecipeError
from pipelines.judge import Judge
from pipelines.judges.recorded import Recorded
from pipelines.publishing.store import Store
from pipelines.recipe import Recipe
from schemas.calibration import Calibration, Figure, Labels

Opinions = Mapping[str, Opinion]
"""Pair id -> what a judge said of it."""


def judges_to_check(recipe: Recipe, named: Sequence[str], labels: LabelSet) -> dict[str, Judge]:
    """Name in the rows -> judge, of those `named`, else of all that decide pairs.

    Raises RecipeError for names that do not exist, for recorded judges where there is nothing
    recorded, and where recorded judgments are not those of one judge.
    """
    names = tuple(dict.fromkeys(named)) or counting_judges(recipe)
    found = {name: judge_part(recipe, name) for name in names}
    if labels.is_recorded and len(found) != 1:
        raise RecipeError(
            f"{labels.name}: these are judgments of one judge, and --judge NAME says which: "
            f"{', '.join(found) or 'the recipe has none'}"
        )
    for name, judge in found.items():
        if has_many_names(judge, name):
            raise RecipeError(
                f"[[judges]] {name}: its rows name several judges. --judge NAME says which one"
            )
        if isinstance(judge, Recorded) and not labels.is_recorded:
            raise RecipeError(
                f"[[judges]] {name}: its judgments are recorded, so it cannot be asked about "
                f"{labels.name}. Give a table with what it said: winner_ab (and winner_ba) in A, "
                "B, tie, and label"
            )
    if not found:
        raise RecipeError(f"{recipe.path}: there are no [[judges]] to check")
    return found


def run_on(
    recipe: Recipe, store: Store, judges: Mapping[str, Judge], labels: LabelSet, meter: Meter
) -> Run:
    """What `judges` say of `labels`: what is recorded, else what they are asked.

    Raises FatalError when an endpoint refuses every request, and StoreError.
    """
    if not labels.is_recorded:
        return run_judges(recipe, store, judges, labels.pairs, meter)
    found = Run()
    for name in judges:
        for pair in labels.pairs:
            if pair.winners is not None:
                found.opinions[name][pair.pair_id] = recorded_opinion(pair.winners)
    return found


def judged(labels: LabelSet, opinions: Opinions, seed: int) -> Judged:
    """The pairs of `labels` beside what one judge said of each."""
    return Judged(labels.pairs, [opinions[pair.pair_id] for pair in labels.pairs], seed)


def calibration(
    recipe: Recipe,
    name: str,
    labels: LabelSet,
    opinions: Opinions,
    identities: Iterable[str] = (),
    also_seen: Iterable[str] = (),
) -> Calibration:
    """What the opinions of judge `name` come to.

    `also_seen` are the asked ids of further prompts that had a say in which judge it is.
    """
    rows = judged(labels, opinions, recipe.head.seed)
    figures = rows.figures()
    return Calibration(
        identity=calibration_id(recipe, name),
        judge=name,
        judge_identities=tuple(sorted(identities)),
        labels=Labels(
            digest=labels.digest,
            name=labels.name,
            pairs=len(labels.pairs),
            prompts=labels.groups,
            dropped=dict(sorted(labels.dropped.items())),
        ),
        lower_bound=_lower_bound(figures["accuracy"], labels),
        temperature=rows.temperature(),
        figures=figures,
        categories=rows.categories(),
        unread=_unread(opinions),
        prompts=tuple(sorted({*labels.asked(), *also_seen})),
        checked=datetime.now(UTC).isoformat(timespec="seconds"),
        code_version=version("pairwright"),
    )


def _unread(opinions: Opinions) -> dict[str, int]:
    return commonest(why for _, one in sorted(opinions.items()) for why in one.unread)


def _lower_bound(accuracy: Figure, labels: LabelSet) -> float | None:
    """Wilson's bound, with as many trials as there are prompts: pairs of one are not independent."""
    return lower_bound(accuracy.value, min(accuracy.n, labels.groups))
