"""User turns: a model plays the user, and says what follows on a response.

    conversation + response ─ simulated user ─> what the user says next ─> row with parent_id
                                                                             │
    the next round: conversation + response + user's turn is a prompt <──────┘

A turn is no answer: its row is `partial`, so that it is neither judged nor paired. A second recipe
reads it, and the conversations that it ends are its prompts (docs/methods/multi_turn.md).
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from pipelines.backend import Completion, Sampling
from pipelines.intake.columns import Names
from pipelines.judging.fence import Fence
from pipelines.judging.picking import picked
from pipelines.judging.quoting import fence_around, quoted
from pipelines.judging.refusal import is_refusal
from pipelines.part import Where
from pipelines.sampler import Drawn
from pipelines.samplers._answered import answered
from pipelines.samplers._worded import SPECIMENS, Worded
from pipelines.unit import gather
from schemas.rows import Message, Prompt, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

DEFAULT = Sampling(temperature=1.0, max_tokens=512)
"""Users differ more than answers do, and are brief."""

LABEL = re.compile(
    r"\A[\s>#*_]*(?:the[ \t]+)?user(?:'s next message)?[*_]*[ \t]*:[*_]*\s*", re.IGNORECASE
)
"""What models put before it all the same."""


class UserTurn(Worded):
    """What a simulated user says next, to the best of a prompt's responses or to each."""

    own_template: ClassVar[Path] = Path(__file__).with_suffix(".jinja")
    defaults: ClassVar[Sampling] = DEFAULT

    model: str
    """Name of the model that plays the user."""
    of: Names = Field(min_length=1)
    """Names of the samplers whose responses are gone on from. Recorded ones will do as well."""
    which: Literal["best", "each"] = "best"
    """Which of a prompt's responses the user hears: the one that `judged_by` scores best (of equal
    ones, that with the smallest id), or each of them, so that it can be chosen later."""
    judged_by: str | None = None
    """The judge that knows which one is best: the one whose scores make the pairs, so that the
    conversation goes on along the chosen response."""
    persona: str | None = None
    """Who the user is, what matters to them, how they talk. Default: whoever it seems to be."""
    tries: int = Field(default=2, ge=1)
    """How often a turn is asked for where a completion holds none."""
    sampling: Sampling = Sampling()
    """How turns are drawn. Default: temperature 1, at most 512 tokens."""
    template: str | None = None
    """Path of your own template, relative to the recipe: a Jinja file with `conversation`, `tools`,
    `response`, `persona` (may be none) and `mark`. Default: the part's own."""

    def starts_from(self) -> tuple[str, ...]:
        """Those whose responses are gone on from."""
        return self.of

    def judge_names(self) -> tuple[str, ...]:
        """The judge that is asked on the way."""
        return () if self.judged_by is None else (self.judged_by,)

    def check(self, where: Where) -> None:
        """Raises RecipeError for a choice without a judge or the reverse, and for a wrong template."""
        if self.which == "best" and self.judged_by is None:
            raise where.error('which = "best" needs a judge of the recipe', "judged_by")
        if self.which == "each" and self.judged_by is not None:
            raise where.error('is asked nothing: which = "best" would ask it', "judged_by")
        super().check(where)

    def trials(self) -> Iterator[dict[str, Any]]:
        """With and without tools."""
        for prompt in SPECIMENS:
            yield self._variables(prompt, "a", fence_around(prompt, ["a"]))

    async def draw(self, unit: "Unit") -> Drawn:
        """The turns, in the order of the responses that they follow on."""
        every = [one for name in self.of for one in unit.drawn(name)]
        usable = [one for one in every if one.text and one.text.strip() and not one.refused]
        heard: Sequence[Response] = usable
        if self.which == "best":
            assert self.judged_by is not None
            heard = await picked(unit, self.judged_by, usable, "best")
        return Drawn(await gather(self._turn(unit, one) for one in heard))

    async def _turn(self, unit: "Unit", heard: Response) -> Response:
        """The first usable turn, or why the last try gave none."""
        assert heard.text is not None
        fence = fence_around(unit.prompt, [heard.text])
        words = self.words.render(self._variables(unit.prompt, heard.text, fence))
        sampling = self.decoding
        for index in range(self.tries):
            [completion] = await unit.sample(
                self.model, (Message("user", words),), sampling=sampling, first_index=index
            )
            text, error = _read(completion, unit.prompt, heard.text, fence)
            if error is None or completion.error is not None:
                break
        found: dict[str, Any] = {
            "text": text,
            "error": error,
            "reasoning": completion.reasoning if error is None else completion.text,
            "refused": False,
            "tool_calls": (),
            "sum_logprob": None,
        }
        return answered(
            unit, self.name, self.model, sampling, index, completion,
            parent_id=heard.response_id, relation="user_turn", partial=True, **found,
        )  # fmt: skip

    def _variables(self, prompt: Prompt, response: str, fence: Fence) -> dict[str, Any]:
        said = quoted(prompt, fence)
        return said | {"response": fence.quote(response), "persona": self.persona}


def _read(
    completion: Completion, prompt: Prompt, heard: str, fence: Fence
) -> tuple[str, None] | tuple[None, str]:
    """The turn, or why there is none."""
    if completion.error is not None:
        return None, completion.error
    if completion.refusal is not None or is_refusal(completion.text):
        return None, "turn_refused"
    if completion.finish_reason not in (None, "stop"):
        return None, "turn_truncated"
    text = LABEL.sub("", completion.text or "").strip()
    text = text.removeprefix(f"<<<{fence.token}").removesuffix(f"{fence.token}>>>").strip()
    said = {heard.strip(), *((one.content or "").strip() for one in prompt.messages)}
    faults = {"no_turn": not text, "turn_repeated": text in said, "leak": fence.token in text}
    fault = next((name for name, is_so in faults.items() if is_so), None)
    return (None, fault) if fault else (text, None)
