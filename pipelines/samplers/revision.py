"""Revision: a stronger model changes an answer as little as is needed (CLAIR, arXiv 2408.06266).

    response ─ reviser ─> completion ─ marker ─> revision ─ faults ─> response with parent_id
                  ^                                 │
                  └─── again: `tries`, `rounds` ────┘

A completion that holds no usable revision is a response without text: `error` says why, and
`reasoning` is the completion. Of a usable one `reasoning` is what the reviser thought, and `notes`
has the `edits`: spans [from_start, from_end, to_start, to_end] of characters.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from pipelines.backend import Completion, Sampling
from pipelines.intake.columns import Names
from pipelines.judging.fence import Fence
from pipelines.judging.picking import picked, scores_of
from pipelines.judging.quoting import fence_around, message_text, quoted
from pipelines.judging.refusal import is_refusal
from pipelines.part import Where
from pipelines.revising.faults import Bounds, fault_of
from pipelines.revising.reply import MARKERS, Direction, Revised, read_revision
from pipelines.revising.spans import changed_spans
from pipelines.sampler import Drawn
from pipelines.samplers._answered import answered
from pipelines.samplers._worded import SPECIMENS, Worded
from pipelines.selection.texts import norm_hash
from pipelines.unit import gather
from schemas.canonical import canonical_json
from schemas.rows import Message, Prompt, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

DEFAULT = Sampling(temperature=0.7, max_tokens=4096)
"""As the authors' notebook has it."""


