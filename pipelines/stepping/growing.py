"""Growing: a leaf of a search gets its children, by what a model writes after it.

leaf ─> n continuations ─> the first step of each ─> distinct ones ─> prior, value, outcome
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import fsum
from statistics import fmean
from typing import TYPE_CHECKING, Any

from pipelines.backend import Completion, Sampling
from pipelines.judging.refusal import is_refusal
from pipelines.searching.duplicates import distinct
from pipelines.searching.gold import gold_step
from pipelines.searching.node import Candidate, Node
from pipelines.searching.outcome import is_own_way, outcome, reward
from pipelines.searching.prior import length_normalised, tokens_within
from pipelines.searching.steps import Step
from pipelines.stepping.checked import check_answers
from pipelines.stepping.continuation import begun
from pipelines.stepping.evaluation import Said
from pipelines.stepping.question import Question
from pipelines.unit import gather
from schemas.canonical import canonical_json
from schemas.rows import Policy, Response, response_id

if TYPE_CHECKING:
    from pipelines.samplers.mcts import Mcts
    from pipelines.unit import Unit

CHARACTERS_PER_TOKEN = 4
"""Assumed where a server does not tell the tokens of an answer."""

SHORT_OF_MOST = 5
"""Tokens: an answer that is as near to the most that it may have has ended (as published)."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote a step, as its response tells."""

    model: str
    identity: str
    policy: Policy | None = None
    params: str = "{}"


GOLD = Writer("reference", "reference")
"""Of a step that is taken from the prompt's reference."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a leaf asks of the model."""

    leaf: Node
    sampling: Sampling
    n: int
    first_index: int
    to_the_end: bool = False
    """Whether the rest of the answer is wanted, rather than a step."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that was taken, and the response that it makes of the answer."""

    leaf: Node
    step: Step
    response: Response
    logprobs: Sequence[float] = ()
    n_tokens: int = 0

    @property
    def flags(self) -> tuple[str, ...]:
        """What is odd about it, or missing."""
        step, odd = self.step, []
        if not (step.bounded or step.ends):
            odd.append("no_boundary")
        if self.response.finish_reason == "length":
            odd.append("too_long")
        if step.text and not self.logprobs:
            odd.append("no_logprobs")
        return tuple(odd)


