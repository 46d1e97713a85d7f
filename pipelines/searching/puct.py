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
        parent, pending = child.parent, child.pending
        assert parent is not None
        explored = w * child.prior * sqrt(parent.n_visits + parent.pending)
        worth = child.worth if pending else child.q  # asked for with every step of every walk
        return worth + explored / (1 + child.n_visits + pending)

    return Policy(score, partial(back_up_weighted, gamma=gamma), early_visits=1)
