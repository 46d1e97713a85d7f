"""Columns of a source, as a recipe names them: one, or several that form a key together."""

from typing import Annotated

from pydantic import BeforeValidator


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Columns = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
"""`key = "id"` or `key = ["id", "model"]`."""
