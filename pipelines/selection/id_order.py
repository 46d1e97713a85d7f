"""The order of ids, which rows are numbered in."""

import polars as pl


def in_id_order(rows: pl.DataFrame, id_: str, within: str | None = None) -> pl.DataFrame:
    """`rows` sorted by the texts `id_`: all of them, or those with the same number `within`.

    Ids are hexadecimal digits: to sort by the number that the first of them are takes a quarter of
    what texts take. Where that leaves rows in doubt, or ids are others, the texts decide.
    """
    by = [id_] if within is None else [within, id_]
    ordered = rows.sort(_first_digits(id_) if within is None else _number(id_, within))
    above, equal = pl.lit(False), pl.lit(True)
    for key in map(pl.col, by):
        above, equal = above | (equal & (key > key.shift())), equal & (key == key.shift())
    if ordered.select(above.slice(1).fill_null(False).all()).item():
        return ordered
    return rows.sort(by)


def _number(id_: str, within: str) -> pl.Expr:
    """As many digits of the id as there is room for below the number of its group, null first."""
    return (pl.col(within).cast(pl.UInt64) + 1).fill_null(0) * 2**32 + _first_digits(id_, 8)


def _first_digits(id_: str, count: int = 16) -> pl.Expr:
    """The number that they are, null if they are no digits."""
    return pl.col(id_).str.head(count).str.to_integer(base=16, dtype=pl.UInt64, strict=False)
