"""The forecaster: answers for the models, and counts what their answers would have cost.

A stand-in answer is as long as a known one of the same part, drawn by the seed, or of a given length
where none is known yet. For the worst case it is as long as `max_tokens` allows, and no judge's
reply can be read, so that each is asked for again.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field, replace
from functools import cached_property

from pipelines.backend import Backend, Completion, Request, Rewarding, Sampling, Scoring
from pipelines.calls.bought import Bought, SeenOnce
from pipelines.calls.budget import worst_case
from pipelines.recipe import Recipe
from pipelines.unit import Unit
from schemas.canonical import draw_integer, draw_unit
from schemas.rows import Message

CHARACTERS_PER_TOKEN = 4.0
"""Assumed where no reply of the model to this part has told better, of one sample or of several."""


@dataclass(frozen=True, slots=True)
class StandIn(Completion):
    """An answer that nobody paid for."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of answers where none is known yet, in tokens; `max_tokens` bounds them."""

    answer: int = 400
    judgment: int = 150


ASSUMED = Lengths()


@dataclass(slots=True)
class Known:
    """What the ledger tells of one model's answers to one part, and of its tokens."""

    groups: list[list[str]] = field(default_factory=list)
    """Answers, those to one request together: they repeat each other, as stand-ins then do."""
    own: dict[str, list[str]] = field(default_factory=dict)
    """Key of a request, in hexadecimal -> the answers to it."""
    paid: "dict[str, Tally]" = field(default_factory=dict)
    """Unit -> what its replies took."""
    alike: dict[tuple[int | None, int], list[list[StandIn]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """(`max_tokens`, number of samples) -> what was answered, sample by sample."""
    characters: int = 0
    tokens: int = 0
    prompt_characters: int = 0
    prompt_tokens: int = 0
    untold: int = 0
    """Replies without usage."""

    @property
    def answers(self) -> int:
        """How many there are."""
        return sum(map(len, self.groups))

    def learn(
        self, messages: Sequence[Message], bought: Bought, unit_id: str = "", *, writes: bool = True
    ) -> None:
        """Takes in what a reply took. Of several samples in it, only their sum is known.

        `writes`: whether they are the model's own words. A reply without usage is taken for what its
        characters say.
        """
        usage, tally = bought.usage, self.paid.setdefault(unit_id, Tally())
        tally.calls += 1
        if bought.refused:
            return
        if usage is None:
            self.untold += 1
            tally.prompt_tokens += characters_of(messages) / CHARACTERS_PER_TOKEN
            tally.completion_tokens += writes * bought.characters / CHARACTERS_PER_TOKEN
            return
        tally.prompt_tokens += usage.prompt_tokens or 0
        tally.completion_tokens += usage.completion_tokens or 0
        if usage.prompt_tokens:
            self.prompt_characters += characters_of(messages)
            self.prompt_tokens += usage.prompt_tokens
        if usage.completion_tokens:
            self.characters += bought.characters
            self.tokens += usage.completion_tokens

    def remember(self, sampling: Sampling | None, completions: Sequence[Completion]) -> None:
        """Keeps samples of one request together: stand-ins end, and repeat each other, as they do."""
        most = sampling.max_tokens if sampling else None
        kept = [StandIn(one.text, finish_reason=one.finish_reason) for one in completions]
        self.alike[most, len(kept)].append(kept)

    @property
    def per_token(self) -> float:
        """Characters of an answer's token; few where the model thinks, which no answer shows."""
        return self.characters / self.tokens if self.characters else CHARACTERS_PER_TOKEN

    @property
    def per_prompt_token(self) -> float:
        """Characters of a prompt's token."""
        known = self.prompt_characters
        return known / self.prompt_tokens if known else CHARACTERS_PER_TOKEN


def characters_of(messages: Sequence[Message]) -> int:
    """Characters of all texts."""
    return sum(len(message.content or "") for message in messages)


@dataclass(slots=True)
class Tally:
    """Calls of one part to one model: on one unit, or on all of them."""

    calls: float = 0
    samples: float = 0
    prompt_tokens: float = 0
    completion_tokens: float = 0
    worst_tokens: float = 0
    """Tokens as a budget reserves them; infinite where `max_tokens` does not bound an answer."""
    worst_money: float = 0

    def values(self) -> tuple[float, ...]:
        """The figures, in the order of the fields."""
        return astuple(self)


Account = dict[tuple[str, str], Tally]
"""Part and model -> what they take."""


@dataclass
class Forecaster:
    """Counts what units would buy, and answers for the models."""

    recipe: Recipe
    lengths: Lengths
    learning: bool = False
    worst: bool = False
    """Whether every answer is as long as it may be, and no judge's reply can be read."""
    known: dict[tuple[str, str], Known] = field(default_factory=lambda: defaultdict(Known))
    account: Account = field(default_factory=lambda: defaultdict(Tally))
    refused: set[str] = field(default_factory=set)
    """Units of which an endpoint refused a request: they tell nothing of what others take."""
    replayed: set[tuple[bytes, int]] = field(default_factory=set)
    """Samples that the ledger holds, by request key and index: answers that are alike, such as
    stand-ins and what they stand for, lead to the same ones."""

    def buy(
        self, caller: str, model: str, backend: Backend, request: Request, key: str, first: int
    ) -> list[Completion]:
        """Stand-in completions for `request`, which is counted: `key`'s samples from `first` on."""
        known, tally = self.known[caller, model], self.account[caller, model]
        completions: list[Completion] = [
            self._stand_in(caller, known, request, key, index)
            for index in range(first, first + request.n)
        ]
        tally.calls += 1
        tally.samples += request.n
        tally.prompt_tokens += characters_of(request.messages) / known.per_prompt_token
        if not isinstance(request.sampling, Rewarding | Scoring):  # they write nothing
            written = sum(len(one.text or "") for one in completions)
            tally.completion_tokens += written / known.per_token
        most = worst_case(backend, request)
        bounded = request.sampling.max_tokens is not None
        tally.worst_tokens += most.tokens if bounded else math.inf
        tally.worst_money += most.money if bounded else math.inf
        return completions

    def _stand_in(
        self, caller: str, known: Known, request: Request, key: str, index: int
    ) -> StandIn:
        """A stand-in that ended by itself; steps of answers end as known ones did, or are cut off."""
        most = request.sampling.max_tokens
        if caller not in self.stepwise:
            return StandIn(self._answer(caller, known, request, key, index), finish_reason="stop")
        alike = known.alike.get((most, request.n))
        if alike and not self.worst:
            drawn = alike[draw_integer(self.recipe.head.seed, "plan", key) % len(alike)]
            return drawn[index % len(drawn)]
        text = self._answer(caller, known, request, key, index)
        cut_off = most is not None and len(text) >= most * CHARACTERS_PER_TOKEN
        return StandIn(text, finish_reason="length" if cut_off else "stop")

    @cached_property
    def stepwise(self) -> frozenset[str]:
        """The callers whose answers are steps."""
        samplers = (one for one in self.recipe.samplers if one.stepwise)
        return frozenset(f"{one.shelf}.{one.name}" for one in samplers)

    def _answer(self, caller: str, known: Known, request: Request, key: str, index: int) -> str:
        shelf, _, name = caller.partition(".")
        if known.groups and not self.worst:
            return self._known_answer(shelf, known, key, index)
        judge = next((one for one in self.recipe.judges if one.name == name), None)
        readable = judge is not None and shelf == "judges" and not self.worst
        question = request.messages[-1].content if request.messages else None
        specimen = judge.specimen_of(question or "") if judge is not None and readable else ""
        if isinstance(request.sampling, Rewarding):
            return specimen
        assumed = self.lengths.judgment if shelf == "judges" else self.lengths.answer
        most = request.sampling.max_tokens or assumed
        tokens = most if self.worst else min(assumed, most)
        own = str(draw_integer("plan", key, index))  # answers of one prompt differ
        filler = own * (int(tokens * CHARACTERS_PER_TOKEN) // len(own) + 1)
        room = int(tokens * CHARACTERS_PER_TOKEN) - len(specimen) - 1
        return f"{filler[: max(0, room)]}\n{specimen}"

    def _known_answer(self, shelf: str, known: Known, key: str, index: int) -> str:
        """The answer at `index` of groups that are drawn one after another.

        A further sample of a prompt whose answers are known is one of those, or a new one: by Good
        and Turing's estimate with the share of answers that were given once.
        """
        seed, drawn = self.recipe.head.seed, 0
        if shelf == "samplers" and (own := known.own.get(key)):
            once = sum(1 for given in Counter(own).values() if given == 1)
            if draw_unit(seed, "plan", key, index) >= once / len(own):
                return own[draw_integer(seed, "plan", key, index) % len(own)]
            drawn = 1
        while True:
            place = draw_integer(seed, "plan", key, *([drawn] if drawn else []))
            group = known.groups[place % len(known.groups)]
            if index < len(group):
                further = drawn and shelf == "samplers"  # a group drawn twice is no repetition
                return f"{drawn} {group[index]}" if further else group[index]
            index -= len(group)
            drawn += 1


@dataclass(frozen=True, slots=True)
class PlannedUnit(Unit):
    """A unit that counts instead of buying, and learns from what was bought before."""

    forecaster: Forecaster = field(kw_only=True)
    held: dict[tuple[bytes, int], Completion] = field(default_factory=dict)
    """Counted already, by request key and index: equal requests are paid once."""
    seen: SeenOnce = field(default_factory=SeenOnce)
    """The replies that are learnt from already."""

    @property
    def at_worst(self) -> bool:
        """As the forecaster's `worst`."""
        return self.forecaster.worst

    async def sample(
        self,
        model: str,
        messages: Sequence[Message],
        *,
        sampling: Sampling | None = None,
        tools: str | None = None,
        n: int = 1,
        first_index: int = 0,
    ) -> list[Completion]:
        """As `Unit.sample`; what was paid for teaches the forecaster, while it learns."""
        completions = await Unit.sample(
            self, model, messages, sampling=sampling, tools=tools, n=n, first_index=first_index
        )
        if self.forecaster.learning:
            key = self.key(model, messages, sampling, tools)
            known = self.forecaster.known[self.caller, model]
            replayed = [one for one in completions if not isinstance(one, StandIn)]
            for index in range(first_index, first_index + n):
                bought = self.workshop.ledger.bought_with(key, index)
                if bought is not None and bought.refused:
                    self.forecaster.refused.add(self.unit_id)
                if bought is not None and self.seen.first(bought.place):
                    writes = not isinstance(sampling, Rewarding | Scoring)
                    known.learn(messages, bought, self.unit_id, writes=writes)
                    known.paid[self.unit_id].samples += bought.samples
            if answers := [one.text for one in replayed if one.text is not None]:
                known.groups.append(answers)
                known.own[key.hex()] = answers
            paid = len(replayed) == len(completions)
            if paid and self.caller in self.forecaster.stepwise:
                known.remember(sampling, completions)
        return completions

    def _replayed(self, key: bytes, wanted: range) -> dict[int, Completion]:
        found = Unit._replayed(self, key, wanted)
        self.forecaster.replayed.update((key, index) for index in found)
        return found

    async def _buy(
        self, model: str, backend: Backend, key: bytes, indices: list[int], asked: Request
    ) -> dict[int, Completion]:
        wanted = [index for index in indices if (key, index) not in self.held]
        if wanted:
            request = replace(asked, n=len(wanted))
            answers = self.forecaster.buy(
                self.caller, model, backend, request, key.hex(), wanted[0]
            )
            self.held.update(((key, at), one) for at, one in zip(wanted, answers, strict=True))
        return {index: self.held[key, index] for index in indices}
