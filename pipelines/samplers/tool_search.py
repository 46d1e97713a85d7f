"""A search for steps towards tool calls: iTool (arXiv 2501.09766).

    select ─> sample n continuations ─> first steps become children ─> reward each ─> back up
                                        └ the rest of a sample is its rollout, graded by the policy

Answers are searched as text: calls that a server reads out of a reply are written in Python's form,
`[name(argument=value)]`, as in the paper.
"""

from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from pipelines.backend import Sampling
from pipelines.judging.odds import LIKELIEST
from pipelines.judging.quoting import fence_around, quoted
from pipelines.judging.template import read_template
from pipelines.part import Real
from pipelines.sampler import Drawn, Sampler
from pipelines.searching.node import Candidate, Node, grow
from pipelines.searching.search import search
from pipelines.toolcalls.continuation import Continuation, continuations
from pipelines.toolcalls.fragments import GROUPED, SEPARATORS
from pipelines.toolcalls.grading import VOTING, graded_by_odds, graded_by_votes
from pipelines.toolcalls.policy import is_searched, itool
from pipelines.toolcalls.rewards import immediate_reward, judged_reward, step_prior
from pipelines.toolcalls.rows import NO_GOLD, tool_rows
from pipelines.unit import gather
from pipelines.wire.body import CONTINUE_FIELDS
from schemas.rows import Message, Prompt

if TYPE_CHECKING:
    from pipelines.unit import Unit

AS_PUBLISHED = Sampling(temperature=1.5, max_tokens=50, logprobs=True)
WORDS = read_template(Path(__file__).with_suffix(".jinja"), "tool_search.jinja")


class ToolSearch(Sampler):
    """Searches for steps of answers that call tools. Pairs come from `tree_extremes`."""

    model: str
    """Name of the policy. A step goes on from what stands there: the model must take an unended
    assistant's message (vLLM's `continue_final_message`; embedded and scripted models do)."""
    grader: str | None = None
    """Name of the model that grades rollouts. Default: the policy itself, as published."""
    show_gold: bool = True
    """Whether the grader is shown the prompt's reference, the gold answer."""
    votes: int = Field(default=0, ge=0)
    """Where a grader tells no log-probabilities, so many grades are drawn at temperature 1, and their
    shares count. 0: such a rollout is not graded, and the node says so."""
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
        return _with(self.decoding, CONTINUE_FIELDS)

    async def draw(self, unit: "Unit") -> Drawn:
        """A response for each node, parents first, and the tree."""
        root = Node()
        stop = partial(is_searched, depth_limit=self.depth)
        rounds = search(root, itool(self.c), self.iterations, depth_limit=self.depth, stop=stop)
        for leaves in rounds:
            for leaf in leaves:
                await self._expand(unit, leaf)
        return tool_rows(unit, root, sampler=self.name, model=self.model, sampling=self.decoding)

    async def _expand(self, unit: "Unit", leaf: Node) -> None:
        """Gives `leaf` its children, each with its reward; none where nothing was written."""
        prompt, messages, sampling = unit.prompt, unit.prompt.messages, self.decoding
        if leaf.text:
            messages = (*messages, Message("assistant", leaf.text))
            sampling = self.continuing
        completions = await unit.sample(
            self.model, messages, sampling=sampling, tools=prompt.tools, n=self.n
        )
        most = self.depth - leaf.depth
        drawn = continuations(completions, self.separators, self.grouped, most)
        rewards = await gather(self._judged(unit, leaf, one) for one in drawn)
        earned = [self._immediate(prompt, leaf.text + one.step) for one in drawn]
        children = grow(
            leaf,
            [
                self._candidate(one, r, judged)
                for one, r, judged in zip(drawn, earned, rewards, strict=True)
            ],
        )
        for child, r in zip(children, earned, strict=True):
            child.r = r or 0.0

    def _candidate(
        self, drawn: Continuation, earned: float | None, judged: tuple[float, str | None]
    ) -> Candidate:
        prior = step_prior(drawn.step, drawn.tokens)
        flags = {
            "no_logprobs": drawn.tokens is None,
            NO_GOLD: earned is None,
            judged[1] or "": judged[1] is not None,
        }
        return Candidate(
            drawn.step,
            prior,
            value=(earned or 0.0) + judged[0],
            terminal=drawn.is_whole,
            flags=tuple(name for name, holds in flags.items() if holds),
            origin=drawn,
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
        [reply] = await unit.sample(grader, messages, sampling=LIKELIEST)
        odds, flag = graded_by_odds(reply), None
        if odds is None and self.votes:
            replies = await unit.sample(grader, messages, sampling=VOTING, n=self.votes)
            odds, flag = graded_by_votes(replies), "voted"
        return (0.0, "ungraded") if odds is None else (judged_reward(odds), flag)


def _with(sampling: Sampling, fields: dict[str, float] | dict[str, bool]) -> Sampling:
    return Sampling(extra_body={**(sampling.extra_body or {}), **fields}).over(sampling)
