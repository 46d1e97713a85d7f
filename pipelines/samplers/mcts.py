"""Monte Carlo tree search over the steps of answers (MCTS-DPO, arXiv 2405.00451).

Every node of the tree is a response: the answer up to there. Siblings, which begin alike, give pairs
of steps (`step_siblings`). Defaults are those of the paper's code; `docs/search.md` names the source
of each.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from pipelines.backend import Sampling
from pipelines.part import Real, Threshold, Where
from pipelines.sampler import Drawn, Sampler
from pipelines.searching.best_first import best_first
from pipelines.searching.decision import decide
from pipelines.searching.node import Node, grow
from pipelines.searching.puct import puct
from pipelines.searching.search import Policy, never, search
from pipelines.searching.steps import Cut, Step, first_step
from pipelines.searching.stopping import is_hopeless, is_solved
from pipelines.searching.uct import uct
from pipelines.stepping.continuation import Manner, going_on
from pipelines.stepping.evaluation import Evaluation
from pipelines.stepping.growing import Growing
from pipelines.stepping.rows import drawn_from
from pipelines.unit import gather

if TYPE_CHECKING:
    from pipelines.unit import Unit


class Mcts(Sampler):
    """Searches the steps of answers to a prompt for those that lead to a right one."""

    stepwise: ClassVar[bool] = True
    asks_of_one: ClassVar[bool] = True

    model: str
    """Name of the model that takes the steps, usually the policy to be trained."""
    outcome: str | None = None
    """Name of the judge that says whether a finished answer is right, such as a verifier. Default:
    no outcome, the evaluation alone counts."""
    right_from: Threshold = Decimal(1)
    """Least score of that judge, in its units, with which an answer is right."""
    evaluation: Evaluation = Evaluation()
    """How answers so far are valued."""
    search: Literal["puct", "uct", "best_first"] = "puct"
    """Which child is walked to. "puct": Q + w p sqrt(N_parent) / (1 + N), as published. "uct":
    Q + w sqrt(ln N_parent / N), without priors. "best_first": where the best value is."""
    w: Real = Field(default=1.0, ge=0)
    """Weight of exploration, >= 0."""
    gamma: Real = Field(default=1.0, ge=0, le=1)
    """Discount of what follows a step, in [0, 1]."""
    n_init: int = Field(default=4, ge=2)
    """Continuations drawn after the prompt. (Published: 4 for multiple choice, 2 for mathematics.)"""
    n: int = Field(default=2, ge=2)
    """Continuations drawn after every other node."""
    max_children: int = Field(default=4, ge=2)
    """Most children of a node that are kept."""
    near_duplicate: Real = Field(default=0.99, ge=0, le=1)
    """Steps that share more of their neighbouring words, F in [0, 1], are one child. Steps whose
    numbers differ never are; equal ones, but for case and white space, always are."""
    depth: int = Field(default=4, ge=1)
    """Steps that a walk goes beyond the answer so far. (Published: 4, or 3 for mathematics.)"""
    finish: bool = False
    """Whether an answer at that depth is written to its end in one step, so that every walk comes
    to an outcome."""
    iterations: int = Field(default=64, ge=1)
    """Walks before each decision for a step."""
    root_factor: int = Field(default=4, ge=1)
    """So many times as many before the first one."""
    width: int = Field(default=1, ge=1)
    """Walks at once in one tree. 1: the published search. More are faster, where a model waits for
    requests, and search a little differently; `docs/search.md` tells how."""
    stop_solved: int | None = Field(default=None, ge=1)
    """Stop the walks before a decision once so many have come to a right answer. Default: never."""
    stop_hopeless: int | None = Field(default=None, ge=1)
    """Give a prompt up once so many walks from one node have come to a wrong answer and none to a
    right one. Default: never."""
    move_temperature: Real = Field(default=0.0, ge=0)
    """0: the decision is for the child with the greatest (N (1 + spread of its children's visits),
    Q, V). Above: it is drawn, p ~ (exp(Q) (children + 1))^(1 / temperature)."""
    init_temperature: Real = Field(default=1.0, ge=0)
    """Sampling temperature after the prompt."""
    temperature: Real = Field(default=1.0, ge=0)
    """Sampling temperature after other nodes, for `temperature_share` of them; 1 for the others."""
    temperature_share: Real = Field(default=0.75, ge=0, le=1)
    """Share of nodes, in [0, 1]."""
    max_new_tokens: int = Field(default=128, ge=1)
    """Most tokens of a step. (Published: 128 for mathematics, 32 for multiple choice.)"""
    max_tokens: int = Field(default=512, ge=8)
    """Most tokens of an answer; one within 5 of them has ended."""
    steps: Cut = "budget"
    """Where a step ends. "budget": with the last complete line that fits into `max_new_tokens`, or
    of a single line the last complete sentence. "line", "sentence", "delimiter": with the first.
    "tokens": after `max_new_tokens`."""
    delimiter: str = Field(default="\n\n", min_length=1)
    """What ends a step with `steps = "delimiter"`."""
    closing: str = "answer is"
    """A regular expression: the answer ends with the sentence that it is found in. "": none."""
    length_penalty: Real = Field(default=1.25, gt=0)
    """Priors are p = exp(sum of log-probabilities / tokens^length_penalty)."""
    own_way: Real = Field(default=1.25, ge=0)
    """Factor on the +1 that a right answer earns, where it does not copy the reference."""
    multiple_choice: bool = False
    """Whether a right answer earns nothing as the first step and half as the second, as published
    for multiple choice, where a guess is often right."""
    inject_reference: bool = False
    """Whether the next line of the reference is one more candidate, where the answer so far is how
    the reference begins: for references that are worked solutions. (The published code does.)"""
    continuation: Manner = "prefix"
    """How a model is asked to go on. "prefix": with the unfinished answer as the last message, for
    vLLM and embedded models. "ask": in words, for chat servers that know no such request."""
    also: Sampling = Sampling()
    """What else is to be said of the sampling: top_p, stop texts..."""

    def models(self) -> tuple[str, ...]:
        """The model that takes the steps, and the one that evaluates them."""
        evaluator = self.evaluation.model
        return (self.model,) if evaluator in (None, self.model) else (self.model, str(evaluator))

    def judge_names(self) -> tuple[str, ...]:
        """The judge of outcomes."""
        return () if self.outcome is None else (self.outcome,)

    def check(self, where: Where) -> None:
        """Raises RecipeError for fields that exclude or need each other."""
        for key in ("temperature", "max_tokens", "logprobs"):
            if getattr(self.also, key) is not None:
                raise where.error(f"{key} is the search's own: it cannot stand here", "also")
        if self.outcome is None and self.evaluation.by in ("rollouts", "nothing"):
            raise where.error(
                f'"{self.evaluation.by}" rests on outcomes: outcome = "NAME" of a judge is needed',
                "evaluation",
            )
        try:
            re.compile(self.closing)
        except re.error as error:
            raise where.error(f"not a regular expression: {error}", "closing") from error

    @cached_property
    def way(self) -> Policy:
        """How walks go, and what they leave behind."""
        if self.search == "best_first":
            return best_first(self.gamma)
        return (puct if self.search == "puct" else uct)(self.w, self.gamma)

    def first_step(self, text: str, cut_off: bool) -> Step:
        """The first step of what a model wrote."""
        return first_step(
            text, self.steps, ended=not cut_off, delimiter=self.delimiter, closing=self.closing
        )

    def asking(self, temperature: float, *, begun: bool, to_the_end: bool = False) -> Sampling:
        """The sampling of steps, one object for each kind of them."""
        key = temperature, begun, to_the_end
        if key not in self._samplings:
            most = self.max_tokens if to_the_end else self.max_new_tokens
            asked = Sampling(temperature=temperature, max_tokens=most, logprobs=True)
            sampling = asked.over(self.also)
            self._samplings[key] = going_on(sampling, self.continuation) if begun else sampling
        return self._samplings[key]

    @cached_property
    def _samplings(self) -> dict[tuple[float, bool, bool], Sampling]:
        return {}

    def samplings(self, model: str) -> tuple[Sampling, ...]:
        """Those of steps, from the model that takes them, and that of the evaluator."""
        steps = (self.asking(1.0, begun=False), self.asking(1.0, begun=True))
        asked = steps if model == self.model else ()
        evaluated = self.evaluation.sampling
        is_evaluator = model == (self.evaluation.model or self.model)
        return (*asked, evaluated) if is_evaluator and evaluated else asked

    async def draw(self, unit: "Unit") -> Drawn:
        """The tree: each node but the root is a response, parents before their children."""
        growing, root = Growing(self, unit), Node()
        path = [root]
        while await self._search_below(path[-1], root, growing):
            number = unit.draw(self.name, "move", *(node.step for node in path))
            path.append(decide(path[-1], self.move_temperature, number))
        return drawn_from(root, set(path), unit.prompt.prompt_id, self.name)

    async def _search_below(self, here: Node, root: Node, growing: Growing) -> bool:
        """Searches below a node; whether there is a step to decide for."""
        if here.terminal:
            return False
        for leaves in search(
            here,
            self.way,
            self.iterations * (self.root_factor if here is root else 1),
            depth_limit=self.depth + self.finish,
            width=self.width,
            stop=self._stop,
        ):
            asks = [growing.ask(leaf, here) for leaf in leaves]
            grown = await gather(growing.candidates(ask) for ask in asks)
            for leaf, candidates in zip(leaves, grown, strict=True):
                grow(leaf, candidates)
        return bool(here.children) and not is_hopeless(here, self.stop_hopeless)

    @cached_property
    def _stop(self) -> Callable[[Node], bool]:
        if self.stop_solved is None and self.stop_hopeless is None:
            return never  # it is asked before each walk
        return lambda here: (
            is_solved(here, self.stop_solved) or is_hopeless(here, self.stop_hopeless)
        )
