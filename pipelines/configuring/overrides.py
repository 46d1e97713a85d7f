"""Changing a recipe from outside: `extends` merges two tables, `--set` puts one value."""

import tomllib
from decimal import Decimal
from typing import Any

from pipelines.errors import RecipeError, nearest


def merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`base` with `over` put on it: tables merge key by key, all else (arrays too) is replaced.

    >>> merged({"a": {"x": 1, "y": 2}, "b": [1]}, {"a": {"y": 3}, "b": [2]})
    {'a': {'x': 1, 'y': 3}, 'b': [2]}
    """
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else value
    return result


def apply_override(table: dict[str, Any], override: str, file: str) -> None:
    """Puts one `--set a.b=c` into `table`. Raises RecipeError where the path leads nowhere.

    An entry of an array of tables is named by its position from 0, its name, or its kind. The
    value is TOML; what is not TOML is taken as text.

    >>> table = {"filters": [{"kind": "margin", "min": 1}]}
    >>> apply_override(table, "filters.margin.min=2", "r.toml")
    >>> apply_override(table, "name=trial", "r.toml")
    >>> table
    {'filters': [{'kind': 'margin', 'min': 2}], 'name': 'trial'}
    """
    path, equals, text = override.partition("=")
    steps = path.strip().split(".")
    if not equals or not all(steps):
        raise RecipeError(f'--set {override}: wanted "table.key=value", as in filters.margin.min=2')
    place: Any = table
    for step in steps[:-1]:
        place = _step_into(place, step, override, file)
    if not isinstance(place, dict):
        raise RecipeError(f"--set {override}: {file} has no table there; name its entry first")
    place[steps[-1]] = _value(text.strip())


def _step_into(place: Any, step: str, override: str, file: str) -> Any:
    if isinstance(place, dict):
        return place.setdefault(step, {})
    if isinstance(place, list):
        return _entry(place, step, override, file)
    raise RecipeError(f"--set {override}: {file} has a plain value where {step} should be a table")


def _entry(array: list[Any], step: str, override: str, file: str) -> Any:
    """The entry of an array that `step` names. Raises RecipeError unless it names exactly one."""
    tables = {str(place): entry for place, entry in enumerate(array) if isinstance(entry, dict)}
    if step in tables:
        return tables[step]
    named = [place for place, entry in tables.items() if step in _names(entry)]
    if len(named) == 1:
        return tables[named[0]]
    if named:
        raise RecipeError(
            f'--set {override}: {file} has {len(named)} "{step}" there; name one by its position: '
            + " or ".join(named)
        )
    names = [str(entry.get("name") or entry.get("kind")) for entry in tables.values()]
    raise RecipeError(f'--set {override}: {file} has no "{step}" there; {nearest(step, names)}')


def _names(entry: dict[str, Any]) -> tuple[Any, Any]:
    return entry.get("name"), entry.get("kind")


def _value(text: str) -> Any:
    try:
        table = tomllib.loads(f"value = {text}", parse_float=Decimal)
    except tomllib.TOMLDecodeError:
        return text
    return table["value"] if len(table) == 1 else text  # several lines are no value of TOML
