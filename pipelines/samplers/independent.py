"""Independent samples: every model answers by itself, n times."""

from typing import TYPE_CHECKING

from pydantic import Field

from pipelines.answered import answered
from pipelines.backend import Completion, Sampling
from pipelines.intake.columns import Names
from pipelines.part import Where
from pipelines.sampler import Drawn, Sampler
from pipelines.unit import gather
from schemas.rows import Message, Prompt, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit


class Independent(Sampler):
    """Asks one model, or the models of a pool, for n answers each."""

    model: Names = Field(min_length=1)
    """Name of the model, or names of a pool of models."""
    models_per_prompt: int | None = Field(default=None, ge=1)
    """How many models of the pool answer a prompt: a seeded draw for each prompt, as UltraFeedback
    draws 4 of 17. Default: all of them."""
    n: int = Field(default=1, ge=1)
    """Answers of each model."""
    sampling: Sampling = Sampling()
    """How the answers are drawn. What is not given is as in the model's own table."""
    system: str | None = None
    """A system message for prompts that have none."""

    def models(self) -> tuple[str, ...]:
        """The pool."""
        return self.model

    def check(self, where: Where) -> None:
        """Raises RecipeError for a pool with a name twice, or smaller than what is drawn of it."""
        if len(set(self.model)) < len(self.model):
            raise where.error("a name stands there twice; raise n for more answers", "model")
        if self.models_per_prompt is not None and self.models_per_prompt > len(self.model):
            raise where.error(
                f"{self.models_per_prompt} are to be drawn of {len(self.model)}",
                "models_per_prompt",
            )

    async def draw(self, unit: "Unit") -> Drawn:
        """`n` responses of each model: models in the pool's order, samples by their index."""
        answers = await gather(self._answers(unit, model) for model in self._drawn(unit))
        return Drawn([response for of_model in answers for response in of_model])

    def _drawn(self, unit: "Unit") -> list[str]:
        """The models that answer this prompt; a model that joins the pool moves few draws."""
        order = sorted(self.model, key=lambda model: unit.draw(self.name, "model", model))
        drawn = set(order[: self.models_per_prompt])
        return [model for model in self.model if model in drawn]

    async def _answers(self, unit: "Unit", model: str) -> list[Response]:
        prompt = unit.prompt
        completions = await unit.sample(
            model, self._messages(prompt), sampling=self.sampling, tools=prompt.tools, n=self.n
        )
        return [
            self._response(unit, model, index, completion)
            for index, completion in enumerate(completions)
        ]

    def _messages(self, prompt: Prompt) -> tuple[Message, ...]:
        has_system = any(message.role in ("system", "developer") for message in prompt.messages)
        if self.system is None or has_system:
            return prompt.messages
        return (Message("system", self.system), *prompt.messages)

    def _response(self, unit: "Unit", model: str, index: int, completion: Completion) -> Response:
        prompt = unit.prompt
        is_ours = self._messages(prompt) is not prompt.messages
        params = {"system": self.system} if is_ours else {}
        return answered(unit, self.name, model, self.sampling, index, completion, params=params)
