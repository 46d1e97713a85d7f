"""The tree of a search for tool calls: selection and back-up, without any model (arXiv 2501.09766).

    U(child) = value / (N + 1) + c p sqrt(ln N_parent / (N + 1)),  value a running sum of rewards

Each node is expanded once, and all of its children are evaluated then. (The published code expands
a node again until it has more children than actions, so that its trees are wide and flat.)
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(eq=False)
class Step:
    """A node: a step, and what the search knows of the answer up to it."""

    text: str = ""
    """The step alone."""
    prefix: str = ""
    """The answer before it."""
    parent: "Step | None" = None
    prior: float = 1.0
    ended: bool = False
    """Whether the answer ends with this step."""
    closed: bool = False
    """Whether nothing can follow in this search: it ended, or lies at the depth limit."""
    immediate: float | None = None
    """r; None without a gold answer."""
    reward: float = 0.0
    """What one visit adds: r, and what a rollout was judged to be."""
    flags: list[str] = field(default_factory=list)
    n: int = 0
    value: float = 0.0
    """Sum of the rewards of all visits."""
    children: list["Step"] = field(default_factory=list)

    @property
    def answer(self) -> str:
        """The answer so far, with this step."""
        return self.prefix + self.text

    @property
    def depth(self) -> int:
        """Steps from the root."""
        return 0 if self.parent is None else self.parent.depth + 1

    @property
    def mean(self) -> float | None:
        """Reward per visit; None before the first."""
        return self.value / self.n if self.n else None

    def walk(self) -> Iterator["Step"]:
        """This node and all below it, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


def uct(child: Step, c: float) -> float:
    """What selection among siblings goes by. ln of no visits is taken for 0."""
    visits = child.parent.n if child.parent is not None else 0
    explored = math.sqrt(math.log(max(visits, 1)) / (child.n + 1))
    return child.value / (child.n + 1) + c * child.prior * explored


def select(root: Step, c: float) -> Step:
    """The node to expand, or to visit again where it is closed; of equals the first."""
    node = root
    while node.children:
        node = max(node.children, key=lambda child: uct(child, c))
    return node


def back_up(node: Step | None, reward: float) -> None:
    """One more visit of `node` and of all above it."""
    while node is not None:
        node.n += 1
        node.value += reward
        node = node.parent


def is_searched(root: Step) -> bool:
    """Whether nothing is left to expand."""
    return all(node.closed for node in root.walk() if not node.children)


def best_path(root: Step) -> list[Step]:
    """The path that the search decides for: the child with the greatest mean reward, each time."""
    path, node = [], root
    while node.children:
        node = max(node.children, key=lambda child: child.value / child.n if child.n else -math.inf)
        path.append(node)
    return path
