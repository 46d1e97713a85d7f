"""Best-first: the most valuable node of the whole tree that is unexpanded is expanded next."""

from functools import partial
from math import inf

from pipelines.searching.backup import back_up_best
from pipelines.searching.node import Node
from pipelines.searching.search import Policy, by_score


def best_first(gamma: float = 1.0) -> Policy:
    """Walks to the unexpanded node of the greatest value, and ends there.

    What a walk has come to in vain (it is at the depth limit) comes after all that is untried,
    and answers that have ended come last.
    """
    return Policy(by_score(frontier), partial(_back_up, gamma=gamma), after="stay")


def frontier(node: Node) -> tuple[float, float]:
    """(-visits, value) of the best unexpanded node below, or of the node itself.

    It is known from the last backup, but where walks are under way.
    """
    return _frontier(node) if node.pending else node.frontier


def _frontier(node: Node) -> tuple[float, float]:
    if node.children:
        return max(frontier(child) for child in node.children)
    return -inf if node.terminal else float(-node.visits), node.value


def _back_up(path: list[Node], gamma: float) -> None:
    back_up_best(path, gamma)
    for node in reversed(path):
        node.frontier = _frontier(node)
