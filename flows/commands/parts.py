"""List the parts that a recipe is made of, and explain their fields.

For example:
    pairwright parts                  what there is
    pairwright parts filters          the kinds of one shelf
    pairwright parts filters margin   every field of one kind; `parts margin` finds it as well
    pairwright parts publish          every field of a table that has no kinds
"""

import argparse
import inspect
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.part import Part, Table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("shelf", nargs="?", help="a shelf, a table, or a kind")
    parser.add_argument("kind", nargs="?", help="a kind of that shelf")


def run(chosen: argparse.Namespace) -> int:
    """Prints the shelves, one shelf, one kind or one table."""
    print("\n\n".join(_blocks(chosen.shelf, chosen.kind)))
    return 0


SHELF_OF_TABLE = {"models": "backends"}
"""The recipe's word for a shelf, where it is another one."""

WIDTH = 96


def table_of(shelf: str) -> str:
    """How a recipe opens a part of `shelf`.

    >>> table_of("filters"), table_of("sources"), table_of("backends")
    ('[[filters]]', '[sources.NAME]', '[models.NAME]')
    """
    named = {
        "sources": "[sources.NAME]",
        "backends": "[models.NAME]",
        "exporters": "pairwright export --format KIND",
    }
    return named.get(shelf, f"[[{shelf}]]")


def plain_tables() -> "dict[str, type[Table]]":
    """The tables without kinds, by the words that `parts` knows them by."""
    from pipelines.calls.budget import Budget
    from pipelines.intake.prompts import PromptTable
    from pipelines.publishing.gates import Gates
    from pipelines.publishing.layout import Publish
    from pipelines.recipe import Head
    from pipelines.selection.score import Score

    return {
        "recipe": Head,
        "prompts": PromptTable,
        "score": Score,
        "publish": Publish,
        "gates": Gates,
        "budget": Budget,
    }


def _blocks(word: str | None, kind: str | None) -> Iterator[str]:
    """What `word` (a shelf, a table or a kind) and `kind` ask for. Raises RecipeError."""
    from pipelines.errors import RecipeError, nearest
    from pipelines.part import SHELVES, kinds

    tables, shelf = plain_tables(), SHELF_OF_TABLE.get(word or "", word)
    if shelf is None:
        yield from _everything(tables)
    elif shelf in SHELVES and kind is not None:
        yield from _kind(shelf, kind)
    elif kind is not None:
        raise RecipeError(f'there is no shelf "{word}"; {nearest(shelf, SHELVES)}')
    elif shelf in SHELVES:
        yield from _shelf(shelf)
    elif shelf in tables:
        yield from _explained(tables[shelf])
    elif holders := [place for place in SHELVES if shelf in kinds(place)]:
        for holder in holders:
            yield from _kind(holder, shelf)
    else:
        valid = {*SHELVES, *tables, *(name for place in SHELVES for name in kinds(place))}
        raise RecipeError(f'there is no part "{word}"; {nearest(shelf, valid)}')


def _everything(tables: "dict[str, type[Table]]") -> Iterator[str]:
    from flows.field_text import summary
    from flows.plain_text import aligned
    from pipelines.part import SHELVES, contract_of, kinds

    for shelf in SHELVES:
        opening = f"{table_of(shelf)}  {summary(contract_of(shelf))}"
        yield f"{opening}\n{_wrapped(', '.join(kinds(shelf)))}"
    yield "Tables without kinds:"
    yield aligned([(word, summary(table)) for word, table in tables.items()], indent="  ")
    yield "`pairwright parts WORD` explains a shelf, a kind or a table."


def _shelf(shelf: str) -> Iterator[str]:
    from flows.field_text import summary
    from flows.plain_text import aligned
    from pipelines.part import contract_of, kinds

    yield f"{table_of(shelf)}  {summary(contract_of(shelf))}"
    yield aligned([(kind, summary(_part(shelf, kind))) for kind in kinds(shelf)], indent="  ")
    yield (
        'A kind is also a file of your own, beside the recipe: kind = "./my_part.py".\n'
        f"`pairwright parts {shelf} KIND` explains one."
    )


def _kind(shelf: str, kind: str) -> Iterator[str]:
    yield f'{table_of(shelf)}  kind = "{kind}"'
    yield from _explained(_part(shelf, kind))


def _part(shelf: str, kind: str) -> "type[Part]":
    from pathlib import Path

    from pipelines.part import Where, part_class

    return part_class(shelf, kind, Where("pairwright parts", shelf, Path()))[0]


def _explained(table: "type[Table]") -> Iterator[str]:
    """What `table` is, and each field of it and of the tables nested in it."""
    from flows.field_text import fields_of

    yield inspect.cleandoc(table.__doc__ or "")
    for key, facts, text in fields_of(table):
        if key != "kind":
            yield f"  {key}: {facts}\n{_wrapped(text)}"


def _wrapped(text: str) -> str:
    indent = " " * 6
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
