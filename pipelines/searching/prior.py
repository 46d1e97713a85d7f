"""Priors: how likely the policy is to take a step."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from math import exp, fsum


def length_normalised(logprobs: Sequence[float], penalty: float = 1.25) -> float:
    """The prior exp(sum_t logp_t / L^penalty), L the number of tokens (MCTS-DPO, 2405.00451).

    Raises ValueError without any token.

    >>> round(length_normalised([-0.1, -0.2, -0.3, -0.4]), 6)
    0.837967
    """
    if not logprobs:
        raise ValueError("a step of no tokens has no prior")
    return exp(fsum(logprobs) / len(logprobs) ** penalty)


def tokens_within(tokens: Sequence[str], length: int) -> int:
    """How many of a text's tokens begin within its first `length` characters.

    >>> tokens_within(["Add", " 3", ".", " So"], 6)
    3
    """
    begins = list(accumulate(map(len, tokens), initial=0))
    return min(bisect_left(begins, length), len(tokens))
