"""Rows of a labelled file, each read as a labelled pair.

Reasons why a row is none: those of prompts, and `empty_response`, `identical_responses`,
`unknown_label`.
"""

from typing import Any

from pipelines.calibration.columns import Columns
from pipelines.calibration.labelled import ROUND, LabelledPair, Winners
from pipelines.intake.cells import (
    UnusableRow,
    as_text,
    is_missing,
    needed_text,
    optional_text,
    shortened,
)
from pipelines.intake.conversation import read_messages
from pipelines.intake.prompts import PromptTable, read_prompt
from pipelines.source import Row
from schemas.canonical import draw_unit, make_id
from schemas.rows import Prompt, Verdict

WINNERS = ("winner_ab", "winner_ba")


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
        raise UnusableRow("unknown_label", _unknown(columns, row, "label"))
    return verdict


def _unknown(columns: Columns, row: Row, name: str) -> str:
    """What stands in a cell that holds no verdict."""
    said = row.get(columns[name] or "")
    if is_missing(said) or not as_text(said).strip():
        return "nothing"
    return f'"{shortened(as_text(said))}" (--spelling says what it stands for)'


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
        winners=_winners(columns, row),
        key=key,
    )


def _winners(columns: Columns, row: Row) -> Winners:
    ab, shown_ba = (_verdict(columns, row, name) for name in WINNERS)
    said = zip(WINNERS, (ab, shown_ba), strict=True)
    return Winners(
        ab=ab,
        ba=None if shown_ba is None else ROUND[shown_ba],
        asked=(columns["winner_ab"] is not None, columns["winner_ba"] is not None),
        unread=tuple(
            f"{name}: {_unknown(columns, row, name)}"
            for name, verdict in said
            if verdict is None and columns[name] is not None
        ),
    )
