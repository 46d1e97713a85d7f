"""What the log of an engine that failed says was wrong."""

import os
import re
from pathlib import Path

READ = 2**20
"""Bytes of a log that are looked at, from its end."""
SHOWN = 12
"""Lines of a log that an error quotes."""
PREFIX = re.compile(r"^\((?:\w+ )?pid=\d+\) |^(?:INFO|WARNING|ERROR) \S+ \S+ \[[^\]]*\] ?")
CAUSE = re.compile(r"^(?:[\w.]*(?:Error|Exception)|[\w./-]+: error): \S")
NOISE = re.compile(r"nanobind|leaked|skipped remainder|resource_tracker|warnings\.warn")
"""What vLLM's libraries print after every end, good or bad."""


def read_end(log: Path) -> str:
    """The last `READ` bytes of a log; empty where it is not there."""
    try:
        with log.open("rb") as lines:
            lines.seek(max(0, os.fstat(lines.fileno()).st_size - READ))
            return lines.read().decode("utf-8", "replace")
    except OSError:
        return ""


def in_words(log: Path) -> str:
    """What the log says went wrong, its last lines, and where it is."""
    text = read_end(log)
    lines = [line for line in text.splitlines() if line.strip() and not NOISE.search(line)]
    reason = cause(text) or "it does not say why"
    end = "\n".join(f"    {line[:200]}" for line in lines[-SHOWN:])
    return f"{reason}\n  the last lines of {log}:\n{end}"


def cause(text: str) -> str:
    r"""The first error that a log names, which later ones stem from; empty where it names none.

    >>> cause("(Worker pid=7) ERROR 11-21 11:11:01 [exec.py:10] RuntimeError: no such head\n"
    ...       "EngineDeadError: see above")
    'RuntimeError: no such head'
    >>> cause("ValidationError: 1 validation error for ModelConfig\n  Value error, too long [x]\nb")
    'ValidationError: 1 validation error for ModelConfig: Value error, too long [x]'
    """
    found: list[str] = []
    for line in map(_bare, text.splitlines()):
        if found and not line.startswith("  "):
            break
        if found or CAUSE.match(line):
            found.append(line.strip())
    return ": ".join(found[:3])


def _bare(line: str) -> str:
    """`line` without what vLLM's logger puts before it."""
    before = None
    while before != line:
        before, line = line, PREFIX.sub("", line, count=1)
    return line
