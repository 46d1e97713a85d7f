import asyncio
import threading
from concurrent.futures import CancelledError
from dataclasses import replace

import pytest

from pipelines.engine.ask import Draw, Score
from pipelines.engine.batch import Batch
from pipelines.engine.model import Model
from pipelines.engine.worker import Worker

SECONDS = 60


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("samples", [1, 5, 64])
def test_the_answers_are_the_same_however_many_threads_and_samples(
    tiny: Model, threads: int, samples: int
) -> None:
    asks = [Draw([5, number, 7], 3, number, max_tokens=9) for number in range(12, 30)]
    asks += [Score([5, 6, number], 1) for number in range(12, 15)]
    batch = Batch(tiny)
    alone = [batch.join(ask) for ask in asks]
    while batch.groups:
        batch.step()
    worker = Worker(tiny, samples, threads)
    answers = [worker.ask(ask) for ask in asks]
    found = [answer.result(SECONDS) for answer in answers]
    worker.close()
    assert found == [group.samples for group in alone]


def test_a_cancelled_request_makes_room(tiny: Model) -> None:
    endless = replace(tiny, ends=())
    worker = Worker(endless, samples=4)
    long = [worker.ask(Draw([5, 6], 4, seed)) for seed in range(200)]
    short = worker.ask(Draw([5, 6], 1, max_tokens=2))
    for answer in long:
        answer.cancel()
    [sample] = short.result(SECONDS)
    worker.close()
    assert sample.drawn == 2


async def test_many_wait_in_one_event_loop_and_it_stays_free(tiny: Model) -> None:
    worker, turns = Worker(tiny, samples=8), 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    asks = [Draw([5, 6], 2, seed, max_tokens=20) for seed in range(20)]
    await asyncio.gather(*(asyncio.wrap_future(worker.ask(ask)) for ask in asks))
    counting.cancel()
    worker.close()
    assert turns > 20


def test_closing_cancels_what_is_unfinished_and_leaves_no_thread(tiny: Model) -> None:
    before = threading.active_count()
    worker = Worker(replace(tiny, ends=()), samples=2, threads=2)
    answers = [worker.ask(Draw([5, 6], 2, seed)) for seed in range(300)]
    worker.close()
    assert threading.active_count() == before
    assert answers[-1].cancelled()
    with pytest.raises(CancelledError):
        worker.ask(Draw([5], 1)).result(SECONDS)


@pytest.mark.parametrize("method", ["step", "join"])
def test_a_failure_reaches_those_in_the_batch_and_the_next_are_answered(
    tiny: Model, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("no room for the keys")

    worker = Worker(tiny, samples=1)
    with monkeypatch.context() as patch:
        patch.setattr(Batch, method, fail)
        for answer in [worker.ask(Draw([5], 1, seed)) for seed in range(3)]:
            with pytest.raises(MemoryError, match="no room"):
                answer.result(SECONDS)
    [sample] = worker.ask(Draw([5], 1, max_tokens=2)).result(SECONDS)
    worker.close()
    assert sample.finish_reason is not None


def test_a_seed_beyond_64_bits_is_refused_before_anything_is_decoded(tiny: Model) -> None:
    with pytest.raises(TypeError, match="64-bit"):
        Draw([5], 1, 2**70)
