"""A search for steps towards tool calls: iTool (arXiv 2501.09766).

    select ─> sample n continuations ─> first steps become children ─> reward each ─> back up
                                        └ the rest of a sample is its rollout, graded by the policy

Answers are searched as text: calls that a server reads out of a reply are written in Python's form,
`[name(argument=value)]`, as in the paper.
"""

from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from pipelines.backend import Sampling
from pipelines.errors import JudgmentError
from pipelines.judging.odds import LIKELIEST, read_odds
from pipelines.judging.quoting import fence_around, quoted
from pipelines.judging.template import read_template
from pipelines.part import Real
from pipelines.sampler import Drawn, Sampler
from pipelines.searching.node import Candidate, Node, grow
from pipelines.searching.search import search
from pipelines.stepping.continuation import Manner, begun, going_on
from pipelines.stepping.evaluation import VOTING, shares
from pipelines.stepping.rows import drawn_from
from pipelines.toolcalls.continuation import Continuation, continuations
from pipelines.toolcalls.fragments import GROUPED, SEPARATORS
from pipelines.toolcalls.policy import decided_path, is_searched, itool
from pipelines.toolcalls.rewards import GRADES, immediate_reward, judged_reward, step_prior
from pipelines.toolcalls.rows import call_outcome, step_response
from pipelines.unit import gather
from schemas.rows import Message, Prompt

if TYPE_CHECKING:
    from pipelines.unit import Unit

AS_PUBLISHED = Sampling(temperature=1.5, max_tokens=50, logprobs=True)
LETTERS = tuple(GRADES)
WORDS = read_template(Path(__file__).with_suffix(".jinja"), "tool_search.jinja")


