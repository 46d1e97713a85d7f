"""Symbolic equality of mathematics, by math-verify (`pip install "pairwright[math]"`).

A simplification can run for ever, and math-verify's own alarms reach main threads only and are
not heard inside huge powers. So comparisons run in child processes, and one that overstays
`LIMIT_S` is killed: its answer is unread, neither right nor wrong. This limit is the one place
where a slower machine can judge differently.
"""

import asyncio
import importlib.util
import json
import os
import re
import select
import subprocess
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import IO, Any, cast

from pipelines.errors import JudgmentError

LIMIT_S = 10.0
"""Seconds for one comparison. Most take milliseconds."""

START_LIMIT_S = 120.0
"""Seconds for the start of a child process, which imports sympy."""

_QUANTITY = re.compile(r"\s*[-+]?[0-9][0-9.,/]*\s?%?(?:\s+[A-Za-z]{2,}[A-Za-z ]*)?\s*")


@dataclass(frozen=True, slots=True)
class Compared:
    """Whether answer and reference are equal; `answer` is None where none was found."""

    answer: str | None
    equal: bool


def is_installed() -> bool:
    """Whether math-verify can be imported."""
    return importlib.util.find_spec("math_verify") is not None


async def compare(reference: str, text: str) -> Compared:
    """The answer in `text` against `reference`, an expression in LaTeX or a plain quantity.

    Raises JudgmentError if the reference is no expression, or the comparison cannot be decided in
    `LIMIT_S` seconds.
    """
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_threads(), _compare, reference, text)


def as_math(expression: str) -> str:
    r"""A lone expression as math-verify reads it: between dollars, unless it is a plain quantity.

    >>> as_math(r"\frac{1}{2}"), as_math("x+1"), as_math("18 dollars"), as_math("$2$")
    ('$\\frac{1}{2}$', '$x+1$', '18 dollars', '$2$')
    """
    marked = any(mark in expression for mark in ("$", r"\(", r"\[", r"\boxed"))
    return expression if marked or _QUANTITY.fullmatch(expression) else f"${expression}$"


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 2) // 2), "symbolic")


_of_thread = threading.local()


def _compare(reference: str, text: str) -> Compared:
    child = getattr(_of_thread, "child", None)
    if child is None or not child.runs():
        child = _of_thread.child = _Child()
    answer, equal, wrong = child.ask([reference, text])
    if wrong is not None:
        raise JudgmentError(wrong)
    return Compared(answer, equal)


class _Child:
    """A process that compares, one line of JSON in and one out. It ends with its parent."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this very module
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        weakref.finalize(self, _stop, self._process)
        self._line(START_LIMIT_S)

    def runs(self) -> bool:
        return self._process.poll() is None

    def ask(self, question: list[str]) -> tuple[str | None, bool, str | None]:
        stdin = cast("IO[bytes]", self._process.stdin)
        try:
            stdin.write(json.dumps(question).encode() + b"\n")
            stdin.flush()
        except BrokenPipeError as error:
            raise JudgmentError("math-verify ended unexpectedly") from error
        answer, equal, wrong = json.loads(self._line(LIMIT_S))
        return answer, equal, wrong

    def _line(self, limit_s: float) -> bytes:
        stdout = cast("IO[bytes]", self._process.stdout)
        ready, _, _ = select.select([stdout], [], [], limit_s)
        line = stdout.readline() if ready else b""
        if not line:
            _stop(self._process)
            raise JudgmentError(f"math-verify gave no result within {limit_s:g} s")
        return line


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def _serve() -> None:
    """Answers the questions on stdin until it closes."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer
    from math_verify import parse

    parse("$1$", parsing_timeout=0)  # the first call compiles patterns
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(_answered(*json.loads(line))), file=out, flush=True)


def _answered(reference: str, text: str) -> tuple[str | None, bool, str | None]:
    from math_verify import parse, verify

    def parsed(expression: str) -> list[Any]:
        return list(parse(expression, parsing_timeout=0))

    gold = parsed(as_math(reference))
    if not gold:
        return None, False, "the reference is not an expression"
    found = parsed(text)
    if not found:
        return None, False, None
    return str(found[-1]), bool(verify(gold, found, timeout_seconds=0)), None


if __name__ == "__main__":
    _serve()
