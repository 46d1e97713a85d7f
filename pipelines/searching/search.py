"""The search: walks from the root to the end of an answer, and what they leave behind.

    iteration = walk by choice to a node that is open
                -> it is expanded (by whoever runs the search) and walked on from, ...
                -> at a terminal node, or at the depth limit, the walk is backed up

`width` walks go in lock-step. They start one after the other, each seeing the others as visits that
come back worse (`Node.worth`), and are backed up in the order in which they started. So statistics
depend on what the expansions gave and on the width, and never on when they came. Of width 1, the
walks are those of the paper.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from pipelines.searching.node import Node

Choice = Callable[[Node], Node]
"""The child that a walk goes to from a node, which has some."""

Score = Callable[[Node], Any]
"""How much a child asks to be walked to, as anything that compares."""

Backup = Callable[[list[Node]], None]
"""Takes in a finished walk: its nodes, from the root of the search to the last."""


def by_score(score: Score) -> Choice:
    """The choice of the child of the greatest score; of equals the first."""

    def choose(node: Node) -> Node:
        return max(node.children or (), key=score)

    return choose


def never(_root: Node) -> bool:
    """Whether the search may stop early: no."""
    return False


@dataclass(frozen=True, slots=True)
class Policy:
    """A way to search."""

    choose: Choice
    backup: Backup
    is_open: Callable[[Node], bool] | None = None
    """Whether a node that a walk has come to is to be expanded; terminal ones never are. Default:
    if it never was."""
    after: Literal["deep", "child", "stay"] = "deep"
    """Where a walk goes after an expansion: on to the end of the answer or the depth limit,
    expanding what it comes to; to one child, and no further; or nowhere."""
    follow: Choice | None = None
    """The child that a walk takes right after an expansion. Default: `choose` says."""
    early_visits: int = 0
    """Visits that the root of a search gets before each walk, beside that of its backup."""


def search(
    root: Node,
    policy: Policy,
    iterations: int,
    *,
    depth_limit: int,
    width: int = 1,
    stop: Callable[[Node], bool] = never,
) -> Iterator[list[Node]]:
    """Searches below `root`, and yields the nodes that are to be expanded now, each once.

    Whoever runs it gives each of them children (`node.grow`; none at all: the walk ends there)
    before going on. `depth_limit` counts from `root`. `stop` is asked before each round of walks.
    """
    searched = _one_by_one if width == 1 else partial(_in_lock_step, width=width)
    return searched(root, policy, iterations, root.depth + depth_limit, stop)


def _one_by_one(
    root: Node, policy: Policy, iterations: int, deepest: int, stop: Callable[[Node], bool]
) -> Iterator[list[Node]]:
    """A search of width 1: no walk need see another."""
    for _ in range(iterations):
        if stop(root):
            return
        root.n_visits += policy.early_visits
        path = [root]
        waits = _walk(path, policy, deepest)
        while waits:
            yield [path[-1]]
            waits = _walk_on(path, policy, deepest)
        policy.backup(path)


def _in_lock_step(
    root: Node,
    policy: Policy,
    iterations: int,
    deepest: int,
    stop: Callable[[Node], bool],
    width: int,
) -> Iterator[list[Node]]:
    while iterations > 0 and not stop(root):
        walks = []
        for _ in range(min(width, iterations)):
            root.n_visits += policy.early_visits
            walks.append(_Walk(root, policy, deepest))
        iterations -= len(walks)
        while leaves := list(dict.fromkeys(walk.path[-1] for walk in walks if walk.waits)):
            yield leaves
            for walk in walks:
                if walk.waits:
                    walk.go_on()
        for walk in walks:
            walk.mark(-1)
            policy.backup(walk.path)


def _walk(path: list[Node], policy: Policy, deepest: int) -> bool:
    """Walks on from the end of `path` to an open node, or to an end; whether it is an open one."""
    choose, is_open, node = policy.choose, policy.is_open, path[-1]
    while node.children and node.depth < deepest and not (is_open and is_open(node)):
        node = choose(node)
        path.append(node)
    if node.terminal or node.depth >= deepest:
        return False
    return is_open(node) if is_open else node.children is None


def _walk_on(path: list[Node], policy: Policy, deepest: int) -> bool:
    """As `_walk`, from a node that has just been expanded."""
    node = path[-1]
    if not node.children or policy.after == "stay":
        return False
    path.append((policy.follow or policy.choose)(node))
    return policy.after == "deep" and _walk(path, policy, deepest)


class _Walk:
    """A walk under way, which others see; it `waits` while its last node is to be expanded."""

    __slots__ = ("deepest", "path", "policy", "waits")

    def __init__(self, root: Node, policy: Policy, deepest: int) -> None:
        self.policy, self.deepest, self.path = policy, deepest, [root]
        self.waits = _walk(self.path, policy, deepest)
        self.mark(1)

    def mark(self, by: int) -> None:
        """Lets other walks see this one, or no longer."""
        for node in self.path:
            node.pending += by

    def go_on(self) -> None:
        """Goes on from the last node, which has been expanded. It does not see itself."""
        self.mark(-1)
        self.waits = _walk_on(self.path, self.policy, self.deepest)
        self.mark(1)
