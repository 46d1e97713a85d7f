"""Wrong solutions: what the teacher learns to judge and to revise.

A slip in one step is carried on, as by someone who works on from a wrong number. A stray solution
belongs to other numbers from its first line: whoever copies it instead of reckoning is wrong
everywhere, so that training with it teaches to reckon.
"""

import random
from collections.abc import Callable

from tools.embedded_lm.problems import Problem, Step, draw_problem, reckon

Slip = Callable[[random.Random, Step], Step]


def wrong_solution(chance: random.Random, problem: Problem) -> tuple[Step, ...]:
    """Steps whose answer is not the problem's: with a slip, or stray."""
    while True:
        steps = stray(chance, problem) if chance.random() < 0.3 else slipped(chance, problem)
        if steps[-1].result != problem.answer:
            return steps


def stray(chance: random.Random, problem: Problem) -> tuple[Step, ...]:
    """The solution of another problem with as many steps."""
    return draw_problem(chance, len(problem.steps)).steps


def slipped(chance: random.Random, problem: Problem) -> tuple[Step, ...]:
    """The problem's solution with one slip in a drawn step, carried on."""
    where = chance.randrange(len(problem.steps))
    slip = chance.choices((_wrong_result, _wrong_sign, _wrong_number), (8, 1, 1))[0]
    steps: list[Step] = []
    for number, given in enumerate(problem.steps):
        left = steps[-1].result if steps else given.left
        step = _step(left, given.sign, given.right)
        steps.append(slip(chance, step) if number == where else step)
    return tuple(steps)


def _step(left: int, sign: str, right: int) -> Step:
    return Step(left, sign, right, abs(reckon(left, sign, right)))


def _wrong_result(chance: random.Random, step: Step) -> Step:
    off = chance.choice((-1, 1, -2, 2, -9, 9, -10, 10, -10, 10, -20, 20, chance.randint(-40, 40)))
    return Step(step.left, step.sign, step.right, abs(step.result + off))


def _wrong_sign(_: random.Random, step: Step) -> Step:
    return _step(step.left, "-" if step.sign == "+" else "+", step.right)


def _wrong_number(chance: random.Random, step: Step) -> Step:
    return _step(step.left, step.sign, abs(step.right + chance.choice((-10, -1, 1, 10))))
