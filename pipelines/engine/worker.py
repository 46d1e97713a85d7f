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
        self._failure: BaseException | None = None
        self._threads = [Thread(target=self._work, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def ask(self, ask: Draw | Score) -> Answer:
        """A future of the samples of `ask`. One that is cancelled is not computed further."""
        answer: Answer = Future()
        with self._changed:
            if self._closed:
                _give_up([answer], self._failure)
            else:
                self._waiting.append((ask, answer))
                self._changed.notify()
        return answer

    def close(self) -> None:
        """Ends the threads after their present step; what is unfinished is cancelled."""
        self._stop(None)
        for thread in self._threads:
            thread.join()

    def _stop(self, failure: BaseException | None) -> None:
        with self._changed:
            self._closed, self._failure = True, failure
            _give_up([answer for _, answer in self._waiting], failure)
            self._waiting.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        batch = Batch(self._model)
        answers: dict[Group, Answer] = {}
        try:
            while self._admit(batch, answers):
                for group in batch.step():
                    with suppress(InvalidStateError):  # it was cancelled during the step
                        answers.pop(group).set_result(group.samples)
        except BaseException as error:
            self._stop(error)
            raise
        finally:
            _give_up(answers.values(), self._failure)

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
                    if not answer.cancelled():
                        answers[batch.join(ask)] = answer
                        rows += ask.rows
                if answers:
                    return True
                self._changed.wait()
        return False

    def _fits(self, ask: Draw | Score, batch: Batch, rows: int) -> bool:
        few = not batch.open or batch.open + ask.count <= self._samples
        return few and (not rows or rows + ask.rows <= NEW_ROWS)


def _give_up(answers: Iterable[Answer], failure: BaseException | None) -> None:
    for answer in answers:
        if failure is None:
            answer.cancel()
        else:
            with suppress(InvalidStateError):
                answer.set_exception(failure)
