"""Labelled pairs: two responses to one prompt, and which of them people hold to be better.

    row ─ labelled_row ─> LabelledPair          equal pairs ─ label_set ─> one, or none

A pair whose row is repeated counts once (`repeated`); where the labels of its rows differ, none of
them counts (`contradictory`).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from schemas.canonical import canonical_json, draw_unit, make_id
from schemas.rows import Drop, Message, Prompt, Verdict

STEP, REASON = "gates.judge_accuracy", "labelled"
"""What drops a labelled prompt from a build, and the reason that is counted."""

ROUND: dict[Verdict, Verdict] = {"a": "b", "b": "a", "tie": "tie"}
"""A verdict after the sides have changed places."""


@dataclass(frozen=True, slots=True)
class Winners:
    """What a judge is recorded to have said, in terms of the labelled sides; None: unread."""

    ab: Verdict | None = None
    ba: Verdict | None = None
    """With b shown first."""
    asked: tuple[bool, bool] = (False, False)
    """Whether the table has a column for the order, AB and BA."""
    unread: tuple[str, ...] = ()
    """Why an order could not be read, for each that could not."""


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """Two responses with a label."""

    pair_id: str
    group: str
    """Pairs of one group (one prompt) are no independent witnesses."""
    label: Verdict | None
    """None in a file without labels."""
    prompt: Prompt | None = None
    """None in a table of recorded judgments without prompts."""
    sides: tuple[str, str] | None = None
    """The texts of a and b; None as for `prompt`."""
    category: str | None = None
    winners: Winners | None = None
    """What a judge said already; None: it is to be asked."""
    key: str | None = None
    """The id of a recorded judgment, where its table has one."""

    def content(self) -> list[Any]:
        """What makes it this labelled pair, whichever side comes first.

        Without a prompt that is its id, or else its place: a label alone could be that of any pair.
        """
        sides = None if self.sides is None else sorted(self.sides)
        prompt, key = (
            (None, self.group) if self.prompt is None else (self.prompt.prompt_id, self.key)
        )
        return [prompt, sides, key, self.label_of_first()]

    def label_of_first(self) -> Verdict | None:
        """The label with the sides in sorted order."""
        turned = self.sides is not None and self.sides[0] > self.sides[1]
        return ROUND[self.label] if turned and self.label is not None else self.label


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labelled pairs of a file, sorted by id, and what else was in it."""

    name: str
    pairs: tuple[LabelledPair, ...]
    dropped: Counter[str] = field(default_factory=Counter)
    """Reason -> rows."""

    @property
    def groups(self) -> int:
        """Distinct prompts."""
        return len({pair.group for pair in self.pairs})

    @property
    def is_recorded(self) -> bool:
        """Whether a judge has spoken already, so that nothing is to be asked."""
        return any(pair.winners is not None for pair in self.pairs)

    @property
    def is_labelled(self) -> bool:
        """Whether every pair has a label."""
        return all(pair.label is not None for pair in self.pairs)

    @property
    def digest(self) -> str:
        """SHA-256 of the pairs and their labels. The order of rows and of sides changes nothing."""
        contents = sorted(canonical_json(pair.content()) for pair in self.pairs)
        return hashlib.sha256(b"\n".join(contents)).hexdigest()

    def asked(self) -> tuple[str, ...]:
        """What the prompts ask, sorted: ids as of `asked_id`."""
        prompts = (pair.prompt for pair in self.pairs if pair.prompt is not None)
        return tuple(sorted({asked_id(prompt.messages) for prompt in prompts}))

    def sampled(self, wanted: int | None, seed: int) -> "LabelSet":
        """A seeded sample of `wanted` pairs."""
        if wanted is None or wanted >= len(self.pairs):
            return self
        drawn = sorted(self.pairs, key=lambda pair: draw_unit(seed, "labelled", pair.pair_id))
        return replace(self, pairs=_sorted(drawn[:wanted]))

    def halves(self, seed: int) -> tuple["LabelSet", "LabelSet"]:
        """Two sets that share no prompt: one to choose by, the other to check the choice."""
        first = {pair.group for pair in self.pairs if draw_unit(seed, "choose", pair.group) < 0.5}
        chosen, other = (
            tuple(pair for pair in self.pairs if (pair.group in first) == wanted)
            for wanted in (True, False)
        )
        return replace(self, pairs=chosen), replace(self, pairs=other)


def asked_id(messages: Iterable[Message]) -> str:
    """An id of what a conversation asks: system messages and tools do not count.

    So a labelled prompt is the same one where a build asks it with a system message of its own.
    """
    asked = [one.canonical() for one in messages if one.role not in ("system", "developer")]
    return make_id("asked", asked)


def labelled_drops(prompts: Sequence[Prompt], labelled: Mapping[str, str]) -> list[Drop]:
    """Why those of `prompts` go that judges were checked on (id of what is asked -> labels)."""
    return [
        Drop("prompts", one.prompt_id, one.prompt_id, STEP, REASON, labelled[asked])
        for one in prompts
        if (asked := asked_id(one.messages)) in labelled
    ]


def label_set(name: str, pairs: Iterable[LabelledPair], dropped: Counter[str]) -> LabelSet:
    """The distinct pairs; those whose labels contradict each other are all dropped."""
    same: dict[str, list[LabelledPair]] = {}
    for pair in pairs:
        same.setdefault(pair.pair_id, []).append(pair)
    kept = []
    for found in same.values():
        if len({pair.label_of_first() for pair in found}) > 1:
            dropped["contradictory"] += len(found)
        else:
            dropped["repeated"] += len(found) - 1
            kept.append(found[0])
    return LabelSet(name, _sorted(kept), +dropped)


def _sorted(pairs: Iterable[LabelledPair]) -> tuple[LabelledPair, ...]:
    return tuple(sorted(pairs, key=lambda pair: pair.pair_id))
