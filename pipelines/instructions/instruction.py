"""An instruction: one kind with its arguments, or the opposite of one; checked and put into words.

As JSON it is a table: `id` (IFEval's, or the part after the colon), its arguments, `opposite` (true
or false), and `text`, how the prompt says it, where that is not in our words.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from pipelines.errors import JudgmentError, nearest
from pipelines.instructions.kinds import KINDS, Kind

OWN = ("id", "opposite", "text")
"""What an entry holds beside arguments."""

RELATIONS = {"at least": "less than", "less than": "at least"}
_FIELD = re.compile(r"\{(not )?(\w+)\}")


@dataclass(frozen=True, slots=True)
class Instruction:
    """What a text keeps to or does not."""

    id: str
    """As the entry has it."""
    arguments: Mapping[str, Any]
    opposite: bool = False
    """Whether the opposite is asked for."""
    text: str | None = None
    """How the prompt says it; None: in our words."""

    @property
    def name(self) -> str:
        """The name of its kind."""
        return self.id.rpartition(":")[2]

    @property
    def kind(self) -> Kind:
        """Its kind. Raises JudgmentError for one that is not known."""
        if self.name not in KINDS:
            raise JudgmentError(f'no such instruction "{self.id}"; {nearest(self.name, KINDS)}')
        return KINDS[self.name]

    def holds(self, text: str) -> bool:
        """Whether `text` keeps to it. Raises JudgmentError where that cannot be told.

        >>> shorter = Instruction("number_words", {"relation": "less than", "num_words": 3})
        >>> shorter.holds("Two words"), shorter.reversed().holds("Two words")
        (True, False)
        """
        try:
            return self.kind.holds(text, self.arguments) != self.opposite
        except (KeyError, TypeError, ValueError) as error:
            raise JudgmentError(f"{self.id}: its arguments are wrong: {error!r}") from error

    def words(self) -> str | None:
        """How it is said; None where there are no words for it.

        >>> Instruction("keywords:frequency", {"keyword": "tea", "relation": "at least",
        ...     "frequency": 2}, opposite=True).words()
        'Use the word "tea" fewer than 2 times.'
        """
        if self.text is not None:
            return self.text
        said = self.kind.opposite if self.opposite else self.kind.said
        return None if said is None else _FIELD.sub(self._argument, said)

    def reversed(self) -> "Instruction":
        """Its opposite, in our words."""
        return replace(self, opposite=not self.opposite, text=None)

    def entry(self) -> dict[str, Any]:
        """The instruction as JSON values, with its words."""
        opposite = {"opposite": True} if self.opposite else {}
        return {"id": self.id, **self.arguments, **opposite, "text": self.words()}

    def _argument(self, field: re.Match[str]) -> str:
        value = self.arguments.get(field[2])
        if field[2].endswith("relation"):
            relation = RELATIONS.get(str(value), f"not {value}") if field[1] else str(value)
            return relation.replace("less", "fewer")
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def read_instructions(reference: str | None) -> dict[str, Instruction]:
    """The instructions in a JSON list, by distinct names. Raises JudgmentError.

    >>> list(read_instructions('[{"id": "punctuation:no_comma"}, {"id": "title"}, {"id": "title"}]'))
    ['no_comma', 'title', 'title_2']
    """
    try:
        entries = orjson.loads(reference or "null")
    except orjson.JSONDecodeError:
        entries = None
    if not isinstance(entries, list) or not entries or not all(map(_is_entry, entries)):
        raise JudgmentError("the reference is no JSON list of instructions, each with an id")
    return _named([_read(entry) for entry in entries])


def _is_entry(entry: Any) -> bool:
    said = isinstance(entry, dict) and isinstance(entry.get("text", ""), str | None)
    return said and isinstance(entry.get("id"), str)


def _read(entry: dict[str, Any]) -> Instruction:
    given = {key: value for key, value in entry.items() if key not in OWN and value is not None}
    return Instruction(entry["id"], given, entry.get("opposite") is True, entry.get("text"))


def _named(instructions: Sequence[Instruction]) -> dict[str, Instruction]:
    named: dict[str, Instruction] = {}
    for one in instructions:
        again = sum(other.name == one.name for other in named.values())
        named[f"{one.name}_{again + 1}" if again else one.name] = one
    return named
