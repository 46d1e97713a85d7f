"""A workshop outside a build: the calls of a check, by the ledger, budget and retries of a build."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any, TypeVar

import uvloop

from pipelines.calls.budget import Purse
from pipelines.calls.dispatch import Dispatcher
from pipelines.calls.ledger import Ledger
from pipelines.calls.meter import Meter
from pipelines.intake.records import Records
from pipelines.publishing.store import Store, staged
from pipelines.recipe import Recipe
from pipelines.running.shard import RECORDS
from pipelines.running.workshop import Workshop

T = TypeVar("T")


def in_workshop(
    recipe: Recipe,
    store: Store,
    called: Collection[str],
    meter: Meter,
    work: Callable[[Workshop], Coroutine[Any, Any, T]],
) -> tuple[T, Purse]:
    """What `work` returns, given a workshop with the models `called`; and the purse it was paid of.

    What was bought is in the ledger, however it ends.
    """
    models = {name: model for name, model in recipe.models.items() if name in called}

    async def run(records: Records, ledger: Ledger) -> tuple[T, Purse]:
        folder = store.ledger_folder
        async with Dispatcher(models, meter, recipe.budget, folder) as dispatcher:
            shop = Workshop(recipe.head.seed, models, ledger, dispatcher, meter, records)
            return await dispatcher.drain.stoppable(work(shop)), dispatcher.purse

    with (
        staged(store, recipe.head.name) as staging,
        Records(staging / RECORDS) as records,
        Ledger(store.ledger_folder) as ledger,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(run(records, ledger))
