"""List the parts that a recipe is made of, and explain their fields.

For example:
    pairwright parts                  what there is
    pairwright parts filters          the kinds of one shelf
    pairwright parts filters margin   every field of one kind; `parts margin` finds it as well
    pairwright parts publish          every field of a table that has no kinds
    pairwright parts --markdown       all of it as one page
"""

import argparse
import inspect
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flows.texts.recipe_shape import Place
    from pipelines.part import Table

WIDTH = 96


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("shelf", nargs="?", help="a shelf, a table, or a kind")
    what.add_argument("--markdown", action="store_true", help="everything, as a page of Markdown")
    parser.add_argument("kind", nargs="?", help="a kind of that shelf")


def run(chosen: argparse.Namespace) -> int:
    """Prints the shelves, one shelf, one kind or one table."""
    from flows.texts.reference import reference

    blocks = reference() if chosen.markdown else _blocks(chosen.shelf, chosen.kind)
    print("\n\n".join(blocks))
    return 0


def _blocks(word: str | None, kind: str | None) -> Iterator[str]:
    """What `word` (a shelf, a table or a kind) and `kind` ask for. Raises RecipeError."""
    from flows.texts.recipe_shape import places
    from pipelines.errors import RecipeError, nearest

    known = {word: place for place in places() for word in (place.word, place.shelf) if word}
    if word is None:
        yield from _everything()
    elif word in known and known[word].shelf:
        yield from _shelf(known[word]) if kind is None else _kind(known[word], kind)
    elif kind is not None:
        shelves = [word for word, place in known.items() if place.shelf]
        raise RecipeError(f'there is no shelf "{word}"; {nearest(word, shelves)}')
    elif word in known:
        yield known[word].opening
        yield from _explained(known[word].table, outside=known[word].outside)
    elif holders := [place for place in places() if word in place.kinds()]:
        for holder in holders:
            yield from _kind(holder, word)
    else:
        valid = {*known, *(kind for place in places() for kind in place.kinds())}
        raise RecipeError(f'there is no part "{word}"; {nearest(word, valid)}')


def _everything() -> Iterator[str]:
    from flows.texts.fields import summary
    from flows.texts.plain import aligned
    from flows.texts.recipe_shape import places

    plain = [place for place in places() if not place.shelf]
    for place in places():
        if place.shelf:
            opening = f"{place.opening}  {summary(place.table)}"
            yield f"{opening}\n{_wrapped(', '.join(place.kinds()))}"
    yield "Tables without kinds:"
    yield aligned([(place.word, summary(place.table)) for place in plain], indent="  ")
    yield "`pairwright parts WORD` explains a shelf, a kind or a table."


def _shelf(place: "Place") -> Iterator[str]:
    from flows.texts.fields import summary
    from flows.texts.plain import aligned

    yield f"{place.opening}  {summary(place.table)}"
    yield aligned([(kind, summary(place.part(kind))) for kind in place.kinds()], indent="  ")
    yield (
        'A kind is also a file of your own, beside the recipe: kind = "./my_part.py".\n'
        f"`pairwright parts {place.word} KIND` explains one."
    )


def _kind(place: "Place", kind: str) -> Iterator[str]:
    yield f'{place.opening}  kind = "{kind}"'
    yield from _explained(place.part(kind), outside=False)


def _explained(table: "type[Table]", *, outside: bool) -> Iterator[str]:
    """What `table` is, and each key of it and of the tables nested in it."""
    from flows.texts.fields import all_keys

    yield inspect.cleandoc(table.__doc__ or "")
    for name, key in all_keys(table, runtime=outside):
        if name != "kind":
            yield f"  {name}: {key.facts}\n{_wrapped(key.text)}"


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
