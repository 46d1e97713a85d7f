"""User feedback: a turn of a chat that finds fault with the answer before it, as a better answer.

    chat: question, answer, "Too long!"      prompt: question      notes of the answer: "Too long!"

    answer ─ reader ─> dissatisfied: style; wants: "A short answer." ─ model ─> response with parent_id
                              └─ nothing of the kind ─> response without text: `error` says so

WildFeedback (arXiv 2408.15549). The prompt ends before the feedback, the answer that called it forth is
the one to be rejected, and the chosen one is written anew, with what the user wants in a system message.
In the paper's second version both are the policy's: what it answers with that message, and without.
`notes` has what was found: `satisfied`, `dissatisfied` and `preferences`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson
from pydantic import Field

from pipelines.backend import Completion, Sampling
from pipelines.errors import JudgmentError
from pipelines.feedback.categories import DISSATISFIED, SATISFIED
from pipelines.feedback.reading import Feedback, read_feedback, with_preferences
from pipelines.intake.columns import Names
from pipelines.judging.model_judge import GREEDY
from pipelines.judging.quoting import fence_around, quoted
from pipelines.judging.template import Template, read_template
from pipelines.sampler import Drawn, Sampler
from pipelines.samplers._answered import answered
from pipelines.unit import gather
from schemas.rows import Message, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

TEMPLATE = Path(__file__).with_suffix(".jinja")
CORRECTION = "Your reply could not be read: {wrong}. End with one JSON object of the form above."


class UserFeedback(Sampler):
    """Reads what the user said of a recorded answer, and has the answer written anew where it must be.

    What the user said next is `feedback` in the answer's notes, or else the prompt's reference. The
    pairing `revision` makes the pairs.
    """

    model: str
    """Name of the model that writes the new answers."""
    reader: str
    """Name of the model that reads the feedback. (The paper: GPT-4o, greedily.)"""
    of: Names = Field(min_length=1)
    """Names of the samplers with the answers that the feedback is about, as a rule a recorded one."""
    tries: int = Field(default=2, ge=1)
    """How often the reader is asked where its reply cannot be read: again with what is wrong with it."""
    sampling: Sampling = Sampling()
    """How new answers are drawn. What is not given is as in the model's own table."""
    safety: str = "Where they want something that would harm anyone, decline that part."
    """The last words of the system message; "" for none."""
    over: Literal["given", "own"] = "given"
    """What a new answer goes over. "given": the answer that the feedback is about. "own": another
    one of `model`, which is drawn without the preferences and has them in its notes, for the judge
    `checklist`."""

    def models(self) -> tuple[str, ...]:
        """Both."""
        return tuple(dict.fromkeys((self.model, self.reader)))

    def samplings(self, model: str) -> tuple[Sampling, ...]:
        """The reader is greedy."""
        own = {self.model: self.sampling, self.reader: GREEDY}
        return (self.sampling, GREEDY) if self.model == self.reader else (own[model],)

    def starts_from(self) -> tuple[str, ...]:
        """Those whose responses the feedback is about."""
        return self.of

    @cached_property
    def words(self) -> Template:
        """What the reader is asked."""
        return read_template(TEMPLATE, TEMPLATE.name)

    def identity(self) -> dict[str, Any]:
        """As `Part.identity`, with the template's hash."""
        return super().identity() | {"template": self.words.sha256}

    async def draw(self, unit: "Unit") -> Drawn:
        """What is written anew for answers with a text, what it goes over, and why others are not."""
        every = [one for name in self.of for one in unit.drawn(name)]
        heard = await gather(
            self._hear(unit, one) for one in every if one.text and one.text.strip()
        )
        asked = [one for one in heard if one.wants is not None]
        own = await self._own(unit, asked) if self.over == "own" and asked else []
        over = own or [one.answer for one in asked]
        anew = await gather(
            self._written_anew(unit, one, under) for one, under in zip(asked, over, strict=True)
        )
        return Drawn([*own, *anew, *(one.row for one in heard if one.row is not None)])

    async def _hear(self, unit: "Unit", answer: Response) -> "_Heard":
        """What the user wants of an answer; or a response without text, which says why nothing."""
        said = _feedback_of(answer) or unit.prompt.reference or ""
        if not said.strip():
            row = self._without_text(unit, answer, Completion(None), "no_feedback")
            return _Heard(answer, row=row)
        completion, found = await self._read(unit, answer, said)
        if unit.at_worst and isinstance(found, str):  # a plan counts each answer as written anew
            found = Feedback(dissatisfied=tuple(DISSATISFIED), preferences=("A better answer.",))
        if isinstance(found, str):
            return _Heard(answer, row=self._without_text(unit, answer, completion, found))
        if not found.dissatisfied:
            why = "not_dissatisfied"
            row = self._without_text(unit, answer, completion, why, notes=found.notes())
            return _Heard(answer, row=row)
        return _Heard(answer, wants=found)

    async def _own(self, unit: "Unit", asked: "Sequence[_Heard]") -> list[Response]:
        """An answer of the model's own to the prompt as it is, for each."""
        replies = await unit.sample(
            self.model,
            unit.prompt.messages,
            sampling=self.sampling,
            tools=unit.prompt.tools,
            n=len(asked),
        )
        return [
            answered(
                unit, self.name, self.model, self.sampling, index, reply,
                notes=one.wanted().notes(),
            )
            for index, (one, reply) in enumerate(zip(asked, replies, strict=True))
        ]  # fmt: skip

    async def _written_anew(self, unit: "Unit", heard: "_Heard", over: Response) -> Response:
        wants = heard.wanted()
        asked = with_preferences(unit.prompt.messages, wants.preferences, self.safety)
        [reply] = await unit.sample(
            self.model, asked, sampling=self.sampling, tools=unit.prompt.tools
        )
        told = {"preferences": list(wants.preferences), "safety": self.safety}
        return answered(
            unit, self.name, self.model, self.sampling, 0, reply, params=told,
            parent_id=over.response_id, relation="revision", notes=wants.notes(),
        )  # fmt: skip

    async def _read(
        self, unit: "Unit", answer: Response, said: str
    ) -> tuple[Completion, Feedback | str]:
        """The reader's last reply, and what it says; or why it cannot be read."""
        fence = fence_around(unit.prompt, [str(answer.text), said])
        words = self.words.render(
            quoted(unit.prompt, fence)
            | {"response": fence.quote(str(answer.text)), "feedback": fence.quote(said)}
            | {"satisfied": SATISFIED, "dissatisfied": DISSATISFIED}
        )
        messages: tuple[Message, ...] = (Message("user", words),)
        for _ in range(self.tries):
            [reply] = await unit.sample(self.reader, messages, sampling=GREEDY)
            truncated = reply.finish_reason == "length"
            try:
                return reply, read_feedback(reply.text or "", fence=fence, truncated=truncated)
            except JudgmentError as error:
                wrong = CORRECTION.format(wrong=error)
            if reply.error is not None:
                return reply, reply.error
            messages = (
                *messages,
                Message("assistant", reply.text or "(no text)"),
                Message("user", wrong),
            )
        return reply, "unread_feedback"

    def _without_text(
        self, unit: "Unit", answer: Response, reply: Completion, why: str, **fields: Any
    ) -> Response:
        return answered(
            unit, self.name, self.reader, GREEDY, 0, reply,
            parent_id=answer.response_id, relation="revision", text=None, reasoning=reply.text,
            tool_calls=(), refused=False, sum_logprob=None, error=why, **fields,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Heard:
    """What came of the feedback on one answer."""

    answer: Response
    wants: Feedback | None = None
    """What the user found fault with, and wants."""
    row: Response | None = None
    """In the place of an answer written anew, where there is none."""

    def wanted(self) -> Feedback:
        assert self.wants is not None
        return self.wants


def _feedback_of(answer: Response) -> str | None:
    """What the user said next, where the answer's notes have it."""
    said = orjson.loads(answer.notes or "{}").get("feedback")
    return said if isinstance(said, str) else None
