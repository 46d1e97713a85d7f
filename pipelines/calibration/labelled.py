"""Labelled pairs: two responses to one prompt, and which of them people hold to be better.

    row ─ read_pair ─> LabelledPair | UnusableRow        equal pairs ─ label_set ─> one, or none

Reasons why a row is no labelled pair: those of prompts, `empty_response`, `identical_responses`,
`unknown_label`, `repeated` (a row with the same pair and label is there already), and
`contradictory` (rows of one pair whose labels differ: all of them go).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipelines.calibration.columns import Columns
from pipelines.intake.cells import UnusableRow, as_text, is_missing, needed_text, optional_text
from pipelines.intake.conversation import read_messages
from pipelines.intake.prompts import PromptTable, read_prompt
from pipelines.source import Row
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
        """What makes it this labelled pair, whichever side comes first."""
        sides = None if self.sides is None else sorted(self.sides)
        return [self.prompt and self.prompt.prompt_id, sides, self.key, self.label_of_first()]

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


def read_pair(columns: Columns, row: Row, place: str, seed: int) -> LabelledPair:
    """The labelled pair in one row. Raises UnusableRow.

    Sides of a file with chosen and rejected are put in an order drawn by `seed`: a judge that
    always prefers the first is not to be right.
    """
    if columns.shape == "recorded":
        return _recorded(columns, row, place)
    prompt = _prompt(columns, row)
    if columns.shape == "chosen":
        better, worse = (_side(row, columns, name) for name in ("chosen", "rejected"))
        if draw_unit(seed, "side", prompt.prompt_id, better, worse) < 0.5:
            return _pair(prompt, (worse, better), "b", _category(columns, row))
        return _pair(prompt, (better, worse), "a", _category(columns, row))
    sides = _side(row, columns, "response_a"), _side(row, columns, "response_b")
    return _pair(prompt, sides, _label(columns, row), _category(columns, row))


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


def _pair(
    prompt: Prompt, sides: tuple[str, str], label: Verdict | None, category: str | None
) -> LabelledPair:
    if not all(side.strip() for side in sides):
        raise UnusableRow("empty_response", "a response is empty")
    if sides[0] == sides[1]:
        raise UnusableRow("identical_responses", "both responses are the same text")
    pair_id = make_id("labelled", prompt.prompt_id, sorted(sides))
    return LabelledPair(pair_id, prompt.prompt_id, label, prompt, sides, category)


def _prompt(columns: Columns, row: Row) -> Prompt:
    """The prompt, in a column of text or of messages; else that of the chosen conversation."""
    column = columns["messages"] or columns["prompt"]
    assert column is not None
    listed = columns["messages"] is not None or isinstance(row.get(column), list)
    table = PromptTable(
        text=None if listed else column,
        messages=column if listed else None,
        system=columns["system"],
        tools=columns["tools"],
        reference=columns["reference"],
    )
    return read_prompt(table, row, "labelled")


def _side(row: Row, columns: Columns, name: str) -> str:
    """The text of a response: a cell of text, or the last of a list of messages."""
    column = columns[name]
    assert column is not None
    value: Any = row.get(column)
    if not isinstance(value, list):
        return needed_text(row, column)
    last = read_messages(value)[-1]
    if last.role != "assistant":
        raise UnusableRow("bad_messages", f"{column}: the last message is the {last.role}'s")
    return last.content or ""


def _label(columns: Columns, row: Row) -> Verdict | None:
    if columns["label"] is None:
        return None
    verdict = _verdict(columns, row, "label")
    if verdict is None:
        said = row.get(columns["label"])
        raise UnusableRow("unknown_label", "nothing" if is_missing(said) else as_text(said))
    return verdict


def _verdict(columns: Columns, row: Row, name: str) -> Verdict | None:
    """The verdict in a cell; None for a missing or unknown one."""
    value = row.get(columns[name] or "")
    if is_missing(value):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # whole numbers beside nulls come as floats
    return columns.spellings.get(as_text(value).strip())


def _category(columns: Columns, row: Row) -> str | None:
    return optional_text(row, columns["category"])


def _recorded(columns: Columns, row: Row, place: str) -> LabelledPair:
    """A row of recorded judgments. Its letters are as shown: in BA, A is the second response."""
    label, asks = _label(columns, row), columns["prompt"] or columns["messages"]
    prompt = _prompt(columns, row) if asks else None
    ab, shown_ba = (_verdict(columns, row, name) for name in ("winner_ab", "winner_ba"))
    winners = Winners(
        ab=ab,
        ba=None if shown_ba is None else ROUND[shown_ba],
        asked=(columns["winner_ab"] is not None, columns["winner_ba"] is not None),
    )
    key = optional_text(row, columns["id"])
    named = columns["response_a"], columns["response_b"]
    sides = None
    if prompt is not None and all(named):
        sides = optional_text(row, named[0]) or "", optional_text(row, named[1]) or ""
    return LabelledPair(
        pair_id=make_id(
            "recorded", prompt and prompt.prompt_id, sides and sorted(sides), key or place
        ),
        group=key or place if prompt is None else prompt.prompt_id,
        label=label,
        prompt=prompt,
        sides=sides,
        category=_category(columns, row),
        winners=winners,
        key=key,
    )
