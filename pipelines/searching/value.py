"""Values: what an evaluator's word on an unfinished answer is worth (MCTS-DPO, arXiv 2405.00451)."""

from collections.abc import Mapping

FULL_DEPTH = 3
"""Depth of the parent up to which confidence counts in full."""

QUALITY = {"A": -2.0, "B": -1.0, "C": 0.0, "D": 1.0}
"""What four grades are worth, from bad to excellent."""


def self_evaluated(confidence: float, parent_depth: int, parent_value: float) -> float:
    """The score conf / max(parent_depth - 3, 1); that of the parent where it is 0.

    >>> self_evaluated(0.8, 5, 0.1), self_evaluated(0.8, 1, 0.1), self_evaluated(0.0, 1, 0.1)
    (0.4, 0.8, 0.1)
    """
    return confidence / max(parent_depth - FULL_DEPTH, 1) or parent_value


def quality(odds: Mapping[str, float]) -> float:
    """1 P(D) + 0 P(C) - 1 P(B) - 2 P(A), in [-2, 1]: for open-ended conversations.

    >>> quality({"A": 0.1, "B": 0.2, "C": 0.3, "D": 0.4})
    0.0
    """
    return round(sum(worth * odds.get(grade, 0.0) for grade, worth in QUALITY.items()), 12)
