"""Negatively-correlated sampling: responses that are drawn to differ (arXiv 2507.09650).

    joint        one completion holds all n, and is split      1 call
    sequential   each draw is shown the ones before it         n calls, one after another
    personas     each draw is asked to hold a value            n calls at once

Plain responses may be mixed in, and the places of all are shuffled. A completion that cannot be split
is a response without text, whose `error` says why; after the last try the set is drawn independently
instead, and flagged. `notes` has the `set`, the `slot` in it, the `completion` (a hash that joins
responses of one completion), the `completion_tokens` of all of it where it holds several, and `flags`;
`params` has the persona, and how a set was asked for where it is not in the paper's words.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from pipelines.backend import Completion, Sampling
from pipelines.diversity.completions import read_further, read_set
from pipelines.diversity.places import Place
from pipelines.diversity.sets import Split
from pipelines.diversity.wording import (
    INSTRUCTIONS,
    Form,
    asked_as,
    asked_further,
    asked_jointly,
)
from pipelines.judging.fence import Fence
from pipelines.judging.quoting import fence_around
from pipelines.judging.refusal import is_refusal
from pipelines.part import Where
from pipelines.sampler import Drawn, Sampler
from pipelines.samplers._answered import answered
from pipelines.unit import gather
from schemas.rows import Message, Response

if TYPE_CHECKING:
    from pipelines.unit import Unit

WARM = Sampling(temperature=1.0)
"""The paper does not state it; the samples that it compares with are drawn at 1."""

MOST_TRIES = 16
"""Of a set. So many samples are set aside for each, so that more tries, or sets, buy no other anew."""

OF_JOINT = ("form", "instruction", "tries")
"""Fields that mean nothing in other modes."""


class NegativelyCorrelated(Sampler):
    """Draws sets of n responses that represent different values."""

    model: str
    """Name of the model."""
    mode: Literal["joint", "sequential", "personas"] = "joint"
    """How they are made to differ: all in one completion, each shown the earlier ones, or each asked
    to hold one of `personas`."""
    n: int = Field(default=3, ge=2, le=16)
    """Responses of a set: 3 beside a plain one to be labelled, 4 to study coverage, as in the paper.
    With `personas` there are as many as these."""
    plain: int = Field(default=1, ge=0)
    """Plain responses beside each set: the prompt as it stands."""
    sets: int = Field(default=1, ge=1)
    """Sets of each prompt."""
    form: Form = "markers"
    """How a joint completion tells its responses apart: "###" at the start of a line, as in the paper,
    or a JSON array, which headings of a response cannot be taken for."""
    instruction: str | None = Field(default=None, min_length=1)
    """What is appended to the last user message of a joint completion in place of the paper's words;
    `{n}` stands for the number, in words."""
    personas: tuple[str, ...] = ()
    """Values, one for each response, for `mode = "personas"`."""
    tries: int = Field(default=2, ge=1, le=MOST_TRIES)
    """How often a joint completion is asked for until it can be split; then the set is drawn
    independently."""
    sampling: Sampling = Sampling()
    """How a response is drawn; `max_tokens` is for each, and a joint completion has n times as many.
    Default: temperature 1."""

    @model_validator(mode="after")
    def _personas_are_for_their_mode(self) -> "NegativelyCorrelated":
        if (self.mode == "personas") != bool(self.personas):
            raise ValueError('`personas` and mode = "personas" need each other')
        if self.personas and "n" in self.model_fields_set and self.n != len(self.personas):
            raise ValueError(f"n is {self.n}, and there are {len(self.personas)} personas")
        return self

    def models(self) -> tuple[str, ...]:
        """The one that is asked."""
        return (self.model,)

    def check(self, where: Where) -> None:
        """Raises RecipeError for equal personas, equal draws, and what another mode is for."""
        for key in OF_JOINT:
            if self.mode != "joint" and key in self.model_fields_set:
                raise where.error(f'is for mode = "joint", and here it is "{self.mode}"', key)
        if self.sampling.temperature == 0 and self._draws_twice():
            raise where.error("greedy draws are all equal: a temperature is needed", "sampling")
        if len(set(self.personas)) < len(self.personas):
            raise where.error("a persona stands there twice", "personas")

    def _draws_twice(self) -> bool:
        """Whether something may be asked more than once in the same words, as in place of a set."""
        first_is_plain = self.mode == "sequential" and self.plain > 0
        return self.plain > 1 or self.sets > 1 or self.mode == "joint" or first_is_plain

    async def draw(self, unit: "Unit") -> Drawn:
        """All sets and the plain responses, in places that the seed decides."""
        ways = {"joint": self._joint, "sequential": self._sequential, "personas": self._personas}
        places = [self._first(one) for one in range(self.sets)]
        plain = [self._plain(unit, range(at, at + self.plain), ()) for at in places]
        drawn = await gather([*plain, *(ways[self.mode](unit, one) for one in range(self.sets))])
        rows = [row for some in drawn for row in some]
        return Drawn([rows[place] for place in unit.shuffled(len(rows), self.name, "place")])

    def _first(self, number: int) -> int:
        """The first index of what set `number` draws for the prompt as it stands.

        Its plain responses come first, then its own; a further set leaves those before it alone.
        """
        return number * (self.plain + (0 if self.mode == "personas" else self.n))

    async def _joint(self, unit: "Unit", number: int) -> list[Response]:
        words = self.instruction or INSTRUCTIONS[self.form]
        messages = asked_jointly(unit.prompt.messages, words, self.n)
        sampling = self._joint_decoding
        failed: list[Response] = []
        for attempt in range(self.tries):
            index = number * MOST_TRIES + attempt
            [completion] = await unit.sample(
                self.model, messages, sampling=sampling, first_index=index
            )
            split = read_set(completion, self.form, self.n, unit.prompt)
            if isinstance(split, Split):
                return failed + self._parts(unit, number, index, completion, split)
            useless = {"text": None, "error": split, "reasoning": completion.text}
            failed.append(
                self._row(unit, completion, index, Place(number), params=self._own_words, **useless)
            )
            if completion.error is not None:
                break
        first = self._first(number) + self.plain
        indices = range(first, first + self.n)
        return failed + await self._plain(unit, indices, ("independent_instead",), number)

    async def _sequential(self, unit: "Unit", number: int) -> list[Response]:
        rows: list[Response] = []
        for slot in range(self.n):
            earlier = [row.text for row in rows if row.text]
            if earlier:
                fence = fence_around(unit.prompt, earlier)
                messages = asked_further(unit.prompt.messages, earlier, fence)
                rows.append(await self._one(unit, messages, number, slot, number, fence))
            else:
                index = self._first(number) + self.plain + slot
                rows.append(await self._one(unit, unit.prompt.messages, number, slot, index))
        return rows

    async def _personas(self, unit: "Unit", number: int) -> list[Response]:
        return await gather(
            self._one(
                unit, asked_as(unit.prompt.messages, persona), number, slot, number,
                params={"persona": persona},
            )
            for slot, persona in enumerate(self.personas)
        )  # fmt: skip

    async def _one(
        self,
        unit: "Unit",
        messages: tuple[Message, ...],
        number: int,
        slot: int,
        index: int,
        fence: Fence | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Response:
        [completion] = await unit.sample(
            self.model, messages, sampling=self._decoding, first_index=index,
            tools=unit.prompt.tools,
        )  # fmt: skip
        bare = read_further(completion, fence) if fence else {}
        return self._row(unit, completion, index, Place(number, slot), params=params, **bare)

    async def _plain(
        self, unit: "Unit", indices: range, flags: tuple[str, ...], number: int | None = None
    ) -> list[Response]:
        if not indices:
            return []
        completions = await unit.sample(
            self.model, unit.prompt.messages, sampling=self._decoding, n=len(indices),
            first_index=indices.start, tools=unit.prompt.tools,
        )  # fmt: skip
        return [
            self._row(unit, one, index, Place(number, slot, flags))
            for slot, (index, one) in enumerate(zip(indices, completions, strict=True))
        ]

    def _parts(
        self, unit: "Unit", number: int, index: int, completion: Completion, split: Split
    ) -> list[Response]:
        alone = replace(completion, completion_tokens=None, logprobs=None, prompt_tokens=None)
        tokens = completion.completion_tokens
        return [
            self._row(
                unit, alone, index, Place(number, slot, split.flags, tokens),
                params=self._own_words, text=part, refused=is_refusal(part), tool_calls=(),
                sum_logprob=None,
            )
            for slot, part in enumerate(split.parts)
        ]  # fmt: skip

    def _row(
        self, unit: "Unit", completion: Completion, index: int, place: Place, **fields: Any
    ) -> Response:
        fields = {"text": completion.text, **fields, "notes": place.notes(completion)}
        return answered(
            unit, self.name, self.model, self._decoding, index, completion,
            part=place.key(), **fields,
        )  # fmt: skip

    def samplings(self, model: str) -> tuple[Sampling, ...]:
        """For one response, and for a set."""
        joint = (self._joint_decoding,) if self.mode == "joint" else ()
        return (self._decoding, *joint)

    @property
    def _own_words(self) -> dict[str, str]:
        """How a set is asked for, where it is not in the paper's words."""
        form = {} if self.form == "markers" else {"form": str(self.form)}
        return form if self.instruction is None else form | {"instruction": self.instruction}

    @property
    def _joint_decoding(self) -> Sampling:
        """For all responses of a set in one completion."""
        sampling = self._decoding
        if sampling.max_tokens is None:
            return sampling
        return Sampling(max_tokens=self.n * sampling.max_tokens).over(sampling)

    @property
    def _decoding(self) -> Sampling:
        return self.sampling.over(WARM)
