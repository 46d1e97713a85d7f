"""A search over rewrites of an instruction: P-Aligner (arXiv 2508.04626).

    select ─> rewrite by an unused rule ─> answer the rewrite, judge by the raw one ─> back up

The prompt is the request to rewrite: what its system message says of it, and the raw instruction as
its last user message. So the rewrites are responses to it, and a pair of them trains a model that
rewrites. Answers to rewrites are asked for without that system message, and judged as answers to
the raw instruction.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from pipelines.backend import Sampling
from pipelines.part import Real, Where
from pipelines.rewriting.policy import best_node, is_exhausted, p_aligner
from pipelines.rewriting.request import rewriting_request, rewritten
from pipelines.rewriting.reward import reward_of
from pipelines.rewriting.rows import raw_response, rewrite_response
from pipelines.rewriting.rules import RULES, Rule, rules_for
from pipelines.sampler import Drawn, Sampler
from pipelines.searching.node import Candidate, Node, grow
from pipelines.searching.search import search
from pipelines.stepping.rows import drawn_from
from schemas.rows import Message

if TYPE_CHECKING:
    from pipelines.unit import Unit


class InstructionSearch(Sampler):
    """Searches for the rewrite of an instruction that gets the best answers.

    Pairs come from `tree_best_worst`. The raw instruction is a response too, the root of its tree.
    """

    asks_of_one: ClassVar[bool] = True

    model: str
    """Name of the model that rewrites."""
    responder: str
    """Name of the model whose answers say how good an instruction is. (The paper: a base model.)"""
    judge: str
    """Name of the judge of the recipe that scores these answers against the raw instruction."""
    n: int = Field(default=4, ge=1)
    """Answers to each instruction; its reward is the mean of their scores."""
    iterations: int = Field(default=20, ge=1)
    """Rewrites that are tried, at most: a search ends where every rule is used up."""
    c: Real = Field(default=0.1, ge=0)
    """Weight of exploration, in the judge's units."""
    tries: int = Field(default=4, ge=1)
    """How often a rewrite is asked for that comes back empty, refused or cut off. Then its rule is
    not tried on that instruction any more, and another one is."""
    sampling: Sampling = Sampling()
    """How rewrites are drawn. What is not given is as in the model's own table."""
    answers: Sampling = Sampling()
    """How answers are drawn. What is not given is as in the responder's own table."""
    rules: tuple[Rule, ...] = ()
    """What may be done to an instruction. Default: ten rules for the labels harmlessness,
    helpfulness, honesty, coding and math."""
    labels: tuple[str, ...] = ("helpfulness",)
    """Labels of prompts whose `task` has none that a rule knows."""

    def models(self) -> tuple[str, ...]:
        """Who rewrites, and who answers."""
        return tuple(dict.fromkeys((self.model, self.responder)))

    def judge_names(self) -> tuple[str, ...]:
        """Who scores the answers."""
        return (self.judge,)

    def check(self, where: Where) -> None:
        """Raises RecipeError for rules of one name."""
        names = [rule.name for rule in self.rules]
        if len(set(names)) < len(names):
            raise where.error("two rules have the same name", "rules")

    async def draw(self, unit: "Unit") -> Drawn:
        """The raw instruction and its rewrites, parents first, and their tree.

        Nothing where no rule applies, or the judge scores no answer to the raw instruction.
        """
        raw = unit.prompt.messages[-1].content
        rules = rules_for(unit.prompt.task, self.rules or RULES, self.labels)
        reward = await self._reward(unit, raw) if raw and raw.strip() and rules else None
        if raw is None or reward is None:
            return Drawn([])
        response = raw_response(unit, raw, self.name)
        root = Node(candidate=Candidate(raw, value=reward, origin=response))
        await self._search(unit, root, rules)
        path = set(best_node(root).lineage())
        drawn = drawn_from(root, path, unit.prompt.prompt_id, self.name)
        return Drawn([response, *drawn.responses], drawn.nodes)

    async def _search(self, unit: "Unit", root: Node, rules: Sequence[Rule]) -> None:
        """Searches below `root`. What is left to be tried on each node, and on the path to it."""
        path: dict[Node, tuple[str, ...]] = {root: ()}
        left = {root: self._in_order(unit, (), rules)}

        def is_open(node: Node) -> bool:
            return bool(left[node])

        policy, deepest = p_aligner(is_open, self.c), len(rules) + 1
        stop = partial(is_exhausted, is_open=is_open)
        for leaves in search(root, policy, self.iterations, depth_limit=deepest, stop=stop):
            for leaf in leaves:
                rule = await self._grow(unit, leaf, path[leaf], left[leaf])
                if rule is not None and leaf.children:
                    child = leaf.children[-1]
                    path[child] = (*path[leaf], rule)
                    left[child] = self._in_order(unit, path[child], rules)

    def _in_order(self, unit: "Unit", path: tuple[str, ...], rules: Sequence[Rule]) -> list[Rule]:
        """The rules that are not on the path to a node, as they will be tried: by a seeded draw."""
        unused = [rule for rule in rules if rule.name not in path]
        return sorted(unused, key=lambda rule: unit.draw(self.name, "rule", *path, rule.name))

    async def _grow(
        self, unit: "Unit", leaf: Node, path: tuple[str, ...], left: list[Rule]
    ) -> str | None:
        """Gives `leaf` a child by the first rule of `left` that makes one; tried ones are taken off.

        The rule's name; None where no rule made a child.
        """
        while left:
            rule = left.pop(0)
            found = await self._rewrite(unit, leaf.step, rule)
            reward = None if found is None else await self._reward(unit, found[0])
            if found is not None and reward is not None:
                text, attempt = found
                response = rewrite_response(
                    unit, leaf.origin, text, (*path, rule.name), attempt,
                    model=self.model, sampling=self.sampling,
                )  # fmt: skip
                grow(leaf, [Candidate(text, value=reward, origin=response)])
                return rule.name
        return None

    async def _rewrite(self, unit: "Unit", instruction: str, rule: Rule) -> tuple[str, int] | None:
        """A rewrite by `rule`, and which try gave it; None where none did."""
        words, fence = rewriting_request(unit.prompt.prompt_id, rule, instruction)
        for attempt in range(self.tries):
            [reply] = await unit.sample(
                self.model, (Message("user", words),), sampling=self.sampling, first_index=attempt
            )
            text = rewritten(reply, fence)
            if text is not None:
                return text, attempt
        return None

    async def _reward(self, unit: "Unit", instruction: str) -> float | None:
        return await reward_of(
            unit,
            instruction,
            responder=self.responder,
            judge=self.judge,
            n=self.n,
            sampling=self.answers,
        )
