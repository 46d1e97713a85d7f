"""Problems: a short sentence that adds and subtracts numbers from 0 to 99, and its steps.

Such as "Tom has 17 pens, gets 25, loses 8. How many?".
"""

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass

NAMES = ("Abe", "Ann", "Bob", "Cleo", "Dan", "Eva", "Finn", "Gia", "Hal", "Ivy", "Joe", "Kim",
         "Lou", "Max", "Nia", "Tom")  # fmt: skip
THINGS = ("beads", "books", "cards", "coins", "nuts", "pens", "shells", "stamps")
GAINS = ("buys", "finds", "gets", "wins")
LOSSES = ("gives", "loses", "sells", "uses")

LARGEST = 99
LENGTHS = (2, 3, 3, 4, 4, 5)
"""Numbers of steps, as often as they stand here."""
HELD_OUT_SHARE = 8
"""One problem in so many is held out: never trained on, by the hash of its arithmetic."""


@dataclass(frozen=True, slots=True)
class Step:
    """`left` `sign` `right` = `result`; in a wrong solution the result can be another."""

    left: int
    sign: str
    right: int
    result: int

    def __str__(self) -> str:
        return f"{self.left}{self.sign}{self.right}={self.result}"


@dataclass(frozen=True, slots=True)
class Problem:
    """A sentence, and the steps that solve it."""

    text: str
    steps: tuple[Step, ...]

    @property
    def answer(self) -> int:
        """The result of the last step."""
        return self.steps[-1].result

    @property
    def arithmetic(self) -> str:
        """The start and the changes without the words: "17+25-8"."""
        changes = "".join(f"{step.sign}{step.right}" for step in self.steps)
        return f"{self.steps[0].left}{changes}"

    @property
    def is_held_out(self) -> bool:
        """Whether the problem is kept for evaluation. The words do not decide it."""
        digest = hashlib.sha256(self.arithmetic.encode()).digest()
        return digest[0] % HELD_OUT_SHARE == 0


def reckon(left: int, sign: str, right: int) -> int:
    """The sum or the difference.

    >>> reckon(17, "+", 25), reckon(42, "-", 8)
    (42, 34)
    """
    return left + right if sign == "+" else left - right


def solution(steps: tuple[Step, ...]) -> str:
    r"""A worked solution: one step to a line, then the answer.

    >>> solution((Step(17, "+", 25, 42), Step(42, "-", 8, 34)))
    '17+25=42\n42-8=34\nAnswer: 34'
    """
    return "\n".join([*map(str, steps), f"Answer: {steps[-1].result}"])


def draw_problem(chance: random.Random, length: int | None = None) -> Problem:
    """A problem of `length` steps (drawn if None), from either set. All results are 0 to 99."""
    steps = tuple(_draw_steps(chance, length or chance.choice(LENGTHS)))
    verbs = (chance.choice(GAINS if step.sign == "+" else LOSSES) for step in steps)
    changes = ", ".join(f"{verb} {step.right}" for verb, step in zip(verbs, steps, strict=True))
    who, what = chance.choice(NAMES), chance.choice(THINGS)
    return Problem(f"{who} has {steps[0].left} {what}, {changes}. How many?", steps)


def draw_train(chance: random.Random, length: int | None = None) -> Problem:
    """A problem that is not held out."""
    return next(each for each in _endless(chance, length) if not each.is_held_out)


def draw_held_out(chance: random.Random, length: int | None = None) -> Problem:
    """A problem that no training has seen."""
    return next(each for each in _endless(chance, length) if each.is_held_out)


def _endless(chance: random.Random, length: int | None) -> Iterator[Problem]:
    while True:
        yield draw_problem(chance, length)


def _draw_steps(chance: random.Random, length: int) -> Iterator[Step]:
    value = chance.randint(3, LARGEST - 3)
    for _ in range(length):
        sign = chance.choice("+-")
        if value > LARGEST - 2:
            sign = "-"
        elif value < 2:
            sign = "+"
        right = chance.randint(2, LARGEST - value if sign == "+" else value)
        step = Step(value, sign, right, reckon(value, sign, right))
        value = step.result
        yield step
