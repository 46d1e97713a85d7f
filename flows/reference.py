"""Every key of every table and kind, as Markdown: the reference part of docs/recipes.md."""

import inspect
from collections.abc import Collection, Iterable, Iterator

from flows.field_text import Key, keys_in_words
from flows.recipe_shape import Place, places
from pipelines.part import Part, Table


def reference() -> Iterator[str]:
    """The page in blocks: a section for each table, in it each kind, and what tables they nest."""
    nested: dict[type[Table], str] = {}
    for place in places():
        for table in (place.table, *map(place.part, place.kinds())):
            nested |= _nested(table)
    yield from _shared_by_all()
    for place in places():
        yield from _section(place)
    for table, name in nested.items():
        yield f"### {_heading(name)}"
        yield from _explained(table, ())


def _nested(table: type[Table]) -> dict[type[Table], str]:
    """The tables that may stand in `table`, and the keys that hold them."""
    found: dict[type[Table], str] = {}
    for key in keys_in_words(table):
        for inner in key.tables:
            found |= {inner: key.name} | _nested(inner)
    return found


def _shared_by_all() -> Iterator[str]:
    yield "### Every part"
    yield "A part is a table with a `kind`, which says what other keys it takes."
    yield _table(keys_in_words(Part))


def _section(place: Place) -> Iterator[str]:
    yield f"### `{place.opening}`"
    if not place.shelf:
        yield from _explained(place.table, (), outside=place.outside)
        return
    common = list(keys_in_words(Part))
    yield from _explained(place.table, common)
    common += keys_in_words(place.table)
    for kind in place.kinds():
        yield f'#### `kind = "{kind}"`'
        yield from _explained(place.part(kind), common)


def _explained(
    table: type[Table], known: Collection[Key], *, outside: bool = False
) -> Iterator[str]:
    """What `table` is, and its keys but for those that are `known`."""
    yield inspect.cleandoc(table.__doc__ or "")
    keys = [key for key in keys_in_words(table, runtime=outside) if key not in known]
    if keys:
        yield _table(keys)


def _table(keys: Iterable[Key]) -> str:
    rows = [("key", "value", "default", "meaning"), ("---",) * 4, *map(_row, keys)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(key: Key) -> tuple[str, ...]:
    values = key.values
    if key.tables:
        values = f"[{values}](#{_heading(key.name).replace('`', '').replace(' ', '-').lower()})"
    default = "required" if key.required else f"`{key.default}`" if key.default else ""
    cells = (f"`{key.name}`", f"{values}, *runtime*" if key.runtime else values, default, key.text)
    return tuple(" ".join(cell.split()).replace("|", r"\|") for cell in cells)


def _heading(name: str) -> str:
    return f"Keys of `{name}`"
