"""Bradley-Terry: how strong each player is, from how often it won against whom (1952).

    P(i beats j) = sigma(theta_i - theta_j)       theta in nats, 0 for the average player

A tie is half a win for each. theta is the maximum of the posterior: as if each had also tied once
with somebody of strength 0. So it is finite for who won or lost every game; of many games it is
the maximum of the likelihood, within 1 / games.
"""

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Matrix = npt.NDArray[np.float64]

PRECISION = 1e-9
"""Largest change of a strength, in nats, at which the iteration ends."""
MOST_STEPS = 100
LONGEST = 2.0
"""Largest change of a strength in one step, in nats: far out the posterior is all but flat."""


def strengths(wins: Matrix, start: Vector | None = None) -> Vector:
    """Theta of each player, in nats. `wins[..., i, j]`: the games that i won against j.

    By Newton's method from `start`, with steps of at most `LONGEST`, halved where they overshoot:
    the posterior is strictly concave, so there is one maximum, whatever the start. Of a stack of
    matrices each has a row of thetas.

    >>> strengths(np.array([[0, 3e6], [1e6, 0]])).round(4) + 0.0  # half of ln 3, and its opposite
    array([ 0.5493, -0.5493])
    """
    theta = np.zeros(wins.shape[:-1]) + (0.0 if start is None else start)
    height, moving = _log_posterior(theta, wins), np.ones(wins.shape[:-2], dtype=np.bool_)
    for _ in range(MOST_STEPS):
        step = _step(theta, wins)
        step = step / np.maximum(1.0, _longest(step) / LONGEST)[..., None]
        step[~moving] = 0
        while (too_far := _log_posterior(theta + step, wins) < height - _noise(height)).any():
            step[too_far] /= 2
        theta = theta + step
        height, moving = _log_posterior(theta, wins), moving & (_longest(step) >= PRECISION)
        if not moving.any():
            break
    return theta


def groups(wins: Matrix) -> npt.NDArray[np.int64]:
    """The group of each player: the first of those that are connected with it by games.

    Strengths of two groups cannot be compared: only the tie with the average says how they lie.

    >>> groups(np.array([[0, 1, 0], [0, 0, 0], [0, 0, 0]])).tolist()
    [0, 0, 2]
    """
    reached = (wins + wins.T > 0) | np.eye(len(wins), dtype=np.bool_)
    while (further := reached @ reached).sum() > reached.sum():
        reached = further
    return np.asarray(reached.argmax(axis=1), dtype=np.int64)


def _step(theta: Vector, wins: Matrix) -> Vector:
    """The gradient of the log-posterior, divided by its curvature."""
    expected, average = _sigma(_apart(theta)), _sigma(theta)
    games = wins + _turned(wins)
    slope = (wins - games * expected).sum(axis=-1) + 0.5 - average
    bend = games * expected * _turned(expected)
    own = bend.sum(axis=-1) + average * (1 - average)
    curvature = own[..., None] * np.eye(theta.shape[-1]) - bend
    return np.asarray(np.linalg.solve(curvature, slope[..., None])[..., 0])


def _log_posterior(theta: Vector, wins: Matrix) -> Vector:
    likelihood = -(wins * np.logaddexp(0, -_apart(theta))).sum(axis=(-2, -1))
    prior = -0.5 * (np.logaddexp(0, theta) + np.logaddexp(0, -theta)).sum(axis=-1)
    return np.asarray(likelihood + prior)


def _apart(theta: Vector) -> Matrix:
    return theta[..., :, None] - theta[..., None, :]


def _turned(wins: Matrix) -> Matrix:
    return wins.swapaxes(-1, -2)


def _longest(step: Vector) -> Vector:
    return np.asarray(np.abs(step).max(axis=-1, initial=0.0))


def _noise(height: Vector) -> Vector:
    """What a sum of such a size may be wrong by: no step is halved for that."""
    return np.asarray(1e-12 * (1 + np.abs(height)))


def _sigma(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray((1 + np.tanh(values / 2)) / 2)
