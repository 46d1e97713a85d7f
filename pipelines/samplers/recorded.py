"""Recorded responses: answers that a source already holds, one row each."""

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pipelines.intake.columns import Columns
from pipelines.part import Where
from pipelines.sampler import Drawn, Sampler
from schemas.rows import Policy

if TYPE_CHECKING:
    from pipelines.unit import Unit


class Recorded(Sampler):
    """Takes the responses from a source, by key and never by position."""

    recorded: ClassVar[bool] = True

    source: str = ""
    """Name of the source. Default: the recipe's only source."""
    prompt: Columns = ()
    """Columns whose values are the `key` of a prompt. Default: the prompt in the same row, where
    [[prompts]] reads this source too."""
    text: str | None = None
    """Column with the answer. Without it `external_hash` is needed."""
    key: Columns = ()
    """Columns whose values are the response's own key: what recorded judgments join by."""
    model: str | None = None
    """Column with the name of the model that answered."""
    model_name: str | None = None
    """Name of the model that gave all of them, in place of `model`. Default: the sampler's name."""
    policy: Policy | None = None
    """"on" if all of them come from the policy to be trained, "off" if from other models."""
    policy_column: str | None = None
    """Column with "on" or "off", in place of `policy`."""
    reasoning: str | None = None
    """Column with the model's thinking."""
    finish_reason: str | None = None
    """Column with the reason why the answer ended ("stop", "length"...)."""
    refused: str | None = None
    """Column that says whether the answer is a refusal. Without it a text rule decides."""
    external_hash: str | None = None
    """Column with a hash of an answer whose text is not here: queried, never exported."""
    notes: str | None = None
    """Column with what else is known of the answer: a JSON object, as text or as a table. What the user
    said next is `feedback` in it, for the sampler `user_feedback`."""
    orphans: Literal["error", "drop"] = "error"
    """What becomes of a row whose prompt is not among the prompts."""

    def check(self, where: Where) -> None:
        """Raises RecipeError for fields that exclude or need each other."""
        if self.text is None and self.external_hash is None:
            raise where.error("the column with the answer is needed", "text")
        for column, literal in (("model", "model_name"), ("policy_column", "policy")):
            if getattr(self, column) is not None and getattr(self, literal) is not None:
                raise where.error(f"{column} is given too; take one of them", literal)

    def identity(self) -> dict[str, Any]:
        """As `Part.identity`; without `notes` as before there were any."""
        identity = super().identity()
        return (
            identity if self.notes else {key: identity[key] for key in identity if key != "notes"}
        )

    async def draw(self, unit: "Unit") -> Drawn:
        """The recorded responses to the unit's prompt, in the source's order."""
        return Drawn(unit.recorded_responses(self.name))
