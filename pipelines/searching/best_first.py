"""Best-first: the most valuable node of the whole tree is expanded next."""

from functools import partial
from math import inf

from pipelines.searching.backup import back_up_best
from pipelines.searching.node import Node
from pipelines.searching.search import Policy


def best_first(gamma: float = 1.0) -> Policy:
    """Walks to the open node of the greatest value, and ends with its best child.

    Where nothing is left to be expanded, it walks to the best answer again.
    """

    def backup(path: list[Node]) -> None:
        back_up_best(path, gamma)
        for node in reversed(path):
            node.frontier = _frontier(node)

    def score(child: Node) -> tuple[float, float]:  # lexicographic: open ones first
        ...

    return Policy(score, backup, deep=False)
