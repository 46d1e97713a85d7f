"""Decisions: which child the search goes on from, once it has searched enough below its parent."""

from math import exp, log

from pipelines.searching.node import Node


def decide(node: Node, temperature: float = 0.0, number: float = 0.0) -> Node:
    """The child that becomes the root (MCTS-DPO, arXiv 2405.00451). `node` must have one.

    Temperature 0: the greatest by (N (1 + div), Q, V), div the spread of its children's visits. Above
    it is drawn with the probability (exp(Q) (children + 1))^(1/t), by `number` in [0, 1).
    """
    children = node.children or []
    if not temperature:
        return max(
            children, key=lambda child: (child.n_visits * (1 + spread(child)), child.q, child.v)
        )
    logs = [(child.q + log(len(child.children or ()) + 1)) / temperature for child in children]
    return children[_drawn(logs, number)]


def spread(node: Node) -> int:
    """div: most visits of a child less the fewest; 0 without children."""
    visits = [child.n_visits for child in node.children or ()]
    return max(visits) - min(visits) if visits else 0


def _drawn(logs: list[float], number: float) -> int:
    """A position, drawn with the probability exp(log), normalised."""
    most = max(logs)
    weights = [exp(one - most) for one in logs]
    left = number * sum(weights)
    for position, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return position
    return len(weights) - 1
