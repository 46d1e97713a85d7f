"""The row that a judge of several responses leaves for each of them."""

from collections.abc import Mapping, Sequence
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
    judge: Rater, unit: "Unit", response: Response, index: int | None = None, **said: Any
) -> Judgment:
    """The judgment of `response`; `said` are the columns beside its ids."""
    identity = judge.judge_identity(unit)
    return Judgment(
        judgment_id=judgment_id(
            target=response.response_id,
            judge_identity=identity,
            judge=judge.name,
            order=None,
            annotator=None,
            index=index,
        ),
        prompt_id=response.prompt_id,
        judge=judge.name,
        judge_identity=identity,
        response_id=response.response_id,
        sample_index=index,
        **said,
    )


def shared_by_text(
    found: Mapping[Response, Any], responses: Sequence[Response]
) -> list[tuple[Response, Any]]:
    """Each response whose text was judged, with what was found of the one that stood for it.

    `found` holds one response of each text: None where nothing is known of it.
    """
    by_text = {response.text: value for response, value in found.items()}
    return [(one, by_text[one.text]) for one in responses if one.text in by_text]
