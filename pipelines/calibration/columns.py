"""Columns of a labelled file: which of them is the prompt, which the responses, which the label.

A field is the column of its own name unless `--column FIELD=COLUMN` says otherwise.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipelines.errors import RecipeError, nearest
from schemas.rows import Verdict

FIELDS = ("prompt", "messages", "system", "tools", "reference", "response_a", "response_b",
          "chosen", "rejected", "winner_ab", "winner_ba", "label", "category", "id")  # fmt: skip

Shape = Literal["sides", "chosen", "recorded"]
"""Responses a and b with a label; chosen and rejected; or what a judge said, and a label."""

SPELLINGS: dict[Verdict, tuple[str, ...]] = {
    "a": ("a", "A"),
    "b": ("b", "B"),
    "tie": ("tie", "Tie", "TIE"),
}
"""How files write who is better, where `--spelling` adds nothing."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one file, by field, and how it writes verdicts."""

    of: Mapping[str, str]
    shape: Shape
    spellings: Mapping[str, Verdict] = field(default_factory=lambda: spellings_of(()))

    def __getitem__(self, name: str) -> str | None:
        return self.of.get(name)


def columns_of(
    there: Collection[str],
    named: Sequence[str],
    spelled: Sequence[str] = (),
    *,
    place: str,
    labelled: bool = True,
) -> Columns:
    """The columns of a file that has those of `there`; `named` are the user's "FIELD=COLUMN".

    Raises RecipeError, which lists the columns, where one is missing. Without `labelled` there
    need be no label.

    >>> columns = columns_of(["q", "chosen", "rejected"], ["prompt=q"], place="x.jsonl")
    >>> columns["prompt"], columns.shape
    ('q', 'chosen')
    """
    own = dict(_named(one, there, place) for one in named)
    of = {name: name for name in FIELDS if name in there and name not in own} | own
    if "prompt" in own and "messages" not in own:
        of.pop("messages", None)
    shape = _shape(of)
    if shape is None:
        raise RecipeError(
            f"{place}: response_a and response_b, chosen and rejected, or winner_ab are needed; "
            f"{_how(there)}"
        )
    if shape != "recorded" and not {"prompt", "messages"} & of.keys():
        raise RecipeError(f"{place}: the prompt is needed (prompt or messages); {_how(there)}")
    if shape != "chosen" and labelled and "label" not in of:
        raise RecipeError(f"{place}: the label is needed; {_how(there)}")
    return Columns(of, shape, spellings_of(spelled))


def spellings_of(spelled: Sequence[str]) -> dict[str, Verdict]:
    """Text -> verdict, from the user's "a=1", "tie=0,Tie" beside the usual ones.

    >>> found = spellings_of(["a=1", "tie=0,Same"])
    >>> found["1"], found["A"], found["Same"]
    ('a', 'a', 'tie')
    """
    found: dict[str, Verdict] = {text: side for side, texts in SPELLINGS.items() for text in texts}
    for one in spelled:
        side, equals, texts = one.partition("=")
        if not equals or side not in SPELLINGS:
            raise RecipeError(f'--spelling {one}: wanted "a=TEXT", "b=TEXT" or "tie=TEXT"')
        for text in texts.split(","):
            if found.setdefault(text, side) != side:
                raise RecipeError(f'--spelling {one}: "{text}" stands for {found[text]} too')
    return found


def _named(given: str, there: Collection[str], place: str) -> tuple[str, str]:
    name, equals, column = given.partition("=")
    if not equals or name not in FIELDS:
        raise RecipeError(f'--column {given}: wanted "FIELD=COLUMN"; {nearest(name, FIELDS)}')
    if column not in there:
        raise RecipeError(f'{place}: no column "{column}" (--column {given}); {_there(there)}')
    return name, column


def _shape(of: Iterable[str]) -> Shape | None:
    names = set(of)
    if names & {"winner_ab", "winner_ba"}:
        return "recorded"
    if {"response_a", "response_b"} <= names:
        return "sides"
    return "chosen" if {"chosen", "rejected"} <= names else None


def _how(there: Collection[str]) -> str:
    return f"{_there(there)}. `--column FIELD=COLUMN` says which is which"


def _there(there: Collection[str]) -> str:
    return f"columns: {', '.join(sorted(there))}"
