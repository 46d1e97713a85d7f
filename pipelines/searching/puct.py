"""PUCT: the selection of MCTS-DPO (arXiv 2405.00451), guided by the policy's own priors."""

from math import inf, sqrt

from pipelines.searching.backup import back_up_weighted
from pipelines.searching.node import Node
from pipelines.searching.search import Policy


def puct(w: float = 1.0, gamma: float = 1.0) -> Policy:
    """argmax_c Q(c) + w p(c) sqrt(N(parent)) / (1 + N(c)), with the weighted backup.

    The root is visited twice by each walk, as in the published code.
    """

    def choose(node: Node) -> Node:
        children = node.children
        assert children
        best, most, explore = children[0], -inf, sqrt(node.n_visits + node.pending)
        for child in children:  # most of a search's own time goes into these lines
            pending = child.pending
            worth = child.worth if pending else child.q
            score = worth + w * child.prior * explore / (1 + child.n_visits + pending)
            if score > most:
                best, most = child, score
        return best

    return Policy(choose, lambda path: back_up_weighted(path, gamma), early_visits=1)
