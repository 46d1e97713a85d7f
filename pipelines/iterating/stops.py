"""When an iteration ends: rules that are checked after each build, and said in words.

pairs       fewer than were asked for: there is nothing to train on
patience    the held-out score has not risen by more than its interval, so many times in a row
unchanged   the training returned the weights that it was given
rounds      as many are done as were asked for
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.iterating.figures import Mean


@dataclass(frozen=True, slots=True)
class Rules:
    """What ends an iteration early."""

    rounds: int
    min_pairs: int = 1
    patience: int | None = None
    """Rounds in a row without a rise; None: the score ends nothing."""


def too_few(rules: Rules, number: int, pairs: int) -> str | None:
    """Why a round is not trained on; None where it is. Held-out pairs do not count.

    >>> too_few(Rules(3, min_pairs=10), 2, 7)
    'round 2 has 7 pairs to train on, fewer than 10'
    """
    if pairs >= rules.min_pairs:
        return None
    return f"round {number} has {pairs} pairs to train on, fewer than {rules.min_pairs}"


def has_risen(rise: Mean | None) -> bool:
    """Whether a rise is more than chance: its whole interval lies above 0."""
    return rise is not None and rise.interval is not None and rise.interval.low > 0


def out_of_patience(rules: Rules, risen: Sequence[bool]) -> str | None:
    """Why no further round is wanted, from whether each round from the second on has risen.

    >>> out_of_patience(Rules(9, patience=2), [True, False, True, False])
    >>> out_of_patience(Rules(9, patience=2), [True, False, False])
    'the held-out score has not risen by more than its interval for 2 rounds'
    """
    wanted = rules.patience
    if wanted is None or len(risen) < wanted or any(risen[-wanted:]):
        return None
    rounds = "a round" if wanted == 1 else f"{wanted} rounds"
    return f"the held-out score has not risen by more than its interval for {rounds}"
