"""The tables of a recipe, each loaded by itself: the faults of all of them make one error."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

from pipelines.errors import RecipeError
from pipelines.part import Part, TableT, Where, load_part, load_table

T = TypeVar("T")


class RecipeTables:
    """What loads the tables of one recipe. What is faulty is None until `raise_faults`."""

    def __init__(self, path: Path, table: dict[str, Any]) -> None:
        """`table` is the recipe as read, its lists as tuples."""
        self._file, self._root, self._table = str(path), path.parent, table
        self._faults: list[str] = []

    def head(self, cls: type[TableT]) -> TableT:
        """The keys of `cls` that stand at the top."""
        known = {key: self._table[key] for key in cls.model_fields if key in self._table}
        return self._loaded(cls, known, "")

    def single(self, cls: type[TableT], key: str) -> TableT:
        """The table `[key]`."""
        return self._loaded(cls, self._table.get(key, {}), f"[{key}]")

    def repeated(self, cls: type[TableT], key: str) -> tuple[TableT, ...]:
        """The tables `[[key]]`, or the one table `[key]`."""
        given = self._table.get(key, ())
        entries = (given,) if isinstance(given, dict) else given
        wanted = f"a [{key}] table, or [[{key}]] tables,"
        return tuple(
            self._loaded(cls, entry, f"[[{key}]] #{number}")
            for number, entry in enumerate(self._entries(entries, tuple, wanted, key), 1)
        )

    def named(self, shelf: str, key: str) -> dict[str, Any]:  # `load_part` vouches for the type
        """The parts `[key.NAME]` of a shelf."""
        tables = self._entries(self._table.get(key, {}), dict, f"[{key}.NAME] tables", key)
        return {
            name: self.checked(_load, shelf, {"name": name}, entry, self._where(f"[{key}.{name}]"))
            for name, entry in tables.items()
        }

    def listed(self, shelf: str, *, distinct: bool) -> tuple[Any, ...]:
        """The parts `[[shelf]]`; `distinct` ones have different names."""
        entries = self._entries(self._table.get(shelf, ()), tuple, f"[[{shelf}]] tables", shelf)
        parts = []
        for number, entry in enumerate(entries, 1):
            kind = entry.get("kind", "") if isinstance(entry, dict) else ""
            where = self._where(f"[[{shelf}]] #{number} ({kind})")
            parts.append(self.checked(_load, shelf, {}, entry, where))
        if distinct:
            self.checked(_refuse_equal_names, parts, self._where(f"[[{shelf}]]"))
        return tuple(parts)

    def checked(self, load: Callable[..., T], *arguments: Any) -> T:
        """What `load` returns; None where it raises RecipeError, which `raise_faults` tells."""
        try:
            return load(*arguments)
        except RecipeError as error:
            self._faults.append(str(error))
            return cast("T", None)

    def raise_faults(self) -> None:
        """Raises one RecipeError with the faults so far, if there are any."""
        if self._faults:
            raise RecipeError("\n".join(dict.fromkeys(self._faults)))

    def _loaded(self, cls: type[TableT], entry: Any, table: str) -> TableT:
        loaded: TableT = self.checked(load_table, cls, entry, self._where(table))
        return loaded

    def _where(self, table: str) -> Where:
        return Where(self._file, table, self._root)

    def _entries(self, value: T, kind: type, wanted: str, key: str) -> Any:
        """`value`; an empty `kind` where it is of another type."""
        self.checked(_expect, value, kind, wanted, self._where(""), key)
        return value if isinstance(value, kind) else kind()


def _load(shelf: str, defaults: dict[str, Any], entry: Any, where: Where) -> Part:
    _expect(entry, dict, "a table", where)
    return load_part(shelf, defaults | entry, where)


def _expect(value: Any, kind: type, wanted: str, where: Where, key: str = "") -> None:
    if not isinstance(value, kind):
        raise where.error(f"{wanted} wanted here, not {value!r}"[:200], key)


def _refuse_equal_names(parts: list[Part | None], where: Where) -> None:
    names = [part.name for part in parts if part is not None]
    for name in _repeated(names):
        raise where.error(f'two parts are called "{name}"; give one a name')


def _repeated(names: list[str]) -> Iterator[str]:
    """The names that stand there again.

    >>> list(_repeated(["a", "b", "a"]))
    ['a']
    """
    return (name for place, name in enumerate(names) if name in names[:place])
