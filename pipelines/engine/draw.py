"""From logits to log-probabilities, and to one token of each row."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipelines.engine.rows import Array


def log_softmax(logits: Array) -> Array:
    """Log-probabilities (rows, vocabulary), in nats, in the place of `logits`."""
    logits -= logits.max(-1, keepdims=True)
    logits -= np.log(np.exp(logits).sum(-1, keepdims=True))
    return logits


def draw(
    logprobs: Array,
    temperatures: Sequence[float],
    numbers: Sequence[float],
    nuclei: Mapping[int, tuple[int, float]],
) -> NDArray[np.int64]:
    """A token of each row, by inversion: the first at which the summed probability is beyond u.

    `numbers` are uniform in [0, 1). Temperature 0 takes the likeliest token, the first of equals.
    `nuclei` has (top_k, top_p) of the rows that are drawn from their likeliest tokens only.
    """
    heat = np.array([temperature or 1.0 for temperature in temperatures])[:, None]
    shares = np.exp((logprobs - logprobs.max(-1, keepdims=True)) / heat)
    for row, (top_k, top_p) in nuclei.items():
        shares[row] *= nucleus(shares[row], top_k, top_p)
    summed = shares.cumsum(-1)
    drawn = (summed <= np.array(numbers)[:, None] * summed[:, -1:]).sum(-1)
    chosen: NDArray[np.int64] = np.where(np.array(temperatures) == 0, logprobs.argmax(-1), drawn)
    return chosen


def nucleus(shares: NDArray[np.float64], top_k: int, top_p: float) -> NDArray[np.bool_]:
    """Which tokens remain: the `top_k` likeliest (0: all), then the fewest that hold `top_p`.

    Of equally likely tokens the first goes before; the likeliest always remains. Nucleus
    sampling: Holtzman et al. 2020 (arXiv 1904.09751).
    """
    order = np.argsort(-shares, kind="stable")[: top_k or None]
    summed = shares[order].cumsum()
    before = summed - shares[order]
    remain = np.zeros(len(shares), bool)
    remain[order[before < top_p * summed[-1]]] = True
    return remain


def likeliest(logprobs: Array, count: int) -> tuple[tuple[int, float], ...]:
    """The `count` likeliest tokens of one row with their log-probabilities, likeliest first."""
    count = min(count, len(logprobs))
    if not count:
        return ()
    least = np.partition(logprobs, -count)[-count]
    at_least = np.flatnonzero(logprobs >= least)
    order = at_least[np.argsort(-logprobs[at_least], kind="stable")][:count]
    return tuple((int(token), float(logprobs[token])) for token in order)
