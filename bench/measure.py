"""What a command costs: CPU, wall time and peak memory of a process of its own."""

import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass

ENVIRONMENT = {
    name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
}
"""Ours, but with compiled modules kept: a user does not compile all imports at every start."""


@dataclass(frozen=True)
class Cost:
    """What one process took, its children included where it waited for them."""

    cpu_s: float
    """User and system time, of all threads."""
    wall_s: float
    peak_mib: float
    """Most resident memory at any time."""


def measure(command: Sequence[str]) -> Cost:
    """Runs a command to its end. Raises SystemExit where it fails."""
    start = time.perf_counter()
    quiet = os.open(os.devnull, os.O_WRONLY)
    pid = os.posix_spawn(
        command[0], command, ENVIRONMENT, file_actions=[(os.POSIX_SPAWN_DUP2, quiet, 1)]
    )
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    os.close(quiet)
    if status:
        raise SystemExit(f"{' '.join(command)} failed: {os.waitstatus_to_exitcode(status)}")
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(*(statistics.median(figures) for figures in zip(*map(astuple, costs), strict=True)))
