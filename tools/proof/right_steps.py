"""Which steps are truly right: by arithmetic, which no search, teacher or verifier is asked about.

A step is right when it takes the next number of the question and reckons on from what stands before
it; the last one repeats the result. Whether what stands before it is right is another question.
"""

import re

from tools.embedded_lm.problems import LOSSES, Step, reckon

_NUMBER = re.compile(r"(\w+) (\d+)")
_RESULT = re.compile(r"=(-?\d+)\s*\Z")


def right_step(question: str, prefix: str, step: str) -> bool:
    r"""Whether `step` goes on rightly from the last result of `prefix`, right or wrong.

    >>> question = "Tom has 17 pens, gets 25, loses 8. How many?"
    >>> right_step(question, "", "17+25=42"), right_step(question, "", "17+25=32")
    (True, False)
    >>> right_step(question, "17+25=32\n", "32-8=24"), right_step(question, "17+25=42\n", "32-8=24")
    (True, False)
    >>> right_step(question, "17+25=42\n42-8=34\n", "Answer: 34")
    True
    """
    (_, start), *changes = _NUMBER.findall(question)
    done = prefix.splitlines()
    left = _result(done[-1]) if done else int(start)
    if left is None or len(done) > len(changes):
        return False
    if len(done) == len(changes):
        return step.strip() == f"Answer: {left}"
    verb, number = changes[len(done)]
    sign, right = "-" if verb in LOSSES else "+", int(number)
    return step.strip() == str(Step(left, sign, right, reckon(left, sign, right)))


def right_throughout(question: str, answer: str) -> bool:
    r"""Whether every line of an answer, finished or not, is right.

    >>> question = "Tom has 17 pens, gets 25, loses 8. How many?"
    >>> right_throughout(question, "17+25=42\n42-8=34\nAnswer: 34"), right_throughout(question, "")
    (True, True)
    >>> right_throughout(question, "17+25=32\n32-8=34\nAnswer: 34")
    False
    """
    lines = answer.splitlines()
    before = ("".join(f"{line}\n" for line in lines[:place]) for place in range(len(lines)))
    return all(map(right_step, [question] * len(lines), before, lines))


def _result(line: str) -> int | None:
    """What a line comes to; None where it is no sum."""
    found = _RESULT.search(line)
    return int(found[1]) if found else None
