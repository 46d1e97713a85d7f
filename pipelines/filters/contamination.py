"""Prompts that stand in an evaluation set: a model trained on them would be examined on them."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import orjson
import polars as pl
from pydantic import Field, PrivateAttr, model_validator

from pipelines.errors import RecipeError, nearest
from pipelines.filter import Filter, On
from pipelines.part import Where
from pipelines.risks.overlap import Runs, runs_of

TEXTS_AT_ONCE = 4096


class Contamination(Filter):
    """Drops prompts that have `n` words in a row in common with a text of an evaluation set.

    Words are compared without case and punctuation (NFKC). Each set counts its own prompts. It runs
    before any call.
    """

    on: ClassVar[On] = "prompts"

    against: tuple[str, ...] = Field(min_length=1)
    """Paths of the evaluation sets, relative to the recipe: `.jsonl` or `.parquet`, each with a
    name of its own. The reason is "in_" and that name."""
    column: str = "text"
    """Their column that holds the text."""
    n: int = Field(default=13, ge=1)
    """Words in a row; 13 are those of the GPT-3 paper (arXiv 2005.14165)."""
    min_words: int = Field(default=8, ge=1)
    """An evaluation text of fewer than `n` words is looked for as a whole. With fewer than so many
    words a prompt must consist of it, since "Tell me why" stands in many."""

    _runs: dict[str, Runs] = PrivateAttr(default_factory=dict)
    _sha256s: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _distinct(self) -> "Contamination":
        names = [Path(path).stem for path in self.against]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two sets are called {min(twice)}; their reasons could not be told")
        return self

    def identity(self) -> dict[str, Any]:
        """As `Part.identity`; a set counts by its name and content, wherever it lies."""
        return super().identity() | {"against": self._sha256s}

    def check(self, where: Where) -> None:
        """Reads the sets. Raises RecipeError for one that is missing, or has no text."""
        for given in self.against:
            path = where.root / given
            try:
                self._sha256s[path.stem] = hashlib.sha256(path.read_bytes()).hexdigest()
                runs = runs_of(_texts(path, self.column), self.n, self.min_words)
            except (RecipeError, OSError) as error:
                raise where.error(str(error), "against") from error
            if not runs.hashes:
                raise where.error(f"{path}: no word in any {self.column}", "against")
            self._runs[path.stem] = runs

    def drops(self) -> dict[str, pl.Expr]:
        """A prompt's text is that of all its messages together."""
        text = pl.col("prompt_text")
        return {
            f"in_{name}": text.map_batches(
                _overlap(runs), return_dtype=pl.Boolean, is_elementwise=True
            )
            for name, runs in self._runs.items()
        }


def _overlap(runs: Runs) -> Callable[[pl.Series], pl.Series]:
    return lambda texts: runs.overlap(texts)


def _texts(path: Path, column: str) -> Iterator[pl.Series]:
    """The texts of a set, some at a time. Raises RecipeError."""
    if path.suffix == ".jsonl":
        yield from _of_lines(path, column)
    elif path.suffix == ".parquet":
        yield from _of_parquet(path, column)
    else:
        raise RecipeError(f"{path}: a .jsonl or .parquet file is wanted")


def _of_parquet(path: Path, column: str) -> Iterator[pl.Series]:
    try:
        scan = pl.scan_parquet(path, glob=False)
        schema = scan.collect_schema()
        if column not in schema:
            raise RecipeError(f'{path}: no column "{column}"; {nearest(column, schema.names())}')
        if schema[column] != pl.String:
            raise RecipeError(f"{path}: {column} holds no texts, but {schema[column]}")
        texts = scan.select(column).collect()[column]
    except pl.exceptions.PolarsError as error:
        raise RecipeError(f"{path}: not a Parquet file: {error}") from error
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        yield texts[start : start + TEXTS_AT_ONCE]


def _of_lines(path: Path, column: str) -> Iterator[pl.Series]:
    some: list[str] = []
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                some.append(_of_line(line, column, f"{path}: line {number}"))
            if len(some) == TEXTS_AT_ONCE:
                yield pl.Series(some, dtype=pl.String)
                some = []
    yield pl.Series(some, dtype=pl.String)


def _of_line(line: bytes, column: str, place: str) -> str:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise RecipeError(f"{place}: not JSON: {error}") from error
    if not isinstance(row, dict) or column not in row:
        names = list(row) if isinstance(row, dict) else []
        raise RecipeError(f'{place}: no "{column}"; {nearest(column, names)}')
    text = row[column]
    if not isinstance(text, str):
        raise RecipeError(f"{place}: {column} is no text")
    return text
