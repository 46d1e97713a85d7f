"""Criteria: what a rubric rates, read from a TOML file.

scale = [1, 5]                  of every dimension that has none of its own
aggregate = "mean"

[[dimensions]]
name = "clarity"
description = "How easily it is understood."
levels = { 1 = "Not at all.", 5 = "At once." }
"""

import hashlib
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from pipelines.errors import RecipeError
from pipelines.judging.aggregate import RULES
from pipelines.judging.reading import Scale
from pipelines.part import Table, Threshold, Where, load_table

NAME = r"^[A-Za-z][A-Za-z0-9_]{0,63}$"
"""Names of dimensions and constraints: they begin the lines of a reply, and are columns in SQL."""

REASONS = "reasons"
"""What a JSON reply has beside the ratings."""


class Dimension(Table):
    """One thing that a response is rated by."""

    name: str = Field(pattern=NAME)
    """Its name: letters, digits and "_", a letter first."""
    description: str
    """What is rated, in the words that the judge reads."""
    scale: tuple[int, int] | None = None
    """Lowest and highest rating, whole numbers. Default: the rubric's."""
    levels: dict[str, str] = Field(default_factory=dict)
    """Rating -> what it means. Not every rating needs a meaning."""
    may_not_apply: bool = False
    """Whether the judge may answer N/A."""
    tasks: tuple[str, ...] = ()
    """The tasks of prompts that it is for; it stands in for the dimension of the same name that
    has none. Default: all others."""


class Criteria(Table):
    """A rubric: its dimensions, and how their ratings become one score."""

    description: str = ""
    """For the reader of the file."""
    scale: tuple[int, int] = (1, 5)
    """Lowest and highest rating, whole numbers."""
    aggregate: str = "mean"
    """The score of the whole response: "mean", "min", "weighted", or a dimension's name."""
    weights: dict[str, Threshold] = Field(default_factory=dict)
    """Dimension -> weight, for aggregate = "weighted"."""
    dimensions: tuple[Dimension, ...]
    """What is rated, in the order in which it is asked for."""

    @model_validator(mode="after")
    def _dimensions_are_clear(self) -> "Criteria":
        if not self.dimensions:
            raise ValueError("a rubric needs a dimension")
        seen: set[tuple[str, str]] = set()
        spoken: dict[str, str] = {}
        for dimension in self.dimensions:
            name, (low, high) = dimension.name, self.bounds(dimension)
            if name in (*RULES, REASONS):
                raise ValueError(f'no dimension can be called "{name}": it means something else')
            alike = spoken.setdefault(name.casefold().replace("_", ""), name)
            if alike != name:
                raise ValueError(f"{alike} and {name} cannot be told apart in a reply")
            if low >= high:
                raise ValueError(f"{name}: scale: {low} is not below {high}")
            for level in dimension.levels:
                if not level.removeprefix("-").isdecimal() or not low <= int(level) <= high:
                    raise ValueError(f"{name}: levels: {level} is not from {low} to {high}")
            for task in dimension.tasks or ("",):
                if (name, task.casefold()) in seen:
                    raise ValueError(
                        f"two dimensions are called {name}" + f" for {task}" * bool(task)
                    )
                seen.add((name, task.casefold()))
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the dimensions, each once."""
        return tuple(dict.fromkeys(dimension.name for dimension in self.dimensions))

    def bounds(self, dimension: Dimension) -> tuple[int, int]:
        """Lowest and highest rating of a dimension."""
        return dimension.scale or self.scale

    def scale_of(self, dimension: Dimension) -> Scale:
        """The ratings of a dimension."""
        low, high = self.bounds(dimension)
        return Scale(Decimal(low), Decimal(high))

    def scales(self) -> dict[str, tuple[int, int]]:
        """Dimension -> lowest and highest rating, over all tasks."""
        bounds: dict[str, list[tuple[int, int]]] = {}
        for dimension in self.dimensions:
            bounds.setdefault(dimension.name, []).append(self.bounds(dimension))
        return {
            name: (min(low for low, _ in each), max(high for _, high in each))
            for name, each in bounds.items()
        }

    def tasks(self) -> list[str | None]:
        """A task for each choice of dimensions that there is; None: any other."""
        return [None, *dict.fromkeys(task for one in self.dimensions for task in one.tasks)]

    def of_task(self, task: str | None) -> tuple[Dimension, ...]:
        """The dimensions for a prompt of `task`, letter case aside; of one name, its own first."""
        chosen: dict[str, Dimension | None] = dict.fromkeys(self.names)
        for dimension in self.dimensions:
            own = task is not None and task.casefold() in map(str.casefold, dimension.tasks)
            if own or (not dimension.tasks and chosen[dimension.name] is None):
                chosen[dimension.name] = dimension
        return tuple(dimension for dimension in chosen.values() if dimension is not None)


def read_criteria(path: Path, name: str) -> tuple[Criteria, str]:
    """The criteria in `path`, and the SHA-256 of its bytes. Raises RecipeError with every fault."""
    try:
        raw = path.read_bytes()
        table = tomllib.loads(raw.decode("utf-8-sig"), parse_float=Decimal)
    except OSError as error:
        raise RecipeError(f"{name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{name}: not UTF-8: {error.reason} at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{name}: not TOML: {error}") from error
    criteria = load_table(Criteria, _frozen(table), Where(name, "", path.parent))
    return criteria, hashlib.sha256(raw).hexdigest()


def _frozen(value: Any) -> Any:
    """`value` with lists as tuples: what strict validation wants."""
    if isinstance(value, dict):
        return {key: _frozen(entry) for key, entry in value.items()}
    return tuple(map(_frozen, value)) if isinstance(value, list) else value
