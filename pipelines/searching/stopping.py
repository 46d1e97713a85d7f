"""Stopping: when there is nothing left to learn below a root.

Counted are finished walks to answers that have ended, by whether they are right (outcome > 0).
"""

from pipelines.searching.node import Node, nodes_below


def ends_below(root: Node) -> tuple[int, int]:
    """Walks to right and to wrong answers below `root`. What nobody could judge is neither."""
    right = wrong = 0
    for node in nodes_below(root):
        if node.terminal and node.outcome is not None:
            right += node.n_visits if node.outcome > 0 else 0
            wrong += node.n_visits if node.outcome <= 0 else 0
    return right, wrong


def is_solved(root: Node, walks: int | None) -> bool:
    """Whether so many walks came to a right answer. None: never."""
    return walks is not None and ends_below(root)[0] >= walks


def is_hopeless(root: Node, walks: int | None) -> bool:
    """Whether so many walks came to a wrong answer, and none to a right one. None: never."""
    if walks is None:
        return False
    right, wrong = ends_below(root)
    return not right and wrong >= walks
