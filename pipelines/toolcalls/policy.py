"""The search of iTool (arXiv 2501.09766), as a policy on the core of `pipelines.searching`.

    U(child) = value / (N + 1) + c p sqrt(ln N_parent / (N + 1)),  value a running sum of rewards

A node is expanded once, and all of its children are evaluated at once: each is one visit of all
that lies above it. (The published code expands a node again until it has more children than it may,
so that its root is expanded twice before any descent; and takes the logarithm of no visits.)
"""

from functools import partial
from math import log, sqrt

from pipelines.searching.node import Node, nodes_below
from pipelines.searching.search import Policy, by_score


def itool(c: float = 1.0) -> Policy:
    """Of a node, `value` is its reward, `q` the running sum, and `v` its mean per visit."""
    return Policy(by_score(partial(score, c=c)), back_up, after="stay")


def score(child: Node, c: float) -> float:
    """U(child)."""
    assert child.parent is not None
    explored = sqrt(log(max(child.parent.visits, 1)) / (child.visits + 1))
    return child.q / (child.visits + 1) + c * child.prior * explored


def back_up(path: list[Node]) -> None:
    """Takes in the children that the walk gave its last node, or that node once more."""
    new = [child for child in path[-1].children or () if not child.n_visits]
    for node in new:
        node.q = 0.0
        _visit([*path, node], node.value)
    if not new:
        _visit(path, path[-1].value)


def _visit(path: list[Node], reward: float) -> None:
    for node in path:
        node.n_visits += 1
        node.q += reward
        node.v = node.q / node.n_visits


def is_searched(root: Node, depth_limit: int) -> bool:
    """Whether no node is left to expand."""
    leaves = (node for node in nodes_below(root) if not node.children)
    return all(
        node.terminal or node.depth >= depth_limit or node.children is not None for node in leaves
    )


def decided_path(root: Node) -> list[Node]:
    """The path that the search decides for: from the root, the best mean reward each time."""
    path = [root]
    while path[-1].children:
        path.append(max(path[-1].children, key=lambda child: child.v))
    return path
