"""The tables that a recipe is made of, found by walking `Recipe`: a new table is listed by itself."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from flows.texts.fields import tables_in
from pipelines.part import SHELVES, Part, Table, Where, contract_of, kinds, part_class
from pipelines.recipe import OUTSIDE, Head, Recipe

OPENINGS = {"exporters": "pairwright export --format KIND"}
"""How the shelves are used that no table of a recipe takes."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where keys may stand: a table of a recipe, or the options of an export."""

    word: str
    """What `pairwright parts` calls it: "recipe", "models", "filters", "score"..."""
    opening: str
    """How it is opened: "[models.NAME]", "[[filters]]", "[score]"; "KEY = VALUE" at the top."""
    table: type[Table]
    """What may stand there; of a shelf, what all of its kinds share."""
    outside: bool
    """Whether all of it is left out of the fingerprint."""

    @property
    def shelf(self) -> str:
        """The shelf whose kinds it takes; empty for a table without kinds."""
        return self.table.shelf if issubclass(self.table, Part) else ""

    def kinds(self) -> list[str]:
        """The kinds that it takes, sorted."""
        return kinds(self.shelf) if self.shelf else []

    def part(self, kind: str) -> type[Part]:
        """The class of a kind, or of a file. Raises RecipeError where there is none."""
        return part_class(self.shelf, kind, Where("pairwright parts", self.shelf, Path()))[0]


def places() -> list[Place]:
    """The tables of a recipe in the order of its fields, then the shelves that are in none."""
    found = list(_of_recipe())
    shelves = {place.shelf for place in found}
    others = (shelf for shelf in SHELVES if shelf not in shelves)
    return found + [Place(one, OPENINGS[one], contract_of(one), outside=True) for one in others]


def _of_recipe() -> Iterator[Place]:
    hints = get_type_hints(Recipe)
    for field in fields(Recipe):
        hint, outside = hints[field.name], field.name in OUTSIDE
        for table in tables_in(hint):
            if table is Head:
                yield Place("recipe", "KEY = VALUE", table, outside)
            else:
                yield Place(field.name, _opening(field.name, hint), table, outside)


def _opening(key: str, hint: Any) -> str:
    """How the table `key` is opened.

    >>> _opening("models", dict[str, Part]), _opening("filters", tuple[Part, ...])
    ('[models.NAME]', '[[filters]]')
    >>> _opening("score", Table)
    '[score]'
    """
    if get_origin(hint) is dict:
        return f"[{key}.NAME]"
    return f"[[{key}]]" if get_origin(hint) is tuple else f"[{key}]"
