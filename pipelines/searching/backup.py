"""Backups: how what a walk came to changes what is expected of the steps before."""

from pipelines.searching.node import Node


def back_up_weighted(path: list[Node], gamma: float) -> None:
    """V = sum_c max(1, N(c)) Q(c) / sum_c max(1, N(c)) over all children; Q = r + gamma V.

    MCTS-DPO (arXiv 2405.00451): deepest first, one more visit each. A true root has no Q.
    """
    deepest_first = reversed(path)
    leaf = next(deepest_first)
    leaf.n_visits += 1
    leaf.q = leaf.r + gamma * leaf.v
    for node in deepest_first:
        visits, total = 0, 0.0
        for child in node.children or ():
            weight = child.n_visits or 1
            visits += weight
            total += weight * child.q
        node.v = v = total / visits
        node.n_visits += 1
        if node.parent is not None:
            node.q = node.r + gamma * v


def back_up_mean(path: list[Node], gamma: float) -> None:
    """V is the mean of what followed the step in each walk; Q = r + gamma V (plain UCT).

    What followed: r of the next step + gamma r of the one after + ...
    """
    followed = 0.0
    for node in reversed(path):
        node.n_visits += 1
        node.v += (followed - node.v) / node.n_visits
        if node.parent is not None:
            node.q = node.r + gamma * node.v
        followed = node.r + gamma * followed


def back_up_best(path: list[Node], gamma: float) -> None:
    """V is the best Q among the children, Q = r + gamma V (best-first)."""
    for node in reversed(path):
        node.n_visits += 1
        if node.children:
            node.v = max(child.q for child in node.children)
        if node.parent is not None:
            node.q = node.r + gamma * node.v