class ToolSearch(Sampler):
    """Searches for steps of answers that call tools. Pairs come from `tree_extremes`."""

    model: str
    """Name of the policy: it takes the steps, and grades them."""
    grader: str | None = None
    """Name of the model that grades rollouts. Default: the policy itself, as published."""
    show_gold: bool = True
    """Whether the grader is shown the prompt's reference, the gold answer."""
    votes: int = Field(default=0, ge=0)
    """Sampled grades whose shares stand in for probabilities, for graders that tell none. 0: the
    probabilities of one token are asked for; a rollout without them is not graded, and flagged."""
    continuation: Manner = "prefix"
    """How the policy is asked to go on. "prefix": with the unfinished answer as the last message, for
    vLLM and embedded models. "ask": in words, for chat servers that know no such request."""
    sampling: Sampling = Sampling()
    """How continuations are drawn. Default: temperature 1.5, at most 50 tokens, with their
    log-probabilities, as published."""
    repetition_penalty: Real = Field(default=0.75, gt=0)
    """As vLLM has it, in `extra_body`; 1 leaves it out, for models that do not know it."""
    iterations: int = Field(default=5, ge=1)
    """Selections. Each expands one node, or visits one again that cannot be expanded."""
    n: int = Field(default=3, ge=2)
    """Continuations drawn at a node. Equal first steps are one child."""
    depth: int = Field(default=3, ge=1)
    """Steps of an answer. The last one takes all that is left of a continuation."""
    c: Real = Field(default=1.0, ge=0)
    """Weight of exploration."""
    separators: tuple[str, ...] = Field(default=SEPARATORS, min_length=1)
    """Texts behind which an answer is cut into fragments."""
    grouped: int = Field(default=GROUPED, ge=1)
    """Fragments in one step."""
    rollout: int = Field(default=2, ge=0)
    """Further steps of a continuation that the grader reads. They cost no call of their own."""
    terminator: str = Field(default=")]", min_length=1)
    """Text that ends a call, for the immediate reward: "</tool_call>" for models that write so."""

    def models(self) -> tuple[str, ...]:
        """The policy and the grader."""
        return tuple(dict.fromkeys((self.model, self.grader or self.model)))

    @cached_property
    def decoding(self) -> Sampling:
        """The sampling asked for: as published where the recipe leaves it open."""
        asked = self.sampling.over(AS_PUBLISHED)
        penalty = {"repetition_penalty": self.repetition_penalty}
        return asked if self.repetition_penalty == 1 else _with(asked, penalty)

    @cached_property
    def continuing(self) -> Sampling:
        """The same, of what goes on with an answer that has begun."""
        return going_on(self.decoding, self.continuation)

    async def draw(self, unit: "Unit") -> Drawn:
        """A response for each node but the root, parents first, and the tree."""
        root = Node()
        stop = partial(is_searched, depth_limit=self.depth)
        rounds = search(root, itool(self.c), self.iterations, depth_limit=self.depth, stop=stop)
        for leaves in rounds:
            for leaf in leaves:
                await self._expand(unit, leaf)
        return drawn_from(root, set(decided_path(root)), unit.prompt.prompt_id, self.name)

    async def _expand(self, unit: "Unit", leaf: Node) -> None:
        """Gives `leaf` its children, each with its reward; none where nothing was written."""
        prompt = unit.prompt
        completions = await unit.sample(
            self.model,
            begun(prompt.messages, leaf.text, self.continuation),
            sampling=self.continuing if leaf.text else self.decoding,
            tools=prompt.tools,
            n=self.n,
        )
        most = self.depth - leaf.depth
        drawn = continuations(completions, self.separators, self.grouped, most)
        earned = [self._immediate(prompt, leaf.text + one.step) for one in drawn]
        judged = await gather(self._judged(unit, leaf, one) for one in drawn)
        candidates = map(partial(self._candidate, unit, leaf), drawn, earned, judged)
        for child, r in zip(grow(leaf, list(candidates)), earned, strict=True):
            child.r = r or 0.0

    def _candidate(
        self,
        unit: "Unit",
        leaf: Node,
        drawn: Continuation,
        earned: float | None,
        judged: tuple[float, str | None],
    ) -> Candidate:
        response = step_response(
            unit, leaf, drawn, sampler=self.name, model=self.model, sampling=self.decoding
        )
        missing = {"no_logprobs": not drawn.tokens, "no_gold": earned is None}
        flags = [*(name for name, holds in missing.items() if holds), judged[1]]
        ended = drawn.is_whole
        return Candidate(
            drawn.step,
            step_prior(drawn.step, drawn.tokens),
            (earned or 0.0) + judged[0],
            terminal=ended,
            outcome=call_outcome(leaf.text + drawn.step, unit.prompt.reference) if ended else None,
            flags=tuple(flag for flag in flags if flag is not None),
            origin=response,
        )

    def _immediate(self, prompt: Prompt, answer: str) -> float | None:
        """The reward of an answer so far; None without a gold answer."""
        gold = prompt.reference
        return immediate_reward(answer, gold, self.terminator) if gold else None

    async def _judged(
        self, unit: "Unit", leaf: Node, drawn: Continuation
    ) -> tuple[float, str | None]:
        """What the grades of a rollout are worth, and what was wrong with them."""
        answer = leaf.text + drawn.rollout(self.rollout)
        prompt, grader = unit.prompt, self.grader or self.model
        gold = prompt.reference if self.show_gold else None
        fence = fence_around(prompt, [answer], gold)
        words = WORDS.render(quoted(prompt, fence, gold) | {"answer": fence.quote(answer)})
        messages = (Message("user", words),)
        if self.votes:
            votes = await unit.sample(grader, messages, sampling=VOTING, n=self.votes)
            odds: Mapping[str, float] = shares(votes, LETTERS)
            return (judged_reward(odds), None) if odds else (0.0, "ungraded")
        [reply] = await unit.sample(grader, messages, sampling=LIKELIEST)
        try:
            return judged_reward(read_odds(reply, LETTERS).of), None
        except JudgmentError:
            return 0.0, "ungraded"


def _with(sampling: Sampling, fields: dict[str, float]) -> Sampling:
    return Sampling(extra_body={**(sampling.extra_body or {}), **fields}).over(sampling)
