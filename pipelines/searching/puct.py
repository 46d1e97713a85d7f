"""PUCT: the selection of MCTS-DPO (arXiv 2405.00451), guided by the policy's own priors."""

from functools import partial
from math import sqrt

from pipelines.searching.backup import back_up_weighted
from pipelines.searching.node import Node
from pipelines.searching.search import Policy


def puct(w: float = 1.0, gamma: float = 1.0) -> Policy:
    """argmax_c Q(c) + w p(c) sqrt(N(parent)) / (1 + N(c)), with the weighted backup.

    The root is visited twice by each walk, as in the published code.
    """

    def score(child: Node) -> float:
        assert child.parent is not None
        n_parent, n = child.parent.visits, child.visits
        return child.worth + w * child.prior * sqrt(n_parent) / (1 + n)

    return Policy(score, partial(back_up_weighted, gamma=gamma), early_visits=1)
