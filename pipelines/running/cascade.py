"""The cascade: the judges of one unit, each asked after the one that its `when` names.

Judges without `when` are asked at once. Another one waits for its first judge within the unit, and
for nothing else; what it is not asked about is counted, and its calls with it.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING

from pipelines.backend import Completion, Sampling
from pipelines.errors import nearest
from pipelines.judging.bounds import within_bounds
from pipelines.judging.marks import marks_of
from pipelines.judging.when import Choice, When
from pipelines.part import Where
from pipelines.unit import Unit, gather, runs
from schemas.rows import Judgment, Message, Response

if TYPE_CHECKING:
    from pipelines.judge import Judge

Counts = Mapping[str, int]
"""What became of prompts under a `when`, by name: "prompts asked", "prompts passed over", "responses
passed over", "calls saved", "unsure: margin"... and, of extremes, whether the judge put them in the
same order as the first one ("agreed"), in the other ("inverted"), in none ("tied", "unread")."""

ORDERS = ("agreed", "inverted", "tied", "unread")


@dataclass(frozen=True, slots=True)
class Judged:
    """What the judges of a unit said."""

    judgments: list[Judgment]
    counts: dict[str, Counts] = field(default_factory=dict)
    """Judge with a `when` -> its counts."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What one judge said."""

    judgments: list[Judgment]
    counts: Counts


async def ask_judges(
    unit: Unit, judges: Sequence["Judge"], responses: Sequence[Response]
) -> Judged:
    """What all `judges` say of `responses`, in the judges' order."""
    if all(judge.when is None for judge in judges):
        rows = await gather(judge.judge(unit.by(judge), responses) for judge in judges)
        return Judged(within_bounds(chain.from_iterable(rows)))
    asked: dict[str, asyncio.Task[_Said]] = {}
    by_name = {judge.name: judge for judge in judges}

    def ask(judge: "Judge") -> "asyncio.Task[_Said]":
        if judge.name not in asked:
            first = None if judge.when is None else ask(by_name[judge.when.judge])
            call = _ask(unit.by(judge), judge, responses, first)
            asked[judge.name] = asyncio.create_task(call)
        return asked[judge.name]

    said = await gather(ask(judge) for judge in judges)
    return Judged(
        list(chain.from_iterable(one.judgments for one in said)),
        {judge.name: one.counts for judge, one in zip(judges, said, strict=True) if one.counts},
    )


async def _ask(
    unit: Unit,
    judge: "Judge",
    responses: Sequence[Response],
    first: "asyncio.Task[_Said] | None",
) -> _Said:
    if judge.when is None or first is None:
        return _Said(within_bounds(await judge.judge(unit, responses)), {})
    before = await first
    choice = judge.when.choose(before.judgments, responses)
    said = await judge.judge(unit, choice.responses) if choice.responses else []
    judgments = within_bounds(said)
    counts = _counts(choice, responses)
    if len(choice.responses) < len(responses):
        counts["calls saved"] = await calls_of(unit, judge, responses)
        counts["calls saved"] -= await calls_of(unit, judge, choice.responses)
    if judge.when.of == "extremes" and choice.responses:
        counts[_order(choice, judgments)] = 1
    return _Said(judgments, counts)


def _counts(choice: Choice, responses: Sequence[Response]) -> Counter[str]:
    if not responses:
        return Counter()
    became = "asked" if choice.responses else "passed over"
    counts = Counter({f"prompts {became}": 1})
    if passed_over := len(responses) - len(choice.responses):
        counts["responses passed over"] = passed_over
    if choice.doubt is not None:
        counts[f"unsure: {choice.doubt}"] = 1
    return counts


def _order(choice: Choice, judgments: Sequence[Judgment]) -> str:
    """What a judge makes of the first one's best and worst."""
    best, worst = (one.response_id for one in choice.responses)
    means = marks_of(judgments, (best, worst)).means()
    if len(means) < 2:
        return "unread"
    if means[best] == means[worst]:
        return "tied"
    return "agreed" if means[best] > means[worst] else "inverted"


@dataclass(frozen=True, slots=True)
class _Rehearsal(Unit):
    """A unit that calls nothing: each reply is one that the judge can read, and requests count."""

    asking: "Judge" = field(kw_only=True)
    held: set[tuple[bytes, int]] = field(default_factory=set)
    requests: list[int] = field(default_factory=list)
    """Samples of each request."""

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
        """Specimens; equal requests count once."""
        key = self.key(model, messages, sampling, tools)
        wanted = [(key, index) for index in range(first_index, first_index + n)]
        new = [one for one in wanted if one not in self.held]
        self.held.update(new)
        self.requests.extend(map(len, runs([at for _, at in new], self.model(model).max_n)))
        question = messages[-1].content if messages else None
        specimen = self.asking.specimen_of(question or "")
        return [Completion(specimen, finish_reason="stop")] * n


async def calls_of(unit: Unit, judge: "Judge", responses: Sequence[Response]) -> int:
    """The calls that `judge` takes for `responses`, where it can read each reply at once."""
    if not responses or not judge.models():
        return 0
    rehearsal = _Rehearsal(unit.prompt, unit.workshop, unit.caller, asking=judge)
    await judge.judge(rehearsal, responses)
    return len(rehearsal.requests)


def check_cascade(judges: Sequence["Judge"], where: Where) -> None:
    """Raises RecipeError where a judge waits for one that is not there, or at last for itself.

    Also where a bound is wider than the scale of the judge that it is about.
    """
    by_name = {judge.name: judge for judge in judges}
    for judge in judges:
        path = [judge.name]
        while (when := by_name[path[-1]].when) is not None:
            place = f"[[judges]] {path[-1]}: when.judge"
            if when.judge not in by_name:
                hint = nearest(when.judge, by_name)
                raise where.error(f'no such judge "{when.judge}"; {hint}', place)
            _refuse_unreachable(when, by_name[when.judge], replace(where, table=place))
            path.append(when.judge)
            if when.judge in path[:-1]:
                raise where.error(f"waits for itself: {' after '.join(path)}", place)


def _refuse_unreachable(when: When, first: "Judge", where: Where) -> None:
    if first.scale is None:
        return
    low, high = first.scale
    for bound in (when.margin_below, when.spread_above):
        if bound is not None and bound > high - low:
            raise where.error(f"no scores are {bound} apart: {first.name} is {low} to {high}")
