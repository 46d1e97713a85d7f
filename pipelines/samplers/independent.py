"""Independent samples: every model answers by itself, n times."""

import re
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from pipelines.backend import Completion, Sampling
from pipelines.intake.columns import Names
from pipelines.judging.question import around_last, has_system, with_system
from pipelines.judging.refusal import is_refusal
from pipelines.part import Table, Where
from pipelines.sampler import Drawn, Sampler
from pipelines.samplers._answered import answered
from pipelines.unit import gather
from schemas.rows import Message, Prompt, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit


LEADING = ("system", "developer")


class Demonstration(Table):
    """A question and an answer to it, shown before the prompt."""

    question: str
    """What the user asks."""
    answer: str
    """What the assistant answers."""

    def turns(self) -> tuple[Message, Message]:
        """Both, as messages."""
        return Message("user", self.question), Message("assistant", self.answer)


class Independent(Sampler):
    """Asks one model, or the models of a pool, for n answers each."""

    adds: ClassVar[bool] = True

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
    before: str | None = None
    """Words before the last user message, with a blank line between: a prefix that asks for good
    answers, or for bad ones (PopAlign, arXiv 2410.13785)."""
    after: str | None = None
    """Words after the last user message, with a blank line between."""
    demonstrations: tuple[Demonstration, ...] = ()
    """Questions with their answers, as turns before the prompt's own: good ones, or bad ones."""
    answer_after: str | None = Field(default=None, min_length=1)
    """Words, at the start of a line, after which the answer stands; what is before the last such
    line is the model's thinking. For prompts whose `after` asks to think first. A reply without them
    is a response without text, `error` "no_answer_line"."""

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
        messages = around_last(prompt.messages, self.before, self.after)
        turns = [turn for shown in self.demonstrations for turn in shown.turns()]
        n_leading = next((n for n, one in enumerate(messages) if one.role not in LEADING), 0)
        if turns:
            messages = (*messages[:n_leading], *turns, *messages[n_leading:])
        return with_system(messages, self.system)

    def _response(self, unit: "Unit", model: str, index: int, completion: Completion) -> Response:
        added = self._added(unit.prompt)
        found: dict[str, Any] = {}
        if self.answer_after is not None and completion.error is None:
            found = _after_line(completion, self.answer_after)
        return answered(
            unit, self.name, model, self.sampling, index, completion, params=added, **found
        )

    def _added(self, prompt: Prompt) -> dict[str, Any]:
        """What was put around the prompt's own messages, and where the answer stands."""
        said = {
            "system": None if has_system(prompt.messages) else self.system,
            "before": self.before,
            "after": self.after,
            "demonstrations": [shown.identity() for shown in self.demonstrations] or None,
            "answer_after": self.answer_after,
        }
        return {key: value for key, value in said.items() if value is not None}


def _after_line(completion: Completion, opening: str) -> dict[str, Any]:
    """The answer after the last line that begins with `opening`, and the thinking before it."""
    reply = completion.text or ""
    marks = list(re.finditer(rf"^[ \t>#*_]*{re.escape(opening)}[*_]*[ \t]*", reply, re.MULTILINE))
    if not marks or not reply[marks[-1].end() :].strip():
        return {"text": None, "error": "no_answer_line", "reasoning": completion.text}
    text = reply[marks[-1].end() :].strip()
    thinking = reply[: marks[-1].start()].strip() or completion.reasoning
    return {"text": text, "reasoning": thinking, "refused": is_refusal(text), "sum_logprob": None}
