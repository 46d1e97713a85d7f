"""A worker: a thread that decodes for everybody who asks.

Requests join the batch at its next step, in the order in which they were asked, as soon as there
is room for their samples. Anybody may wait for the futures, in any thread or event loop.
"""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from threading import Condition, Thread

from pipelines.engine.ask import Draw, Sample, Score
from pipelines.engine.batch import Batch, Group
from pipelines.engine.model import Model

NEW_ROWS = 1024
"""Most tokens of prompts and given texts that are read in one step; a longer one comes alone."""

Answer = Future[list[Sample]]


class Worker:
    """Decodes at most `samples` samples at once in each of its threads."""

    def __init__(self, model: Model, samples: int, threads: int = 1) -> None:
        self._model = model
        self._samples = samples
        self._waiting: deque[tuple[Draw | Score, Answer]] = deque()
        self._changed = Condition()
        self._closed = False
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def ask(self, ask: Draw | Score) -> Answer:
        """A future of the samples of `ask`. One that is cancelled is not computed further."""
        answer: Answer = Future()
        with self._changed:
            if self._closed:
                answer.cancel()
            else:
                self._waiting.append((ask, answer))
                self._changed.notify()
        return answer

    def close(self) -> None:
        """Ends the threads after their present step; what is unfinished is cancelled."""
        with self._changed:
            self._closed = True
            _give_up([answer for _, answer in self._waiting], None)
            self._waiting.clear()
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._closed:
            answers: dict[Group, Answer] = {}
            failure: Exception | None = None
            try:
                self._decode(answers)
            except Exception as error:  # noqa: BLE001 - it reaches those who wait for this batch
                failure = error
            _give_up(answers.values(), failure)

    def _decode(self, answers: dict[Group, Answer]) -> None:
        """Decodes in one batch until it is over; what is unfinished then is left in `answers`."""
        batch = Batch(self._model)
        while self._admit(batch, answers):
            for group in batch.step():
                with suppress(InvalidStateError):  # it was cancelled during the step
                    answers.pop(group).set_result(group.samples)

    def _admit(self, batch: Batch, answers: dict[Group, Answer]) -> bool:
        """Takes in what there is room for, once there is something to do. False: it is over."""
        with self._changed:
            while not self._closed:
                for group in [one for one, answer in answers.items() if answer.cancelled()]:
                    batch.leave(group)
                    del answers[group]
                rows = 0
                while self._waiting and self._fits(self._waiting[0][0], batch, rows):
                    ask, answer = self._waiting.popleft()
                    if not answer.cancelled() and _join(batch, ask, answer, answers):
                        rows += ask.rows
                if answers:
                    return True
                self._changed.wait()
        return False

    def _fits(self, ask: Draw | Score, batch: Batch, rows: int) -> bool:
        few = not batch.open or batch.open + ask.count <= self._samples
        return few and (not rows or rows + ask.rows <= NEW_ROWS)


def _join(batch: Batch, ask: Draw | Score, answer: Answer, answers: dict[Group, Answer]) -> bool:
    """Whether it could be taken in."""
    try:
        answers[batch.join(ask)] = answer
    except Exception as error:  # noqa: BLE001 - it reaches the one who asked
        _give_up([answer], error)
        return False
    return True


def _give_up(answers: Iterable[Answer], failure: Exception | None) -> None:
    for answer in answers:
        if failure is None:
            answer.cancel()
        else:
            with suppress(InvalidStateError):
                answer.set_exception(failure)
