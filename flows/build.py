"""The spine as a Prefect flow: read, a task for each shard, publish.

It is the build of `pipelines/build.py` with more than one shard, and gives the same content. What
is bought is in the ledger, so a run that failed, crashed or was cancelled is simply run again.
`docs/scheduling.md` tells how it is deployed.
"""

import time
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.commands.doctor import line
from flows.options.shipped_recipes import find_recipe
from flows.sharding.artifacts import Progress, publish_outcome
from flows.sharding.shard import Job
from flows.sharding.shards import Shards
from flows.sharding.shares import Share, Till, shards_for, slots_for
from flows.texts.build_summary import verdict
from pipelines.build import Outcome, note_units, publish, read, refuse_to_pay
from pipelines.calibration.gate import JudgeGate
from pipelines.calls.meter import Meter
from pipelines.health.endpoint import called, unlisted
from pipelines.planning.plan import forecast
from pipelines.publishing.store import Store, staged
from pipelines.recipe import Recipe, read_recipe
from pipelines.running.receipt import attempts
from pipelines.running.rounds import Rounds
from pipelines.running.shard import Shard

THREADS: Any = ThreadPoolTaskRunner()  # its declared type is not what `flow` declares to take
"""Shards run in threads, each with its event loop: they wait for replies most of the time."""


@flow(task_runner=THREADS, persist_result=False)
def build_dataset(
    recipe: str, store: str, overrides: list[str] | None = None, shards: int | None = None
) -> State[Any]:
    """Builds the dataset that `recipe` describes into `store`.

    Args:
        recipe: Path of a recipe file, or the name of a shipped one.
        store: Folder of the store.
        overrides: Changes to single values of the recipe, as in "filters.margin.min=2".
        shards: Tasks to deal the prompts out to, 1 to 64. Default: one for each 1,000 prompts.
    """
    started, began, changes = time.monotonic(), time.time(), tuple(overrides or ())
    path, place, meter = find_recipe(recipe).absolute(), Store(Path(store)), Meter()
    chosen = read_recipe(path, changes).in_store(place)
    fingerprint = chosen.fingerprint()
    for check in unlisted(called(chosen)):
        get_run_logger().warning(line(check))
    with staged(place, chosen.head.name) as staging:
        gate = JudgeGate(chosen, place)
        if refused := refuse_to_pay(chosen, place, staging, gate, meter):
            seconds = time.monotonic() - started
            publish_outcome(chosen.head.name, refused, meter, place.root, seconds)
            return _ended(refused)
        note_units(chosen, place, gate, meter)
        intake = read(chosen, staging, meter, gate)
        meter.forecast = forecast(chosen, place, staging)

        def job(shard: Shard, share: Share) -> Job:
            whose = str(path), changes, fingerprint, str(place.root), str(staging)
            return Job(*whose, shard, share)

        till, rounds = Till(chosen.budget, began), Rounds(chosen, staging, intake, meter)
        progress = _progress(chosen, shards_for(intake.selected, shards))
        for draw in rounds:
            of = shards_for(rounds.size(draw), shards)
            slots = slots_for(chosen, of)
            get_run_logger().info("%d prompts, %d shards, %d at once", rounds.size(draw), of, slots)
            dealt = [Shard(number, of, draw) for number in range(of)]
            of_shards = progress if draw.is_all else lambda _: None
            rounds.add(draw, Shards(job, staging, slots, till, of_shards).run(dealt))
            for one in (one for shard in dealt for one in attempts(staging, shard)):
                meter.add(one.meter)
            if not draw.is_all:
                progress(rounds.pairs)
        outcome = publish(chosen, place, staging, intake, rounds.finished, meter, gate)
    publish_outcome(chosen.head.name, outcome, meter, place.root, time.monotonic() - started)
    return _ended(outcome)


def _progress(recipe: Recipe, shards: int) -> Progress:
    """What is counted: pairs where their number is wanted, else shards."""
    if recipe.exactly is not None:
        return Progress(recipe.head.name, recipe.exactly.pairs, "pairs")
    return Progress(recipe.head.name, shards)


def _ended(outcome: Outcome) -> State[Any]:
    """The flow run's last state: failed where a gate refused the build, or calls are owed."""
    if outcome.version is not None:
        return Completed(message=verdict(outcome))
    if outcome.refused is not None:
        return Failed(message=f"{verdict(outcome)}\nevidence: {outcome.refused}")
    return Failed(message=f"{verdict(outcome)}\nWhat is paid is kept. Run it again to go on.")
