"""The host: answers the requests of a build, or of a server, with an embedded model.

A conversation is answered by n samples; where a choice of texts is given, by one of these; or its
last message is scored (`pipelines.backend.Scoring`).
"""

import asyncio
import secrets
from collections.abc import Sequence
from math import fsum

import numpy as np

from pipelines.backend import Completion, Reply, Request, Sampling, Scoring, TokenLogprob
from pipelines.calls.prices import Usage
from pipelines.engine.ask import Draw, Sample, Score, Token
from pipelines.engine.draw import draw
from pipelines.engine.model import Model
from pipelines.engine.worker import Worker
from pipelines.errors import RequestRefused
from pipelines.exporting.chat import Unrenderable
from pipelines.wire.body import CONTINUE_FIELDS, continues
from schemas.rows import Message

BAD_REQUEST = 400


class Host:
    """A model at work, in threads of its own. Its methods raise RequestRefused."""

    def __init__(self, model: Model, samples: int, threads: int = 1) -> None:
        self.model = model
        self._worker = Worker(model, samples, threads)

    def close(self) -> None:
        """Ends the threads, after the step that they are at."""
        self._worker.close()

    async def complete(self, request: Request) -> Reply:
        """The reply to a conversation."""
        if isinstance(request.sampling, Scoring):
            return await self._score(request)
        if continues(request.sampling):
            prompt, _ = self.begun(request.messages, request.tools)
        else:
            prompt = self.conversation(request.messages, request.tools)
        choices = choices_of(request.sampling)
        answer = self._choose(prompt, choices, request) if choices else self.draw(prompt, request)
        return await answer

    def conversation(self, messages: Sequence[Message], tools: str | None = None) -> list[int]:
        """The tokens of a conversation, up to where the answer begins."""
        try:
            return self.model.vocabulary.conversation(messages, tools)
        except Unrenderable as error:
            raise _refusal(f"the chat template refuses the conversation: {error}") from error

    def begun(self, messages: Sequence[Message], tools: str | None) -> tuple[list[int], int]:
        """The tokens of a conversation whose last message is unended, and where its text begins."""
        *before, last = messages
        if last.role != "assistant" or not last.content:
            raise _refusal("the last message must be an assistant's, with a text")
        prompt = self.conversation(before, tools)
        return [*prompt, *self.model.vocabulary.encode_literally(last.content)], len(prompt)

    async def draw(self, prompt: Sequence[int], request: Request, ends: bool = False) -> Reply:
        """Samples after `prompt`; of `request` only sampling, n and seed count.

        With `ends`, the token that ended a text is in its log-probabilities too, without text.
        """
        sampling = request.sampling
        _refuse_unknown(sampling)
        if choices_of(sampling):
            raise _refusal("structured_outputs is known for the answers of conversations only")
        ask = Draw(
            prompt,
            request.n,
            _seed(request),
            temperature=_temperature(sampling),
            top_p=sampling.top_p or 1.0,
            top_k=max(0, sampling.top_k or 0),
            max_tokens=sampling.max_tokens,
            stop=tuple(stop for stop in sampling.stop or () if stop),
            top=sampling.top_logprobs or 0,
        )
        samples = await self._ask(ask, len(prompt))
        completions = [
            Completion(
                sample.text,
                finish_reason=sample.finish_reason,
                logprobs=self._drawn(sample, ends) if wants_logprobs(sampling) else None,
                completion_tokens=sample.drawn,
                prompt_tokens=len(prompt) if request.n == 1 else None,
            )
            for sample in samples
        ]
        drawn = sum(sample.drawn for sample in samples)
        return Reply(tuple(completions), Usage(len(prompt), completion_tokens=drawn))

    async def score(
        self, tokens: Sequence[int], start: int, top: int = 0, last: str = ""
    ) -> list[TokenLogprob]:
        """The log-probabilities of `tokens[start:]`, with `top` alternatives to each.

        `last` is the text of the last of them: they are shown as it is spelled, also where the
        model knows a character of it as unknown only.
        """
        if start == len(tokens):
            return []
        [sample] = await self._ask(Score(tokens, start, top), len(tokens) - 1)
        texts = self.model.vocabulary.texts(tokens)
        spelled = self.model.vocabulary.spelling(last)
        texts[len(texts) - len(spelled) :] = spelled
        return list(self._named(sample.tokens, texts[start:]))

    async def _score(self, request: Request) -> Reply:
        tokens, start = self.begun(request.messages, request.tools)
        text = request.messages[-1].content
        logprobs = tuple(await self.score(tokens, start, last=text or ""))
        scored = Completion(text, finish_reason="stop", logprobs=logprobs)
        return Reply((scored,), Usage(len(tokens), completion_tokens=0))

    async def _choose(self, prompt: Sequence[int], texts: Sequence[str], request: Request) -> Reply:
        """One of `texts`, drawn by the probability that it is all of the answer.

        `logprobs` has one entry, for the text as a whole, with all texts as its alternatives.
        """
        _refuse_unknown(request.sampling)
        sums = await asyncio.gather(*(self._whole(prompt, text) for text in texts))
        top = tuple(sorted(zip(texts, sums, strict=True), key=lambda one: -one[1]))
        heat, ask = _temperature(request.sampling), Draw(prompt, request.n, _seed(request))
        numbers = [next(ask.numbers(sample)) for sample in range(request.n)]
        rows = np.tile(np.array(sums, np.float32), (request.n, 1))
        drawn = draw(rows, [heat] * request.n, numbers, {})
        completions = [
            Completion(
                texts[choice],
                finish_reason="stop",
                logprobs=(TokenLogprob(texts[choice], sums[choice], top),)
                if wants_logprobs(request.sampling)
                else None,
            )
            for choice in drawn.tolist()
        ]
        return Reply(tuple(completions), Usage(len(prompt), completion_tokens=request.n))

    async def _whole(self, prompt: Sequence[int], text: str) -> float:
        """The log-probability that `text`, and then any end, is what comes after `prompt`."""
        given = [*prompt, *self.model.vocabulary.encode_literally(text)]
        ended = [[*given, end] for end in dict.fromkeys(self.model.ends)] or [given]
        scored = await asyncio.gather(*(self.score(tokens, len(prompt)) for tokens in ended))
        return float(np.logaddexp.reduce([fsum(one.logprob for one in each) for each in scored]))

    async def _ask(self, ask: Draw | Score, read: int) -> list[Sample]:
        if not 0 < read < self.model.context:
            raise _refusal(f"{read} tokens, and the model has a context of {self.model.context}")
        return await asyncio.wrap_future(self._worker.ask(ask))

    def _drawn(self, sample: Sample, ends: bool) -> tuple[TokenLogprob, ...]:
        texts = self.model.vocabulary.texts([token.id for token in sample.tokens])
        if ends and sample.end is not None:
            return self._named([*sample.tokens, sample.end], [*texts, ""])
        return self._named(sample.tokens, texts)

    def _named(self, tokens: Sequence[Token], texts: Sequence[str]) -> tuple[TokenLogprob, ...]:
        """`tokens` with the text that each adds; the alternatives to it have theirs by themselves."""
        name = self.model.vocabulary.token
        return tuple(
            TokenLogprob(
                text,
                token.logprob,
                tuple(
                    (text if other == token.id else name(other), logprob)
                    for other, logprob in token.top
                ),
            )
            for token, text in zip(tokens, texts, strict=True)
        )


