"""Groups of pairs: those with one value in a column of texts, such as a task or a source."""

import polars as pl

from pipelines.errors import nearest
from pipelines.part import Where
from pipelines.selection.frames import PAIRS

NAMES = tuple(name for name, kind in PAIRS.items() if kind == pl.String)
"""The columns of `frames.PAIRS` that pairs can be grouped by."""


def check_group(column: str, where: Where, key: str) -> None:
    """Raises RecipeError where `column`, which stands under `key`, is none of `NAMES`."""
    if column not in NAMES:
        hint = nearest(column, NAMES)
        raise where.error(f'no text of pairs is called "{column}"; {hint}', key)
