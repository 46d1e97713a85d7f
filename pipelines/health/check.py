"""A check: one line of what `pairwright doctor` says, and what it can repair."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warning", "fault"]


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, and what was found."""

    status: Status
    subject: str
    """What was looked at, as in "catalogue"."""
    finding: str
    """What was found, on one line."""
    help: str = ""
    """The command, or the words, that help where it is not ok."""
    repair: Callable[[], str] | None = None
    """Puts it right, and returns what was done. Only what is derived or left over is touched."""


def ok(subject: str, finding: str, help_: str = "") -> Check:
    """A check with nothing to complain of."""
    return Check("ok", subject, finding, help_)


def warning(
    subject: str, finding: str, help_: str = "", repair: Callable[[], str] | None = None
) -> Check:
    """A check that found what a build can live with."""
    return Check("warning", subject, finding, help_, repair)


def fault(subject: str, finding: str, help_: str = "") -> Check:
    """A check that found what stops a build, or has cost bytes that were published."""
    return Check("fault", subject, finding, help_)


def counted(number: int, noun: str) -> str:
    """A count with its noun.

    >>> counted(1, "file"), counted(1200, "sample")
    ('1 file', '1,200 samples')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def mebibytes(size: int) -> str:
    """A size in bytes, for people.

    >>> mebibytes(3 * 2**19)
    '1.5 MiB'
    """
    return f"{size / 2**20:,.1f} MiB"
