"""Ids and draws of many rows at once: what `schemas.canonical` says of one, column by column.

A path is what `make_id` or `draw_integer` is given: values, and in the place of some a `pl.col` of
texts. DuckDB writes the rows' canonical JSON and hashes it, in less time than a loop hashes alone.
"""

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa

from schemas.canonical import ID_LENGTH, canonical_json

if TYPE_CHECKING:
    import duckdb

ROWS_AT_ONCE = 1 << 18
"""So many rows are given to DuckDB together."""
CHARACTERS_AT_ONCE = 1 << 17
"""So many characters are looked at together: what is noted of them stays near the processor."""

_CHARACTERS = map(chr, range(128))
_ESCAPED = {
    character: escaped
    for character in _CHARACTERS
    if (escaped := canonical_json(character).decode()[1:-1]) != character
}
"""How JSON writes the characters that do not stand for themselves."""
_PRINTED = [ord(character) for character in _ESCAPED if character.isprintable()]
"""Those of them that are no control characters, all of which are among them."""


def make_ids(rows: pl.DataFrame, kind: str, *path: Any) -> pl.Series:
    """`canonical.make_id` of each row."""
    return _hashed(rows, (kind, *path), f"left({{}}, {ID_LENGTH})", pl.String)


def draw_integers(rows: pl.DataFrame, *path: Any) -> pl.Series:
    """`canonical.draw_integer` of each row: UInt64."""
    return _hashed(rows, path, "('0x' || left({}, 16))::UBIGINT", pl.UInt64)


def _hashed(
    rows: pl.DataFrame, path: tuple[Any, ...], made_of: str, kind: type[pl.DataType]
) -> pl.Series:
    parts = {f"part{place}": part for place, part in enumerate(path)}
    texts = rows.select(**{name: part for name, part in parts.items() if isinstance(part, pl.Expr)})
    json = ", ',', ".join(_json(part, texts, name) for name, part in parts.items())
    made = made_of.format(f"sha256(concat('[', {json}, ']'))")
    found = [pl.Series(dtype=kind)]
    with _database().cursor() as con:
        for some in texts.iter_slices(ROWS_AT_ONCE):
            con.register("texts", _escaped(some))
            found.append(con.sql(f"SELECT {made} AS made FROM texts").pl()["made"])  # noqa: S608
    return pl.concat(found)


@cache
def _database() -> "duckdb.DuckDBPyConnection":
    """One for the process: to start a database takes longer than to hash a thousand rows."""
    import duckdb  # no recipe needs it before its calls (`meanwhile`)

    return duckdb.connect()


def _json(part: Any, texts: pl.DataFrame, name: str) -> str:
    """SQL for the canonical JSON of a value, or of each text of the column `name`."""
    if not isinstance(part, pl.Expr):
        return "'" + canonical_json(part).decode().replace("'", "''") + "'"
    if texts[name].null_count():
        return f"""if({name} IS NULL, 'null', '"' || {name} || '"')"""
    return f"""'"', {name}, '"'"""


def _escaped(texts: pl.DataFrame) -> pa.Table:
    """Texts as JSON writes them between the quotes."""
    table = _to_arrow(texts)
    # most are ids: to look whether there is anything to replace costs less
    if any(_has_special(chunk) for column in table.columns for chunk in column.chunks):
        return _to_arrow(texts.select(pl.all().str.replace_many(_ESCAPED)))
    return table


def _has_special(texts: pa.Array) -> bool:
    every = np.frombuffer(texts.buffers()[2] or b"", np.uint8)
    for begin in range(0, len(every), CHARACTERS_AT_ONCE):
        some = every[begin : begin + CHARACTERS_AT_ONCE]
        if (some < ord(" ")).any() or any((some == printed).any() for printed in _PRINTED):
            return True
    return False


def _to_arrow(texts: pl.DataFrame) -> pa.Table:
    """With the texts in one piece each, which DuckDB reads faster."""
    return texts.to_arrow(compat_level=pl.CompatLevel.oldest())