def wants_logprobs(sampling: Sampling) -> bool:
    """Whether log-probabilities are asked for, with or without alternatives."""
    return bool(sampling.logprobs) or sampling.top_logprobs is not None


def choices_of(sampling: Sampling) -> list[str]:
    """The texts of which one is to be the answer, as vLLM is told them; none: any text.

    >>> choices_of(Sampling(extra_body={"structured_outputs": {"choice": ["A", "B"]}}))
    ['A', 'B']
    >>> choices_of(Sampling(json_schema={"enum": ["A", "B"]}))
    []
    """
    structured = (sampling.extra_body or {}).get("structured_outputs")
    choices = structured.get("choice") if isinstance(structured, dict) else None
    if not isinstance(choices, list) or not all(isinstance(one, str) for one in choices):
        return []
    return [one for one in choices if isinstance(one, str)]


def not_known(sampling: Sampling) -> str | None:
    """Why the engine cannot draw in this way; None: it can.

    >>> not_known(Sampling(temperature=0.0, extra_body={"min_p": 0.1}))
    'min_p is not known to embedded models'
    """
    names = {"presence_penalty", "frequency_penalty", "json_schema"}
    asked = [name for name in sorted(names) if getattr(sampling, name)]
    known = {"structured_outputs"} if choices_of(sampling) else set()
    if continues(sampling):
        known |= set(CONTINUE_FIELDS)
    asked += sorted(set(sampling.extra_body or {}) - known)
    verb = "is" if len(asked) == 1 else "are"
    return f"{', '.join(asked)} {verb} not known to embedded models" if asked else None


def _refuse_unknown(sampling: Sampling) -> None:
    if reason := not_known(sampling):
        raise _refusal(reason)


def _temperature(sampling: Sampling) -> float:
    return 1.0 if sampling.temperature is None else sampling.temperature


def _seed(request: Request) -> int:
    given = (request.sampling.seed, request.seed, secrets.randbits(31))
    return next(seed for seed in given if seed is not None)


def _refusal(reason: str) -> RequestRefused:
    return RequestRefused(reason, BAD_REQUEST)
