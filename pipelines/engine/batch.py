"""A batch: what is decoded together. Requests join and leave at any step.

    step:  next tokens of every group ─ forward pass ─> log-probabilities ─> one token a sample

A group is one request: its prompt, read once, then its samples, one token a step; or a given text,
read in one step. What a group gets does not depend on the others (the room's own page says why).
"""

from collections.abc import Sequence

import numpy as np

from pipelines.engine.ask import Draw, Sample, Score, Token
from pipelines.engine.cache import Cache
from pipelines.engine.draw import draw, likeliest, log_softmax
from pipelines.engine.llama import Span
from pipelines.engine.model import Model
from pipelines.engine.rows import Array

TAIL = 8
"""Tokens looked at for a stop text beyond those that it may take."""


class Reading:
    """A given text."""

    def __init__(self, ask: Score, model: Model) -> None:
        self.ask = ask
        self.samples = [Sample()]
        self.span = Span(np.array([ask.tokens[:-1]], np.int64), Cache(model.llama.shape))

    @property
    def finished(self) -> bool:
        """Whether nothing is left to compute."""
        return self.samples[0].finish_reason is not None

    def read(self, hidden: Array) -> Array:
        """The states (n, hidden) before each token that is scored."""
        return hidden[0, self.ask.start - 1 :]

    def take(self, logprobs: Array) -> None:
        """The log-probabilities (n, vocabulary) at each token that is scored."""
        self.samples[0] = Sample(
            [
                Token(token, float(row[token]), likeliest(row, self.ask.top))
                for token, row in zip(self.ask.tokens[self.ask.start :], logprobs, strict=True)
            ],
            finish_reason="stop",
        )


class Drawing:
    """Samples on their way."""

    def __init__(self, ask: Draw, model: Model) -> None:
        self.ask = ask
        self.samples = [Sample() for _ in range(ask.count)]
        self.span = Span(np.array([ask.prompt], np.int64), Cache(model.llama.shape))
        self._open = list(range(ask.count))
        """The unfinished samples, as they stand in the cache."""
        self._numbers = [ask.numbers(sample) for sample in self._open]
        self._model = model
        room = model.context - len(ask.prompt)
        self._most = room if ask.max_tokens is None else min(ask.max_tokens, room)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to compute."""
        return not self._open

    @property
    def open(self) -> int:
        """Samples that are unfinished."""
        return len(self._open)

    def read(self, hidden: Array) -> Array:
        """The states (n, hidden) after each sample's last token; after the prompt, n times one."""
        if self.span.cache.count < len(self._open):
            self.span = Span(self.span.tokens, self.span.cache.forked(len(self._open)))
        return np.broadcast_to(hidden[:, -1], (len(self._open), hidden.shape[-1]))

    def numbers(self) -> list[float]:
        """The next random number of each unfinished sample."""
        return [next(self._numbers[sample]) for sample in self._open]

    def take(self, drawn: Sequence[int], logprobs: Array) -> None:
        """The next token of each unfinished sample, and the log-probabilities it came from."""
        for sample, token, row in zip(self._open, drawn, logprobs, strict=True):
            self._append(self.samples[sample], token, row)
        for place in reversed(range(len(self._open))):
            if self.samples[self._open[place]].finish_reason is not None:
                self.span.cache.drop(place)
                self._open[place] = self._open[-1]
                self._open.pop()
        last = [self.samples[sample].tokens[-1].id for sample in self._open]
        self.span = Span(np.array(last, np.int64)[:, None], self.span.cache)

    def _append(self, sample: Sample, token: int, logprobs: Array) -> None:
        sample.drawn += 1
        taken = Token(token, float(logprobs[token]), likeliest(logprobs, self.ask.top))
        if token in self._model.ends:
            sample.finish_reason, sample.text = "stop", self._text(sample.tokens)
            sample.end = taken
            return
        sample.tokens.append(taken)
        if self.ask.stop and self._stopped(sample):
            return
        if sample.drawn == self._most:
            sample.finish_reason, sample.text = "length", self._text(sample.tokens)

    def _stopped(self, sample: Sample) -> bool:
        """Whether a stop text is there now: the sample then ends before the first of them."""
        longest = max(len(stop.encode()) for stop in self.ask.stop)
        tail = self._text(sample.tokens[-longest - TAIL :])
        if not any(stop in tail for stop in self.ask.stop):
            return False
        text = self._text(sample.tokens)
        found = [at for stop in self.ask.stop if (at := text.find(stop)) >= 0]
        if not found:
            return False
        sample.finish_reason, sample.text = "stop", text[: min(found)]
        while sample.tokens and self._text(sample.tokens[:-1]).startswith(sample.text):
            sample.tokens.pop()
        return True

    def _text(self, tokens: Sequence[Token]) -> str:
        return self._model.vocabulary.decode([token.id for token in tokens])


Group = Drawing | Reading


class Batch:
    """The groups that are computed together, for one thread."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._drawing: list[Drawing] = []
        self._reading: list[Reading] = []

    @property
    def groups(self) -> list[Group]:
        """All that is under way."""
        return [*self._drawing, *self._reading]

    @property
    def open(self) -> int:
        """Samples under way."""
        return sum(group.open for group in self._drawing)

    def join(self, ask: Draw | Score) -> Group:
        """Takes a request in; the group holds its samples once it is finished."""
        if isinstance(ask, Score):
            self._reading.append(reading := Reading(ask, self.model))
            return reading
        self._drawing.append(drawing := Drawing(ask, self.model))
        return drawing

    def leave(self, group: Group) -> None:
        """Forgets a group that nobody waits for."""
        self._drawing = [one for one in self._drawing if one is not group]
        self._reading = [one for one in self._reading if one is not group]

    def step(self) -> list[Group]:
        """Computes one step of every group; those that it finished, which leave."""
        groups = self.groups
        hidden = self.model.llama.hidden([group.span for group in groups])
        rows = [group.read(states) for group, states in zip(groups, hidden, strict=True)]
        logprobs = log_softmax(self.model.llama.logits(np.concatenate(rows)))
        parts = np.split(logprobs, np.cumsum([len(part) for part in rows[:-1]]))
        drawing = len(self._drawing)
        self._draw(parts[:drawing])
        for reading, part in zip(self._reading, parts[drawing:], strict=True):
            reading.take(part)
        finished = [group for group in groups if group.finished]
        for group in finished:
            self.leave(group)
        return finished

    def _draw(self, parts: Sequence[Array]) -> None:
        """One token of each unfinished sample."""
        if not parts:
            return
        owners = [group.ask for group, part in zip(self._drawing, parts, strict=True) for _ in part]
        drawn = draw(
            np.concatenate(parts),
            [ask.temperature for ask in owners],
            [number for group in self._drawing for number in group.numbers()],
            {
                row: (ask.top_k, ask.top_p)
                for row, ask in enumerate(owners)
                if ask.top_k or ask.top_p < 1
            },
        )
        for group, part in zip(self._drawing, parts, strict=True):
            own, drawn = drawn[: len(part)], drawn[len(part) :]
            group.take(own.tolist(), part)
