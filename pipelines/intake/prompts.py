"""Prompts: from the rows of sources to distinct prompts.

    row ─ read_prompt ─> Prompt | UnusableRow          equal ids ─ united ─> one Prompt

Reasons why a row becomes no prompt: `missing_value`, `not_text`, `empty_prompt`, `bad_messages`,
`ends_with_assistant`; and `unreadable_row` for a row that the source itself cannot read.
"""

from collections.abc import Iterable
from dataclasses import replace

from pydantic import model_validator

from pipelines.intake.cells import UnusableRow, is_missing, needed_text, optional_text
from pipelines.intake.columns import Columns
from pipelines.intake.conversation import read_messages, read_tools, refuse_wrong_end
from pipelines.part import Table
from pipelines.source import Row
from schemas.rows import Message, Prompt, prompt_id


class PromptTable(Table):
    """How the rows of one source become prompts."""

    source: str = ""
    """Name of the source. Default: the recipe's only source."""
    text: str | None = None
    """Column with the user's message. Exactly one of `text` and `messages` is given."""
    messages: str | None = None
    """Column with the conversation: a list of {role, content...}, or the JSON text of one."""
    system: str | None = None
    """Column with a system message to put first."""
    tools: str | None = None
    """Column with tool definitions (a list, or its JSON text)."""
    key: Columns = ()
    """Columns under whose values recorded rows find this prompt."""
    reference: str | None = None
    """Column with the gold answer."""
    group: str | None = None
    """Column with the group: prompts of one group stay on one side of a split."""
    licence: str | None = None
    """Column with the licence of the row."""
    lang: str | None = None
    """Column with the language code."""
    task: str | None = None
    """Column with the task or category."""

    @model_validator(mode="after")
    def _one_way_to_ask(self) -> "PromptTable":
        if (self.text is None) == (self.messages is None):
            raise ValueError("exactly one of text and messages is needed")
        return self


def read_prompt(table: PromptTable, row: Row, source: str) -> Prompt:
    """The prompt in one row. Raises UnusableRow; nothing in the texts is normalised."""
    messages = _with_system(_messages(table, row), optional_text(row, table.system))
    refuse_wrong_end(messages)
    tools = read_tools(row.get(table.tools)) if table.tools is not None else None
    return Prompt(
        prompt_id=prompt_id(messages, tools),
        messages=messages,
        tools=tools,
        reference=optional_text(row, table.reference),
        group_id=optional_text(row, table.group),
        sources=(source,),
        licence=optional_text(row, table.licence),
        lang=optional_text(row, table.lang),
        task=optional_text(row, table.task),
    )


def _messages(table: PromptTable, row: Row) -> tuple[Message, ...]:
    if table.text is not None:
        return (Message("user", needed_text(row, table.text)),)
    assert table.messages is not None
    value = row.get(table.messages)
    if is_missing(value):
        raise UnusableRow("missing_value", table.messages)
    return read_messages(value)


def _with_system(messages: tuple[Message, ...], system: str | None) -> tuple[Message, ...]:
    if system is None:
        return messages
    if messages[0].role in ("system", "developer"):
        raise UnusableRow("bad_messages", "a system message beside the column of `system`")
    return (Message("system", system), *messages)


def united(first: Prompt, again: Prompt, reference: str | None, *, last: bool = False) -> Prompt:
    """Two rows of one prompt as one: sources and licences of both, else what the first says.

    Which `reference` it has is for the caller to decide; `last`: its group is the second's.
    """
    groups = (again.group_id, first.group_id) if last else (first.group_id, again.group_id)
    return replace(
        first,
        reference=reference,
        group_id=groups[0] or groups[1],
        sources=tuple(sorted({*first.sources, *again.sources})),
        licence=joined_licences([first.licence, again.licence]),
        lang=first.lang or again.lang,
        task=first.task or again.task,
    )


def joined_licences(licences: Iterable[str | None]) -> str | None:
    """The licence of a row that stands under all of `licences`, as an SPDX expression.

    >>> joined_licences(["MIT", None, "Apache-2.0 AND MIT"]), joined_licences([None])
    ('Apache-2.0 AND MIT', None)
    """
    terms = {term for licence in licences if licence for term in licence.split(" AND ")}
    return " AND ".join(sorted(terms)) or None
