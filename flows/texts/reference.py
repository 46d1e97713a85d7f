"""Every key of every table and kind, as Markdown: the reference part of docs/recipes.md."""

import inspect
from collections.abc import Collection, Iterable, Iterator, Mapping

from flows.texts.fields import Key, keys_in_words
from flows.texts.recipe_shape import Place, places
from pipelines.part import Part, Table

Headings = Mapping[type[Table], str]
"""Of the tables that stand in others, the headings of their sections."""


def reference() -> Iterator[str]:
    """The page in blocks: a section for each table, in it each kind, and what tables they nest."""
    nested = _all_nested()
    yield from _shared_by_all(nested)
    for place in places():
        yield from _section(place, nested)
    for table, heading in nested.items():
        yield f"### {heading}"
        yield from _explained(table, (), nested)


def _all_nested() -> Headings:
    """The tables that stand in others: each under the key that holds it first."""
    headings: dict[type[Table], str] = {}
    for place in places():
        holders = {"": place.table, **{kind: place.part(kind) for kind in place.kinds()}}
        for kind, holder in holders.items():
            for table, name in _nested(holder).items():
                heading = f"Keys of `{name}`"
                if heading in headings.values():
                    heading += f" of `{kind or place.word}`"
                headings.setdefault(table, heading)
    return headings


def _nested(table: type[Table]) -> dict[type[Table], str]:
    """The tables that may stand in `table`, and the keys that hold them."""
    found: dict[type[Table], str] = {}
    for key in keys_in_words(table):
        for inner in key.tables:
            found |= {inner: key.name} | _nested(inner)
    return found


def _shared_by_all(headings: Headings) -> Iterator[str]:
    yield "### Every part"
    yield "A part is a table with a `kind`, which says what other keys it takes."
    yield _table(keys_in_words(Part), headings)


def _section(place: Place, headings: Headings) -> Iterator[str]:
    yield f"### `{place.opening}`"
    if not place.shelf:
        yield from _explained(place.table, (), headings, outside=place.outside)
        return
    common = list(keys_in_words(Part))
    yield from _explained(place.table, common, headings)
    common += keys_in_words(place.table)
    for kind in place.kinds():
        yield f'#### `kind = "{kind}"`'
        yield from _explained(place.part(kind), common, headings)


def _explained(
    table: type[Table], known: Collection[Key], headings: Headings, *, outside: bool = False
) -> Iterator[str]:
    """What `table` is, and its keys but for those that are `known`."""
    yield inspect.cleandoc(table.__doc__ or "")
    keys = [key for key in keys_in_words(table, runtime=outside) if key not in known]
    if keys:
        yield _table(keys, headings)


def _table(keys: Iterable[Key], headings: Headings) -> str:
    shown = (_row(key, headings) for key in keys)
    rows = [("key", "value", "default", "meaning"), ("---",) * 4, *shown]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(key: Key, headings: Headings) -> tuple[str, ...]:
    values = key.values
    if key.tables:
        heading = headings[key.tables[0]]
        values = f"[{values}](#{heading.replace('`', '').replace(' ', '-').lower()})"
    default = "required" if key.required else f"`{key.default}`" if key.default else ""
    cells = (f"`{key.name}`", f"{values}, *runtime*" if key.runtime else values, default, key.text)
    return tuple(" ".join(cell.split()).replace("|", r"\|") for cell in cells)
