"""Nodes: what a search knows of a step, and of the answer that ends with it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

VIRTUAL_LOSS = 1.0
"""By how much a walk that is under way is assumed to come back worse than those before it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A step that may follow a node, with what is known of it when it becomes one."""

    step: str
    """Its text, white space included: texts of steps are joined as they are."""
    prior: float = 1.0
    """p, how likely the policy is to take it."""
    value: float = 0.0
    """Value of the answer that ends with it."""
    terminal: bool = False
    """Whether it ends the answer."""
    outcome: float | None = None
    """What the answer as a whole earned; None where it has not ended, or nobody can say."""
    flags: tuple[str, ...] = ()
    """What was missing when it was made, by name."""
    n_tokens: int = 0
    origin: Any = None
    """Where it came from: the search does not look at it."""


class Node:
    """A step at its place in the tree. The root is the empty step, of value 0."""

    __slots__ = (
        "children",
        "depth",
        "flags",
        "frontier",
        "n_tokens",
        "n_visits",
        "origin",
        "outcome",
        "parent",
        "pending",
        "prior",
        "q",
        "r",
        "step",
        "terminal",
        "text",
        "v",
        "value",
    )

    def __init__(self, parent: "Node | None" = None, candidate: Candidate = Candidate("")) -> None:
        self.parent = parent
        self.step, self.prior, self.value = candidate.step, candidate.prior, candidate.value
        self.terminal, self.outcome = candidate.terminal, candidate.outcome
        self.flags, self.origin = candidate.flags, candidate.origin
        self.children: list[Node] | None = None
        """None: it was not expanded. None of them: nothing can follow."""
        self.depth: int = 0
        self.text: str = candidate.step
        """The answer up to the end of this step."""
        self.n_tokens: int = candidate.n_tokens
        """Tokens of that."""
        self.n_visits: int = 0
        """N, the finished walks through it."""
        self.pending: int = 0
        """Walks through it that are under way."""
        self.v: float = 0.0
        """V, what is to be expected after this step."""
        self.r: float = 0.0
        """r = value - value of the parent: what this step earned."""
        self.q: float = 0.0
        """Q = r + gamma V, what is to be expected of taking this step."""
        self.frontier: tuple[float, float] = (-inf if self.terminal else 0.0, self.value)
        """What best-first search ranks it by (see `best_first.py`)."""
        if parent is not None:
            self.depth = parent.depth + 1
            self.text = parent.text + candidate.step
            self.n_tokens = parent.n_tokens + candidate.n_tokens
            self.r = self.value - parent.value
            self.q = parent.v + self.r

    def __repr__(self) -> str:
        return f"Node({self.step!r}, N={self.n_visits}, V={self.v:.6g}, Q={self.q:.6g})"

    @property
    def visits(self) -> int:
        """N, walks under way included: what a score counts by."""
        return self.n_visits + self.pending

    @property
    def worth(self) -> float:
        """Q, as if each walk under way came back worse by `VIRTUAL_LOSS`.

        (N Q + m (Q - loss)) / (N + m) with m walks under way; Q itself without any.
        """
        if not self.pending:
            return self.q
        return self.q - VIRTUAL_LOSS * self.pending / self.visits

    def lineage(self) -> "list[Node]":
        """The nodes from the root to this one."""
        nodes, node = [self], self.parent
        while node is not None:
            nodes.append(node)
            node = node.parent
        return nodes[::-1]


def grow(node: Node, candidates: Sequence[Candidate]) -> list[Node]:
    """Expands `node`: one further child for each candidate, in their order. Returns the new ones."""
    grown = [Node(node, candidate) for candidate in candidates]
    node.children = [*(node.children or ()), *grown]
    return grown


def nodes_below(root: Node) -> Iterator[Node]:
    """`root` and all nodes below it, each before its children, siblings in their order."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children or ()))
