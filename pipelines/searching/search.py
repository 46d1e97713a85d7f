"""The search: walks from the root to the end of an answer, and what they leave behind.

    iteration = walk by score to a node that is open
                -> it is expanded (by whoever runs the search) and walked on from, ...
                -> at a terminal node, or at the depth limit, the walk is backed up

`width` walks go in lock-step. They start one after the other, each seeing the others as visits that
come back worse (`Node.worth`), and are backed up in the order in which they started. So statistics
depend on what the expansions gave and on the width, and never on when they came. Of width 1, the
walks are those of the paper.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pipelines.searching.node import Node

Score = Callable[[Node], Any]
"""How much a child asks to be walked to, as anything that compares; of equals the first is."""

Backup = Callable[[list[Node]], None]
"""Takes in a finished walk: its nodes, from the root of the search to the last."""


def is_unexpanded(node: Node) -> bool:
    """Whether a node was never expanded."""
    return node.children is None


def never(_root: Node) -> bool:
    """Whether the search may stop early: no."""
    return False


@dataclass(frozen=True, slots=True)
class Policy:
    """A way to search."""

    score: Score
    backup: Backup
    is_open: Callable[[Node], bool] = is_unexpanded
    """Whether a node that a walk has come to is to be expanded. Terminal ones never are."""
    after: Literal["deep", "child", "stay"] = "deep"
    """Where a walk goes after an expansion: on to the end of the answer or the depth limit,
    expanding what it comes to; to one child, and no further; or nowhere."""
    follow: Callable[[Node], Node] | None = None
    """The child that a walk takes right after an expansion. Default: that of the best score."""
    early_visits: int = 0
    """Visits that the root of a search gets before each walk, beside that of its backup."""


def best_child(node: Node, score: Score) -> Node:
    """The child of the greatest score; of equals the first. The node must have one."""
    return max(node.children or (), key=score)


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
    deepest, seen = root.depth + depth_limit, width > 1
    while iterations > 0 and not stop(root):
        walks = []
        for _ in range(min(width, iterations)):
            root.n_visits += policy.early_visits
            walks.append(_Walk(root, policy, deepest, seen))
        iterations -= len(walks)
        while leaves := list(dict.fromkeys(walk.path[-1] for walk in walks if walk.waits)):
            yield leaves
            for walk in walks:
                if walk.waits:
                    walk.go_on()
        for walk in walks:
            if seen:
                walk.mark(-1)
            policy.backup(walk.path)


class _Walk:
    """A walk under way; it `waits` while its last node is to be expanded. `seen`: by others."""

    __slots__ = ("deepest", "path", "policy", "seen", "waits")

    def __init__(self, root: Node, policy: Policy, deepest: int, seen: bool) -> None:
        self.policy, self.deepest, self.seen = policy, deepest, seen
        self.path, self.waits = [root], False
        self._walk()
        if seen:
            self.mark(1)

    def mark(self, by: int) -> None:
        """Lets other walks see this one, or no longer."""
        for node in self.path:
            node.pending += by

    def go_on(self) -> None:
        """Goes on from the last node, which has been expanded. It does not see itself."""
        if self.seen:
            self.mark(-1)
        node, follow = self.path[-1], self.policy.follow
        self.waits = False
        if node.children and self.policy.after != "stay":
            self.path.append(follow(node) if follow else best_child(node, self.policy.score))
            if self.policy.after == "deep":
                self._walk()
        if self.seen:
            self.mark(1)

    def _walk(self) -> None:
        """Walks by score up to an open node, which it waits at, or to an end."""
        path, is_open, score = self.path, self.policy.is_open, self.policy.score
        node = path[-1]
        while not node.terminal and node.depth < self.deepest:
            if is_open(node):
                self.waits = True
                return
            if not node.children:
                return
            node = max(node.children, key=score)
            path.append(node)
