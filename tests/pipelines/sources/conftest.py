"""A source as a recipe in `tmp_path` would have it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.part import Where, load_part


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Any]:
    """`source("jsonl", path="rows.jsonl")`: checked, with paths relative to `tmp_path`."""

    def make(kind: str, **fields: Any) -> Any:
        where = Where("recipe.toml", "[sources.rows]", tmp_path)
        return load_part("sources", {"name": "rows", "kind": kind, **fields}, where)

    return make
