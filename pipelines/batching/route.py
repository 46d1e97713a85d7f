"""The route of a job: what runs its lines, and may be asked again after a stop."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, ClassVar, Protocol

from pipelines.errors import BackendError

if TYPE_CHECKING:
    from pipelines.batching.job import Job


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a job."""

    lines: BinaryIO | None = None
    """Its result lines, in any order; what it is given is closed by whoever takes it."""
    rest: Callable[[], BackendError] | None = None
    """What the requests without a result meet; None: they are asked anew, in another job."""
    too_large: bool = False
    """The job was not begun, because it is too much at once: smaller ones may go."""


class Route(Protocol):
    """Runs jobs."""

    goes_on: ClassVar[bool]
    """Whether a job goes on when this process stops."""

    async def run(self, job: "Job") -> Ended:
        """Runs a new job, or goes on with one that an earlier process left (`job.facts`).

        What makes it possible to go on is in `job.note` before it can cost anything. Raises
        BackendError where the job was not run, or what became of it cannot be told, which all of
        its requests meet. One that `goes_on` and has facts stays in the journal then.
        """
        ...
