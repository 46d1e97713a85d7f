"""All shards of a flow run as tasks, a few at once, each with its share of windows and budget."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from prefect.futures import PrefectFuture, wait

from flows.sharding.shard import STOPPED, CallsOwed, Job, shard_task
from flows.sharding.shares import Share, Till
from pipelines.calls.budget import Cost
from pipelines.running.receipt import attempts, read_receipt
from pipelines.running.shard import Finished, Shard

STOPPING_S = 20.0
"""Longest wait for shards that are told to stop; Prefect kills a cancelled run after 30 s."""


@dataclass(slots=True)
class Shards:
    """Runs shards; `job` makes the task's argument, `progress` hears of each that is finished."""

    job: Callable[[Shard, Share], Job]
    staging: Path
    slots: int
    till: Till
    progress: Callable[[int], None]
    finished: dict[Shard, Finished] = field(default_factory=dict)
    _running: dict[Shard, tuple[PrefectFuture[Any], int]] = field(default_factory=dict)

    def run(self, shards: Iterable[Shard]) -> list[Finished]:
        """What all of them leave behind.

        A shard whose part of the budget was too small runs again while others leave some of
        theirs. Raises what a shard raises, when the others are stopped too; owed calls do not raise.
        """
        waiting = list(shards)
        try:
            while waiting:
                before = self.till.total
                self._run_each(deque(waiting))
                reached = [shard for shard in waiting if self.finished[shard].budget_reached]
                waiting = reached if self.till.total != before else []
        except BaseException:  # a cancelled run as well: no shard runs on behind the flow
            (self.staging / STOPPED).touch()
            wait([future for future, _ in self._running.values()], timeout=STOPPING_S)
            raise
        return list(self.finished.values())

    def _run_each(self, waiting: deque[Shard]) -> None:
        free = list(range(self.slots))
        ended: SimpleQueue[Shard] = SimpleQueue()
        while waiting or self._running:
            while waiting and free:
                budget = self.till.lend(waiting[0], len(waiting))
                shard, slot = waiting.popleft(), free.pop()
                share = Share(slot, self.slots, budget, self.till.deadline)
                future = shard_task.submit(self.job(shard, share))
                self._running[shard] = future, slot
                future.add_done_callback(lambda _, shard=shard: ended.put(shard))  # type: ignore[misc]
            shard = ended.get()
            future, slot = self._running.pop(shard)
            free.append(slot)
            self.finished[shard] = _left_behind(future)
            spent = (one.spent for one in attempts(self.staging, shard))
            self.till.settle(shard, sum(spent, Cost()))
            self.progress(len(self.finished))


def _left_behind(future: PrefectFuture[Any]) -> Finished:
    result = future.result(raise_on_failure=False)
    if isinstance(result, CallsOwed):
        result = result.receipt
    elif isinstance(result, BaseException):
        raise result
    path, sha256 = result
    return read_receipt(Path(path), sha256)
