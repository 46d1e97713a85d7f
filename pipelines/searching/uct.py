"""UCT: plain upper confidence bounds, without priors (Kocsis and Szepesvari 2006)."""

from functools import partial
from math import inf, log, sqrt

from pipelines.searching.backup import back_up_mean
from pipelines.searching.node import Node
from pipelines.searching.search import Policy, by_score


def uct(w: float = 1.0, gamma: float = 1.0) -> Policy:
    """argmax_c Q(c) + w sqrt(ln N(parent) / N(c)), Q a mean of returns; first all unvisited ones."""

    def score(child: Node) -> float:
        assert child.parent is not None
        n_parent, n = child.parent.visits, child.visits
        return child.worth + w * sqrt(log(n_parent or 1) / n) if n else inf

    return Policy(by_score(score), partial(back_up_mean, gamma=gamma))
