"""The search of P-Aligner (arXiv 2508.04626), as a policy on the core of `pipelines.searching`.

    U(child) = mean of the rewards in the child's whole subtree + c sqrt(ln N_parent / N_child)
    back-up:   N += 1,  Q = max(own reward, Q of the children)

A walk goes down as long as every rule has been tried, gives the node that it comes to one child, and
ends there. What nothing can be added to is not walked to again.
"""

from collections.abc import Callable
from functools import partial
from math import inf, log, sqrt

from pipelines.searching.node import Node, nodes_below
from pipelines.searching.search import Policy, by_score

IsOpen = Callable[[Node], bool]


def p_aligner(is_open: IsOpen, c: float = 0.1) -> Policy:
    """Of a node, `value` is its own reward, `q` the best one below, `v` the mean of its subtree.

    `is_open`: whether a rule is left to be tried on a node.
    """
    best = by_score(partial(score, is_open=is_open, c=c))
    return Policy(best, back_up, is_open, after="child", follow=_newest)


def score(child: Node, is_open: IsOpen, c: float) -> float:
    """U(child); minus infinity where nothing below it is open."""
    assert child.parent is not None
    if is_exhausted(child, is_open):
        return -inf
    explored = sqrt(log(max(child.parent.visits, 1)) / max(child.visits, 1))
    return subtree_mean(child) + c * explored


def subtree_mean(node: Node) -> float:
    """Mean of the rewards of a node and of all below it."""
    rewards = [below.value for below in nodes_below(node)]
    return sum(rewards) / len(rewards)


def back_up(path: list[Node]) -> None:
    """Takes in a walk, deepest node first."""
    for node in reversed(path):
        node.n_visits += 1
        node.q = max([node.value, *(child.q for child in node.children or ())])
        node.v = subtree_mean(node)


def is_exhausted(root: Node, is_open: IsOpen) -> bool:
    """Whether nothing is left to be tried on a node and all below it."""
    return not any(is_open(node) for node in nodes_below(root))


def best_node(root: Node) -> Node:
    """The node of the highest own reward; of equals the first, parents before children."""
    return max(nodes_below(root), key=lambda node: node.value)


def _newest(node: Node) -> Node:
    assert node.children
    return node.children[-1]