class Revision(Worded):
    """Revises responses of other samplers, minimally: better ones, or worse ones."""

    own_template: ClassVar[Path] = Path(__file__).with_suffix(".jinja")
    defaults: ClassVar[Sampling] = DEFAULT

    model: str
    """Name of the model that revises, stronger than the one whose answers it gets."""
    of: Names = Field(min_length=1)
    """Names of the samplers whose responses are revised. What they recorded will do as well."""
    which: Literal["each", "best", "worst"] = "each"
    """Which of a prompt's responses are revised: each one, or the one that `judged_by` scores best
    or worst (of equal ones, that with the smallest id)."""
    judged_by: str | None = None
    """The judge that knows which one is best or worst, and, with `rounds`, whether a revision is
    an improvement."""
    direction: Direction = "better"
    """"better", or "worse": the revision is the one to be rejected."""
    rounds: int = Field(default=1, ge=1, le=8)
    """How often a revision is revised in its turn. With `judged_by` it ends as soon as a revision
    does not score beyond what it revises."""
    tries: int = Field(default=2, ge=1)
    """How often a revision is asked for where a completion has no marker or no text after it."""
    sampling: Sampling = Sampling()
    """How revisions are drawn. Default: temperature 0.7, at most 4096 tokens."""
    bounds: Bounds = Bounds()
    """What a revision has to keep to."""
    marked: bool = True
    """Whether a marker is asked for, after reasoning. If not, the whole completion is the revision:
    for a model that was trained to reply with nothing else."""
    template: str | None = None
    """Path of your own template, relative to the recipe: a Jinja file with `conversation`, `tools`,
    `reference` (either may be none), `response`, `better`, `form` (the marker's line; none with
    `marked = false`) and `mark`. Default: the part's own."""

    def starts_from(self) -> tuple[str, ...]:
        """Those whose responses are revised."""
        return self.of

    def judge_names(self) -> tuple[str, ...]:
        """The judge that is asked on the way."""
        return () if self.judged_by is None else (self.judged_by,)

    def asks_of_drawn(self) -> bool:
        """Whether the next round is worth while."""
        return self.rounds > 1

    def check(self, where: Where) -> None:
        """Raises RecipeError for a choice without a judge or the reverse, and for a wrong template."""
        if self.which != "each" and self.judged_by is None:
            raise where.error(f'which = "{self.which}" needs a judge of the recipe', "judged_by")
        if self.which == "each" and self.rounds == 1 and self.judged_by is not None:
            raise where.error(
                'is asked nothing: which = "best" or "worst", or `rounds` above 1, would ask it',
                "judged_by",
            )
        super().check(where)
        if not self.marked and self._writes_form():
            raise where.error(
                f"{self.words.name} writes `form`, a marker that marked = false does not read; "
                "leave it out, or write it within {% if form %}",
                "template",
            )

    def _writes_form(self) -> bool:
        """Whether the template writes the marker's line, rather than to ask whether there is one."""
        render = self.words.render
        return any(render({**one, "form": ""}) != render(one) for one in self.trials())

    def trials(self) -> Iterator[dict[str, Any]]:
        """With and without tools and a reference."""
        for prompt in SPECIMENS:
            yield self._variables(prompt, "a", fence_around(prompt, ["a"]))

    async def draw(self, unit: "Unit") -> Drawn:
        """The revisions, in the order of what they revise; those of one response round by round."""
        every = [one for name in self.of for one in unit.drawn(name)]
        usable = [one for one in every if one.text and one.text.strip() and not one.refused]
        chosen = await self._chosen(unit, usable)
        revisions = await gather(self._revise(unit, one) for one in chosen)
        return Drawn([one for of_one in revisions for one in of_one])

    async def _chosen(self, unit: "Unit", responses: Sequence[Response]) -> Sequence[Response]:
        if self.which == "each":
            return responses
        assert self.judged_by is not None
        return await picked(unit, self.judged_by, responses, self.which)

    async def _revise(self, unit: "Unit", original: Response) -> list[Response]:
        found: list[Response] = []
        before: list[str] = []
        for _ in range(self.rounds):
            revision = await self._revision(unit, original, before)
            found.append(revision)
            before.append(str(original.text))
            if revision.text is None or not await self._goes_on(unit, original, revision):
                break
            original = revision
        return found

    async def _goes_on(self, unit: "Unit", original: Response, revision: Response) -> bool:
        """Whether a revision is to be revised in its turn."""
        if self.rounds == 1 or self.judged_by is None:
            return self.rounds > 1
        scores = await scores_of(unit, self.judged_by, (original, revision))
        before, after = (scores.get(one.response_id) for one in (original, revision))
        if before is None or after is None:
            return False
        return bool(after > before if self.direction == "better" else after < before)

    async def _revision(self, unit: "Unit", original: Response, before: Sequence[str]) -> Response:
        """The first usable revision of `original`, or why the last try gave none.

        One that goes back to a text `before` the original is no change.
        """
        assert original.text is not None
        fence = fence_around(unit.prompt, [original.text], self._reference(unit.prompt))
        words = self.words.render(self._variables(unit.prompt, original.text, fence))
        messages = (Message("user", words),)
        sampling = self.decoding
        for index in range(self.tries):
            [completion] = await unit.sample(
                self.model, messages, sampling=sampling, first_index=index
            )
            revised = self._read(unit.prompt, original.text, completion, fence)
            if isinstance(revised, Revised) and norm_hash(revised.text) in map(norm_hash, before):
                revised = "no_change"
            if isinstance(revised, Revised) or revised not in ASKED_AGAIN:
                break
        return self._response(unit, original, index, completion, revised, sampling)

    def _read(
        self, prompt: Prompt, original: str, completion: Completion, fence: Fence
    ) -> Revised | str:
        """The revision, or why it is useless."""
        reply = completion.text or ""
        if completion.error is not None:
            return completion.error
        revised = self._revised(reply, fence)
        if isinstance(revised, str):
            refused = completion.refusal is not None or is_refusal(reply)
            return "revision_refused" if refused else revised
        if completion.finish_reason not in (None, "stop"):
            return "revision_truncated"
        if is_refusal(revised.text):
            return "revision_refused"
        asked = "\n".join(message_text(message) for message in prompt.messages)
        return fault_of(original, revised.text, asked, self.bounds) or revised

    def _revised(self, reply: str, fence: Fence) -> Revised | str:
        revised: Revised | str = Revised(reply, "")
        if self.marked:
            revised = read_revision(reply, self.direction, fence.token, fence.texts)
        if isinstance(revised, str):
            return revised
        text = fence.unwrapped(revised.text)
        if fence.token in text:
            return "leak"
        return Revised(text, revised.rationale) if text else "empty_revision"

    def _response(
        self,
        unit: "Unit",
        original: Response,
        index: int,
        completion: Completion,
        revised: Revised | str,
        sampling: Sampling,
    ) -> Response:
        relation = "revision" if self.direction == "better" else "worsening"
        found: dict[str, Any]
        if isinstance(revised, str):
            found = {"text": None, "reasoning": completion.text, "error": revised}
        else:
            found = {
                "text": revised.text,
                "reasoning": revised.rationale or completion.reasoning,
                "notes": _notes(original.text or "", revised.text),
            }
        found |= {"relation": relation, "refused": False, "tool_calls": (), "sum_logprob": None}
        return answered(
            unit, self.name, self.model, sampling, index, completion,
            parent_id=original.response_id, **found,
        )  # fmt: skip

    def _reference(self, prompt: Prompt) -> str | None:
        """The reference where the template uses it; else a new one would change the request."""
        return prompt.reference if "reference" in self.words.variables else None

    def _variables(self, prompt: Prompt, response: str, fence: Fence) -> dict[str, Any]:
        marker = f"{MARKERS[self.direction].capitalize()} answer {fence.token}:"
        return quoted(prompt, fence, self._reference(prompt)) | {
            "response": fence.quote(response),
            "better": self.direction == "better",
            "form": marker if self.marked else None,
        }


def _notes(original: str, revision: str) -> str:
    edits = [list(span) for span in changed_spans(original, revision)]
    return canonical_json({"edits": edits}).decode()


ASKED_AGAIN = frozenset(("no_marker", "empty_revision"))
"""What a further try may mend."""
