"""The route of a job: what runs its lines, and may be asked again after a stop."""

from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from pipelines.batching.ended import Ended
    from pipelines.batching.job import Job


class Route(Protocol):
    """Runs jobs."""

    goes_on: ClassVar[bool]
    """Whether a job goes on when this process stops."""

    async def run(self, job: "Job") -> "Ended":
        """Runs a new job, or goes on with one that an earlier process left (`job.facts`).

        What makes it possible to go on is in `job.note` before it can cost anything. Raises
        BackendError where the job was not run, or what became of it cannot be told, which all of
        its requests meet. One that `goes_on` and has facts stays in the journal then.
        """
        ...
