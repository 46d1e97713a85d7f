"""What the models are asked and what they reply: solve, judge, compare, revise.

Every task's reply begins with the problem worked anew, in the words of `solve`. What a judge is
shown stands between fences in a build (`pipelines/judging/fence.py`) and may stand there plainly.

    JUDGE                                          17+25=42
    <<<5c1f0a9be2d84a77                            42-8=34
    Tom has 17 pens, gets 25, loses 8. How many?   Answer: 34
    5c1f0a9be2d84a77>>>                      ──>   Given: 37 no
    <<<5c1f0a9be2d84a77                            Rating: 1
    17+25=42
    42-8=37
    Answer: 37
    5c1f0a9be2d84a77>>>
"""

import re
from typing import Literal

from tools.embedded_lm.problems import Problem, solution

Verdict = Literal["A", "B", "tie"]

BEST, WORST = 10, 1
"""The ratings of a right and of a wrong answer."""

_ANSWER = re.compile(r"Answer: (\d+)\Z")
_RATING = re.compile(r"Rating: (\d+)\Z")
_VERDICT = re.compile(r"Verdict: (A|B|tie)\Z")


def solve(problem: Problem) -> str:
    """The prompt of the policy: the problem itself."""
    return problem.text


def judge(problem: Problem, response: str, fence: str | None = None) -> str:
    """Asks for the rating of one response."""
    return "JUDGE\n" + _quoted((problem.text, response), fence)


def compare(problem: Problem, first: str, second: str, fence: str | None = None) -> str:
    """Asks which of two responses is right: A, B, or neither more than the other."""
    return "COMPARE\n" + _quoted((problem.text, first, second), fence)


def revise(problem: Problem, response: str, fence: str | None = None) -> str:
    """Asks for the response with its mistakes corrected."""
    return "REVISE\n" + _quoted((problem.text, response), fence)


def judge_reply(problem: Problem, given: int) -> str:
    """The judgment of a response whose answer is `given`."""
    rating = BEST if given == problem.answer else WORST
    return f"{solution(problem.steps)}\nGiven: {given}{_equal(problem, given)}\nRating: {rating}"


def compare_reply(problem: Problem, first: int, second: int) -> str:
    """The comparison of two responses whose answers are `first` and `second`."""
    return (
        f"{solution(problem.steps)}\nA: {first}{_equal(problem, first)}"
        f"\nB: {second}{_equal(problem, second)}\nVerdict: {verdict(problem, first, second)}"
    )


def verdict(problem: Problem, first: int, second: int) -> Verdict:
    """The better of two answers; a tie where both are right or both wrong."""
    if (first == problem.answer) == (second == problem.answer):
        return "tie"
    return "A" if first == problem.answer else "B"


def read_answer(text: str) -> int | None:
    r"""The number of the last line, if that is an answer.

    >>> read_answer("17+25=42\nAnswer: 42"), read_answer("17+25=42")
    (42, None)
    """
    return _number(_ANSWER, text)


def read_rating(text: str) -> int | None:
    r"""The number of the last line, if that is a rating.

    >>> read_rating("Given: 37 no\nRating: 1"), read_rating("Rating:")
    (1, None)
    """
    return _number(_RATING, text)


def read_verdict(text: str) -> str | None:
    r"""The verdict of the last line, if there is one.

    >>> read_verdict("B: 37 no\nVerdict: A"), read_verdict("Verdict: C")
    ('A', None)
    """
    found = _VERDICT.search(text)
    return found and found[1]


def _number(pattern: re.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    return int(found[1]) if found else None


def _equal(problem: Problem, given: int) -> str:
    return " yes" if given == problem.answer else " no"


def _quoted(texts: tuple[str, ...], fence: str | None) -> str:
    if fence is None:
        return "\n".join(texts)
    return "\n".join(f"<<<{fence}\n{text}\n{fence}>>>" for text in texts)
