"""Outcomes: whether a finished answer is right, and what it earns beside its evaluation.

MCTS-DPO, arXiv 2405.00451. What it earns is a part of its value; whoever asks whether it is right
looks at the outcome, since a right answer may earn nothing.
"""

RIGHT, WRONG = 1.0, -1.0


def outcome(right: bool) -> float:
    """What is kept of a finished answer: above 0 where it is right.

    >>> outcome(True), outcome(False)
    (1.0, -1.0)
    """
    return RIGHT if right else WRONG


def reward(
    right: bool, *, own_way: float = 1.0, early: bool = False, parent_depth: int = 1
) -> float:
    """+1 for a right answer, times `own_way`; -1 for a wrong one.

    `early`: with multiple-choice questions, a right answer earns nothing as the first step, and
    half as the second.

    >>> reward(True, own_way=1.25), reward(False, own_way=1.25)
    (1.25, -1.0)
    >>> [reward(True, early=True, parent_depth=depth) for depth in (0, 1, 2)]
    [0.0, 0.5, 1.0]
    """
    if not right:
        return WRONG
    return own_way * (min(parent_depth, 2) / 2 if early else 1.0)


def is_own_way(text: str, gold: str | None) -> bool:
    """Whether an answer is not, word for word, the beginning of the gold solution.

    >>> is_own_way("Add 3.", "Add 3. So 5."), is_own_way("Take 3.", "Add 3."), is_own_way("5", None)
    (False, True, True)
    """
    return gold is None or not gold.startswith(text.rstrip())
