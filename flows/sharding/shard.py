"""One shard as a Prefect task: plain values in, a path and a hash out.

It runs in a thread of the flow's process, with an event loop of its own, and just as well in
another process or on another machine that sees the store: it reads the recipe itself.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import uvloop
from prefect import Task, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import exponential_backoff

from flows.sharding.shares import Share
from pipelines.calls.budget import Cost
from pipelines.calls.meter import Meter
from pipelines.errors import BackendError, PairwrightError, RecipeError
from pipelines.publishing.store import Store
from pipelines.recipe import read_recipe
from pipelines.running.receipt import attempts, write_receipt
from pipelines.running.shard import Shard, run_shard

STOPPED = "stopped"
"""A file of this name in the staging folder stops its shards, wherever they run."""

LOOKS_EVERY_S = 0.5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Job:
    """A shard to run."""

    recipe: str
    """Path of the recipe file."""
    overrides: tuple[str, ...]
    fingerprint: str
    """Of the recipe when the flow began."""
    store: str
    staging: str
    shard: Shard
    share: Share


class CallsOwed(BackendError):
    """A shard owes calls. It holds the receipt of what is there: path and hash."""

    def __init__(self, message: str, path: str, sha256: str) -> None:
        super().__init__(message, path, sha256)
        self.receipt = path, sha256

    def __str__(self) -> str:
        return str(self.args[0])


class Stopped(PairwrightError):
    """The flow run was cancelled or failed, and its shards with it."""


def _is_owed(_task: Task[..., Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether trying again may help: what is wrong with a recipe, key or store stays wrong."""
    return isinstance(state.result(raise_on_failure=False), CallsOwed)


@task(
    name="shard",
    task_run_name="shard {job.shard.number} of {job.shard.of}",
    retries=3,
    retry_delay_seconds=exponential_backoff(15),
    retry_jitter_factor=0.5,
    retry_condition_fn=_is_owed,
    cache_policy=NO_CACHE,
    persist_result=False,
)
def shard_task(job: Job) -> tuple[str, str]:
    """Runs the shard; returns path and SHA-256 of its receipt.

    A further attempt replays what is bought from the ledger. Raises CallsOwed.
    """
    staging = Path(job.staging)
    recipe = read_recipe(Path(job.recipe), job.overrides)
    if recipe.fingerprint() != job.fingerprint:
        raise RecipeError(f"{job.recipe}: changed while the build ran. Run it again")
    spent = sum((one.spent for one in attempts(staging, job.shard)), Cost())
    recipe = job.share.applied(recipe, spent)
    ledger_folder = Store(Path(job.store)).ledger_folder
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        units = run_shard(recipe, ledger_folder, staging, job.shard, Meter())
        finished = runner.run(_until_stopped(units, staging / STOPPED))
    path, sha256 = write_receipt(finished)
    if finished.owed and not finished.budget_reached:
        message = f"{finished.owed} prompts owe calls, for example {finished.example}"
        raise CallsOwed(message, str(path), sha256)
    return str(path), sha256


async def _until_stopped(units: Coroutine[Any, Any, T], mark: Path) -> T:
    """The result of `units`; they are cancelled once `mark` is there, or its folder is gone."""
    running = asyncio.ensure_future(units)
    while not (await asyncio.wait([running], timeout=LOOKS_EVERY_S))[0]:
        if _is_stopped(mark):
            running.cancel()
            await asyncio.wait([running])
            raise Stopped("stopped; what was bought is in the ledger")
    return running.result()


def _is_stopped(mark: Path) -> bool:
    return mark.exists() or not mark.parent.exists()
