"""System messages: for each instruction, people who want it answered differently (Janus).

Multifaceted Collection (arXiv 2405.17977): values of several dimensions are combined, and a model
puts each combination into one system message; three for each instruction.

    dimensions ─ seeded draw ─> a combination ─ model ─> system message ─> row, with its `preferences`

A message is no answer: its row is `partial`, so that it is neither judged nor paired. A second recipe
makes prompts of them, and a third one pairs (docs/methods/plural.md).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, model_validator

from pipelines.backend import Completion, Sampling
from pipelines.judging.fence import Fence
from pipelines.judging.quoting import fence_around, quoted
from pipelines.judging.refusal import is_refusal
from pipelines.sampler import Drawn
from pipelines.samplers._answered import answered
from pipelines.samplers._worded import SPECIMENS, Worded
from pipelines.unit import gather
from schemas.canonical import canonical_json
from schemas.rows import Message, Prompt, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

DEFAULT = Sampling(temperature=1.0, max_tokens=512)

DIMENSIONS: dict[str, tuple[str, ...]] = {
    "style": (
        "plain words and short sentences",
        "precise and formal, as in a textbook",
        "warm and personal, as from a friend",
        "lively, with images and a little humour",
    ),
    "background knowledge": (
        "knows nothing of the subject, and needs every term explained",
        "knows the basics from school",
        "works in the field, and is bored by basics",
        "knows a neighbouring field well, and learns by analogy",
    ),
    "informativeness": (
        "the answer alone, and no more",
        "the answer and the one reason that matters",
        "every step and every assumption",
        "the larger picture, with what to read next",
    ),
    "harmlessness": (
        "warned of every risk",
        "trusted as a grown-up who decides alone",
        "spared anything that could frighten",
        "told which sources can be relied on",
    ),
}
"""The four dimensions of the paper; the preferences are our own."""


class SystemMessages(Worded):
    """For each prompt `n` system messages that want it answered in different ways."""

    own_template: ClassVar[Path] = Path(__file__).with_suffix(".jinja")
    defaults: ClassVar[Sampling] = DEFAULT

    model: str
    """Name of the model that puts preferences into words."""
    n: int = Field(default=3, ge=1)
    """System messages of each prompt; 3 in the paper."""
    dimensions: dict[str, tuple[str, ...]] = DIMENSIONS
    """Dimension -> the preferences that there are, at least `n`: the messages of one prompt differ in
    all dimensions. Default: style, background knowledge, informativeness and harmlessness, with four
    preferences each."""
    tries: int = Field(default=2, ge=1)
    """How often a message is asked for where a completion holds none."""
    sampling: Sampling = Sampling()
    """How messages are drawn. Default: temperature 1, at most 512 tokens."""
    template: str | None = None
    """Path of your own template, relative to the recipe: a Jinja file with `conversation`, `tools`,
    `preferences` (dimension -> preference) and `mark`. Default: the part's own."""

    @model_validator(mode="after")
    def _enough_to_differ(self) -> "SystemMessages":
        if not self.dimensions:
            raise ValueError("at least one dimension is needed")
        for dimension, preferences in self.dimensions.items():
            if len(set(preferences)) < max(self.n, len(preferences)):
                raise ValueError(f"{dimension}: {self.n} different preferences are needed")
        return self

    def trials(self) -> Iterator[dict[str, Any]]:
        """With and without tools."""
        for prompt in SPECIMENS:
            yield _variables(prompt, {"a": "a"}, fence_around(prompt, []))

    async def draw(self, unit: "Unit") -> Drawn:
        """The messages, combination by combination."""
        return Drawn(await gather(self._message(unit, one) for one in self.combinations(unit)))

    def combinations(self, unit: "Unit") -> list[dict[str, str]]:
        """`n` draws of one preference of each dimension; no preference is drawn twice."""
        drawn = {
            dimension: unit.shuffled(len(preferences), self.name, dimension)
            for dimension, preferences in self.dimensions.items()
        }
        return [
            {name: self.dimensions[name][places[one]] for name, places in drawn.items()}
            for one in range(self.n)
        ]

    async def _message(self, unit: "Unit", preferences: dict[str, str]) -> Response:
        """The first usable message, or why the last try gave none."""
        fence = fence_around(unit.prompt, preferences.values())
        words = self.words.render(_variables(unit.prompt, preferences, fence))
        sampling = self.decoding
        for index in range(self.tries):
            [completion] = await unit.sample(
                self.model, (Message("user", words),), sampling=sampling, first_index=index
            )
            error = _fault(completion, fence)
            if error is None or completion.error is not None:
                break
        found: dict[str, Any] = {
            "text": None if error else (completion.text or "").strip(),
            "error": error,
            "reasoning": completion.text if error else completion.reasoning,
            "refused": False,
            "tool_calls": (),
            "sum_logprob": None,
            "notes": canonical_json({"preferences": preferences}).decode(),
        }
        return answered(
            unit, self.name, self.model, sampling, index, completion,
            params={"preferences": preferences}, relation="system_message", partial=True, **found,
        )  # fmt: skip


def _variables(prompt: Prompt, preferences: dict[str, str], fence: Fence) -> dict[str, Any]:
    said = quoted(prompt, fence)
    return {name: said[name] for name in ("mark", "conversation", "tools")} | {
        "preferences": preferences
    }


def _fault(completion: Completion, fence: Fence) -> str | None:
    """Why a completion holds no system message; None where it holds one."""
    if completion.error is not None:
        return completion.error
    if completion.refusal is not None or is_refusal(completion.text):
        return "message_refused"
    if completion.finish_reason not in (None, "stop"):
        return "message_truncated"
    text = completion.text or ""
    return "leak" if fence.token in text else None if text.strip() else "no_message"
