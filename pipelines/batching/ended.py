"""Ended: what became of a job."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from pipelines.errors import BackendError


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a job."""

    lines: BinaryIO | None = None
    """Its result lines, in any order; what it is given is closed by whoever takes it."""
    rest: Callable[[], BackendError] | None = None
    """What the requests without a result meet; None: they are asked anew, in another job."""
    too_large: bool = False
    """The job was not begun, because it is too much at once: smaller ones may go."""
