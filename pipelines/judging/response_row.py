"""The row that a judge leaves for a response."""

from typing import TYPE_CHECKING, Any, Protocol

from schemas.rows import Judgment, Response, judgment_id

if TYPE_CHECKING:
    from pipelines.unit import Unit


class Rater(Protocol):
    """A judge of responses."""

    @property
    def name(self) -> str:
        """What rows call it."""

    def judge_identity(self, unit: "Unit") -> str:
        """What decides its judgments."""


def response_row(
    judge: Rater,
    unit: "Unit",
    response: Response,
    index: int | None = None,
    *,
    order: str | None = None,
    dimension: str | None = None,
    **said: Any,
) -> Judgment:
    """The judgment of `response`, of sample `index`; `said` are its other columns."""
    identity = judge.judge_identity(unit)
    return Judgment(
        judgment_id=judgment_id(
            target=response.response_id,
            judge_identity=identity,
            judge=judge.name,
            order=order,
            annotator=None,
            index=index,
            dimension=dimension,
        ),
        prompt_id=response.prompt_id,
        judge=judge.name,
        judge_identity=identity,
        response_id=response.response_id,
        sample_index=index,
        order=order,
        dimension=dimension,
        **said,
    )
