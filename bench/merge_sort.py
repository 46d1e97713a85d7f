"""How well a noisy comparator ranks, with and without a beam: `python bench/merge_sort.py`.

A simulated judge finds i better than j with P = sigma(step x (j - i) + error), where the error of
each pair is normal and the same whenever it is asked. Of 300 prompts with 8 responses: the mean number
of pairs that the ranking has the wrong way round (of 28), and of comparisons.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable
from itertools import combinations
from statistics import NormalDist

from pipelines.judging.merge_sort import MergeSort
from schemas.canonical import draw_unit

PROMPTS, COUNT = 300, 8
JUDGES = ((0.3, 0.3), (0.3, 0.8), (1.0, 1.5))
BEAMS = (1, 4, 16)


def comparator(
    prompt: int, step: float, error: float
) -> Callable[[int, int], Awaitable[float | None]]:
    """The judge of one prompt."""

    async def ask(one: int, other: int) -> float:
        first, second = sorted((one, other))
        drawn = NormalDist(0, error).inv_cdf(draw_unit("error", prompt, first, second) or 0.5)
        p = 1 / (1 + math.exp(-step * (second - first) - drawn))
        return p if one == first else 1 - p

    return ask


def measure(step: float, error: float, beam_size: int) -> tuple[float, float]:
    """Pairs the wrong way round, and comparisons, for one prompt."""
    wrong = compared = 0
    for prompt in range(PROMPTS):
        drawn = sorted(range(COUNT), key=lambda item: draw_unit("order", prompt, item))
        sort = MergeSort(
            comparator(prompt, step, error), lambda one, other: one < other, beam_size, 0.1
        )
        order = asyncio.run(sort.sort(drawn))
        wrong += sum(one > other for one, other in combinations(order, 2))
        compared += len(sort.known)
    return wrong / PROMPTS, compared / PROMPTS


def main() -> None:
    """Prints a line for each judge and beam."""
    print("step  error  beam  wrong  comparisons")
    for step, error in JUDGES:
        for beam_size in BEAMS:
            wrong, compared = measure(step, error, beam_size)
            print(f"{step:4}  {error:5}  {beam_size:4}  {wrong:5.2f}  {compared:11.1f}")


if __name__ == "__main__":
    main()
