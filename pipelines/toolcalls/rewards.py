"""Rewards of a step towards a tool call (iTool, arXiv 2501.09766), and the prior of a step.

r       = +-0.1 for ending a call, or not, as the gold answer does, + (overlap - 0.5)
judged  = (1 P(excellent) + 0.1 P(acceptable) - 1 P(fair) - 2 P(poor)) / 4
"""

import math
from collections.abc import Mapping, Sequence

from pipelines.backend import TokenLogprob

GRADES = {
    "A": ("excellent", 1.0),
    "B": ("acceptable", 0.1),
    "C": ("fair", -1.0),
    "D": ("poor", -2.0),
}
"""Answer -> what it means, and its weight."""

UNMATCHED_PRIOR = 0.1
"""p of a step whose tokens are not known."""

ENDING = 0.1


def overlap(some: str, other: str) -> float:
    """|A n B| / min(|A|, |B|) over the distinct words between white space; 0 for an empty text.

    >>> overlap("a b c d", "c d e"), overlap("", "a")
    (0.6666666666666666, 0.0)
    """
    words, others = set(some.split()), set(other.split())
    if not words or not others:
        return 0.0
    return len(words & others) / min(len(words), len(others))


def immediate_reward(text: str, gold: str, terminator: str) -> float:
    """The reward r of an answer so far, `text`, against the gold answer.

    >>> gold = '[weather(city="Oslo", days=2)]'
    >>> [round(immediate_reward(text, gold, ")]"), 9) for text in (gold, "[weather(", "")]
    [0.6, -0.6, -0.6]
    """
    as_gold = (terminator in text) == (terminator in gold)
    return (ENDING if as_gold else -ENDING) + overlap(text, gold) - 0.5


def judged_reward(odds: Mapping[str, float]) -> float:
    """What the policy's own grades of a rollout are worth, in [-0.5, 0.25].

    >>> judged_reward({"A": 1, "B": 0, "C": 0, "D": 0}), judged_reward({"D": 1})
    (0.25, -0.5)
    """
    return math.fsum(weight * odds.get(grade, 0.0) for grade, (_, weight) in GRADES.items()) / 4


def step_prior(step: str, tokens: Sequence[TokenLogprob] | None) -> float:
    """The prior p = exp(mean log-probability of the step's tokens); 0.1 where they do not spell it.

    The token in which the step ends counts whole.

    >>> tokens = [TokenLogprob("ab", -0.1), TokenLogprob("cd", -0.3), TokenLogprob("e", -9.0)]
    >>> round(step_prior("abc", tokens), 6), step_prior("x", tokens), step_prior("a", None)
    (0.818731, 0.1, 0.1)
    """
    spelt, logprobs = "", []
    for token in tokens or ():
        if len(spelt) >= len(step):
            break
        spelt += token.token
        logprobs.append(token.logprob)
    if not logprobs or not spelt.startswith(step):
        return UNMATCHED_PRIOR
    return min(1.0, math.exp(math.fsum(logprobs) / len(logprobs)))
