"""Trees of searches, as a published version has them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from flows.published.tables import PublishedTables
from pipelines.errors import StoreError

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version

STEPS = """
    SELECT node_id, parent_id, sampler, depth, text, n_visits, v, q, r, value, prior, terminal,
        outcome, on_path, flags
    FROM tree_nodes WHERE prompt_id = $prompt
    ORDER BY sampler, depth, q DESC NULLS LAST, prior DESC, r DESC, value DESC, n_visits DESC, node_id
"""
PAIRS = """
    SELECT comparison_id, chosen_response_id, rejected_response_id
    FROM pairs WHERE prompt_id = $prompt
"""
SEARCHED = """
    SELECT prompt_id, count(*), max(depth), count_if(terminal),
        bool_or(outcome > 0) FILTER (on_path AND terminal),
        any_value(messages[-1].content)
    FROM tree_nodes JOIN prompts USING (prompt_id)
    GROUP BY prompt_id ORDER BY prompt_id LIMIT $most
"""


@dataclass(slots=True)
class Step:
    """A node of a tree, with those below it: the best one first."""

    node_id: str
    parent_id: str | None
    sampler: str
    depth: int
    text: str
    n_visits: int
    v: float | None
    q: float | None
    r: float | None
    value: float | None
    prior: float | None
    terminal: bool
    outcome: float | None
    on_path: bool
    flags: str | None
    below: list["Step"] = field(default_factory=list)
    chosen: bool = False
    """Whether a kept pair has it as the better one of two siblings (or of any two)..."""
    rejected: bool = False
    """...or as the worse one."""

    def each(self) -> Iterator["Step"]:
        """This step and all that follow it, each before those below it."""
        waiting = [self]
        while waiting:
            step = waiting.pop()
            yield step
            waiting.extend(reversed(step.below))


@dataclass(frozen=True, slots=True)
class Tree:
    """What one search grew for one prompt."""

    prompt_id: str
    prompt: list[dict[str, Any]]
    """The messages of the prompt."""
    root: Step

    @property
    def steps(self) -> list[Step]:
        """Every node but the root."""
        return list(self.root.each())[1:]

    @property
    def solved(self) -> bool | None:
        """Whether the answer that the search decided for is right; None: nobody can say."""
        ends = [one.outcome for one in self.steps if one.on_path and one.terminal]
        return ends[0] > 0 if ends and ends[0] is not None else None


@dataclass(frozen=True, slots=True)
class Searched:
    """A prompt that was searched, in brief."""

    prompt_id: str
    nodes: int
    depth: int
    ended: int
    """Answers that end."""
    solved: bool | None
    question: str | None


class SearchedTrees:
    """Finds trees in the tables of one version."""

    def __init__(self, version: "Version") -> None:
        self._tables = PublishedTables(version, "tree_nodes", "prompts", "pairs")
        self._ref = version.ref

    def some(self, most: int) -> list[Searched]:
        """The first `most` prompts that were searched, by id. Raises StoreError for none."""
        found = [Searched(*row) for row in self._tables.rows(SEARCHED, most=most)]
        if not found:
            raise StoreError(f"{self._ref}: has no trees: none of its samplers is a search")
        return found

    def find(self, wanted: str) -> list[Tree]:
        """The trees of the one prompt whose id begins so, by the search. Raises StoreError."""
        query = "SELECT DISTINCT prompt_id FROM tree_nodes WHERE starts_with(prompt_id, $wanted)"
        ids = [one for (one,) in self._tables.rows(f"{query} ORDER BY 1 LIMIT 2", wanted=wanted)]
        if not ids:
            self.some(1)
            raise StoreError(
                f'{self._ref}: no tree of a prompt "{wanted}"; `pairwright tree {self._ref}` '
                "lists them"
            )
        if len(ids) > 1:
            raise StoreError(f'{self._ref}: several prompts begin with "{wanted}", as {ids[0]}')
        return self._of(ids[0])

    def _of(self, prompt_id: str) -> list[Tree]:
        query = "SELECT messages FROM prompts WHERE prompt_id = $prompt"
        ((messages,),) = self._tables.rows(query, prompt=prompt_id)
        steps = {row[0]: Step(*row) for row in self._tables.rows(STEPS, prompt=prompt_id)}
        for step in steps.values():
            if step.parent_id in steps:
                steps[step.parent_id].below.append(step)
        _mark_pairs(steps, self._tables.rows(PAIRS, prompt=prompt_id))
        roots = (step for step in steps.values() if step.parent_id is None)
        return [Tree(prompt_id, messages, root) for root in roots]


def _mark_pairs(steps: dict[str, Step], pairs: Sequence[tuple[str | None, str, str]]) -> None:
    """Says which steps pairs are of, by the answers that they are made of.

    Of siblings, the pair names the node that they are below; else it is of the answers themselves.
    """
    for decision, chosen, rejected in pairs:
        for answer, side in ((chosen, "chosen"), (rejected, "rejected")):
            step = steps.get(answer)
            while decision in steps and step is not None and step.parent_id != decision:
                step = steps.get(step.parent_id or "")
            if step is not None:
                setattr(step, side, True)
