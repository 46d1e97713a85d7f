"""Columns of a source, as a recipe names them: one, or several that form a key together."""

from typing import Annotated

from pydantic import BeforeValidator

from pipelines.part import InWords


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), InWords("text or list of text")]
"""`model = "one"` or `model = ["one", "other"]`."""

Columns = Names
"""`key = "id"` or `key = ["id", "model"]`."""