@dataclass(slots=True)
class Growing:
    """The growth of one unit's tree."""

    search: "Mcts"
    unit: "Unit"
    _asked: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Samples asked for, by text and sampling: equal states go on with further ones."""
    _said: dict[str, Said] = field(default_factory=dict)
    """What was said of each text: equal states are evaluated once."""
    _writers: dict[int, Writer] = field(default_factory=dict)
    _question: Question = field(init=False)

    def __post_init__(self) -> None:
        self._question = self.search.evaluation.question(self.unit.prompt)

    def ask(self, leaf: Node, root: Node) -> Ask:
        """What `leaf` asks, in a search below `root`. To be called in the order of the leaves."""
        search = self.search
        last = leaf.depth >= root.depth + search.depth
        n = 1 if last else search.n_init if leaf.parent is None else search.n
        sampling = search.asking(self._temperature(leaf), begun=bool(leaf.text), to_the_end=last)
        key = leaf.text, id(sampling)
        self._asked[key] += n
        return Ask(leaf, sampling, n, self._asked[key] - n, last)

    def _temperature(self, leaf: Node) -> float:
        search = self.search
        if leaf.parent is None:
            return search.init_temperature
        if search.temperature == 1.0:
            return 1.0
        steps = (node.step for node in leaf.lineage())
        drawn = self.unit.draw(search.name, "temperature", *steps)
        return search.temperature if drawn < search.temperature_share else 1.0

    async def candidates(self, ask: Ask) -> list[Candidate]:
        """The children of a leaf, with all that is known of them; at least one."""
        search, leaf = self.search, ask.leaf
        completions = await self._completions(ask)
        written = [self._taken(ask, at, one) for at, one in enumerate(completions, ask.first_index)]
        taken = [*self._gold(leaf), *written]
        texts = [one.step.text for one in taken]
        kept = distinct(texts, search.near_duplicate, search.max_children)
        if not kept:
            return [await self._ended(ask, completions)]
        return await gather(self._candidate(taken[at], len(kept)) for at in kept)

    async def _completions(self, ask: Ask) -> list[Completion]:
        prompt, search = self.unit.prompt, self.search
        return await self.unit.sample(
            search.model,
            begun(prompt.messages, ask.leaf.text, search.continuation),
            sampling=ask.sampling,
            tools=prompt.tools,
            n=ask.n,
            first_index=ask.first_index,
        )

    def _taken(self, ask: Ask, index: int, completion: Completion) -> Taken:
        """The step that a completion takes after the leaf."""
        text, known = completion.text or "", completion.logprobs or ()
        cut_off = completion.finish_reason == "length"
        step = Step(text, True) if ask.to_the_end else self.search.first_step(text, cut_off)
        count = tokens_within([one.token for one in known], len(step.text))
        n_tokens = count or _tokens(step.text)
        longest = self.search.max_tokens - SHORT_OF_MOST
        if not step.ends and ask.leaf.n_tokens + n_tokens >= longest:
            step, cut_off = replace(step, ends=True), True
        logprobs = [one.logprob for one in known[:count]]
        before = ask.leaf.origin.sum_logprob if ask.leaf.origin else 0.0
        response = self._response(
            ask.leaf,
            step,
            self._writer(ask.sampling),
            index,
            finish_reason=("length" if cut_off else "stop") if step.ends else None,
            sum_logprob=fsum((before, *logprobs)) if logprobs and before is not None else None,
        )
        return Taken(ask.leaf, step, response, logprobs, n_tokens)

    def _gold(self, leaf: Node) -> list[Taken]:
        """The next step of the reference, where that is wanted and the leaf is how it begins."""
        gold = self.unit.prompt.reference if self.search.inject_reference else None
        text = gold_step(leaf.text, gold)
        if gold is None or not text.strip():
            return []
        step = Step(text, ends=not gold[len(leaf.text + text) :].strip())
        reason = "stop" if step.ends else None
        response = self._response(leaf, step, GOLD, finish_reason=reason)
        return [Taken(leaf, step, response, (), _tokens(text))]

    async def _ended(self, ask: Ask, completions: Sequence[Completion]) -> Candidate:
        """The one child where nothing was written: the answer ends as it is (as published)."""
        step = Step("", ends=True)
        writer = self._writer(ask.sampling)
        response = self._response(ask.leaf, step, writer, ask.first_index, finish_reason="stop")
        refusals = [one.error for one in completions if one.error is not None]
        if refusals and not response.text:  # there is no answer at all
            response = replace(response, text=None, error=refusals[0])
        child = await self._candidate(Taken(ask.leaf, step, response), 1)
        flags = ("no_candidates", *["refused"] * bool(refusals), *child.flags)
        return replace(child, flags=flags)

    async def _candidate(self, taken: Taken, siblings: int) -> Candidate:
        """A child. Its value is what the evaluation says, and what a finished answer has earned."""
        search, leaf, step = self.search, taken.leaf, taken.step
        said, (right, unchecked) = await self._evaluated(taken), await self._right(taken)
        earned = 0.0 if right is None else self._earned(taken, right)
        value = search.evaluation.value(said, leaf.depth, leaf.value) + earned
        prior = 1 / siblings
        if taken.logprobs:
            prior = length_normalised(taken.logprobs, search.length_penalty)
        return Candidate(
            step.text,
            prior,
            value,
            terminal=step.ends,
            outcome=None if right is None else outcome(right),
            flags=(*taken.flags, *said.flags, *unchecked),
            n_tokens=taken.n_tokens,
            origin=taken.response,
        )

    async def _evaluated(self, taken: Taken) -> Said:
        """What the evaluation says of the answer so far; nothing where the outcome will say it."""
        evaluation, text = self.search.evaluation, taken.response.text or ""
        unasked = evaluation.by == "nothing" or (evaluation.by == "rollouts" and taken.step.ends)
        if unasked or not text:
            return Said(0.0)
        if text not in self._said:
            if evaluation.by == "rollouts":
                self._said[text] = await self._rolled_out(taken)
            else:
                asked = self.unit, self._question, self.search.model, text
                self._said[text] = await evaluation.ask(*asked)
        return self._said[text]

    async def _rolled_out(self, taken: Taken) -> Said:
        """The mean outcome of answers that are written to their end from here."""
        search = self.search
        leaf = Node(taken.leaf, Candidate(taken.step.text, origin=taken.response))
        sampling = search.asking(1.0, begun=True, to_the_end=True)
        ask = Ask(leaf, sampling, search.evaluation.rollouts, 0, to_the_end=True)
        completions = await self._completions(ask)
        answers = [self._taken(ask, at, one).response for at, one in enumerate(completions)]
        right = await check_answers(self.unit, str(search.outcome), answers, search.right_from)
        earned = [outcome(one) for one in right if one is not None]
        return Said(fmean(earned)) if earned else Said(0.0, ("unread",))

    async def _right(self, taken: Taken) -> tuple[bool | None, tuple[str, ...]]:
        """Whether a finished answer is right, or None and why it is not known."""
        search, prompt = self.search, self.unit.prompt
        if not taken.step.ends or search.outcome is None or taken.response.text is None:
            return None, ()
        answers = [taken.response]
        [right] = await check_answers(self.unit, search.outcome, answers, search.right_from)
        if right is None:
            return None, ("no_gold" if prompt.reference is None else "no_outcome",)
        return right, ()

    def _earned(self, taken: Taken, right: bool) -> float:
        """What a finished answer earned."""
        search = self.search
        own = is_own_way(taken.response.text or "", self.unit.prompt.reference)
        factor = search.own_way if own else 1.0
        early = search.multiple_choice
        return reward(right, own_way=factor, early=early, parent_depth=taken.leaf.depth)

    def _writer(self, sampling: Sampling) -> Writer:
        """The model that takes steps, as it is asked with a sampling."""
        writer = self._writers.get(id(sampling))
        if writer is None:
            model, backend = self.search.model, self.unit.model(self.search.model)
            params = canonical_json(backend.effective(sampling).given).decode()
            writer = Writer(model, backend.qualified_model, backend.policy, params)
            self._writers[id(sampling)] = writer
        return writer

    def _response(
        self, leaf: Node, step: Step, writer: Writer, index: int | None = None, **known: Any
    ) -> Response:
        """The response that `step` makes of the answer so far; `known` are further columns."""
        search, prompt = self.search, self.unit.prompt
        text = leaf.text + step.text
        parent_id = leaf.origin.response_id if leaf.origin else None
        return Response(
            response_id=response_id(
                prompt_id=prompt.prompt_id,
                parent_id=parent_id,
                model_identity=writer.identity,
                sampler=search.name,
                params=writer.params,
                index=index,
                text=text,
            ),
            prompt_id=prompt.prompt_id,
            text=text,
            model=writer.model,
            model_identity=writer.identity,
            sampler=search.name,
            policy=writer.policy,
            parent_id=parent_id,
            params=writer.params,
            sample_index=index,
            refused=step.ends and is_refusal(text),
            partial=not step.ends,
            **known,
        )


def _tokens(text: str) -> int:
    """Tokens of a text, where nobody tells."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)
