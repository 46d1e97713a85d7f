"""The file of a recipe: TOML, merged onto the recipe that it `extends`.

    extends = "base.toml"      a recipe of the same folder
    extends = "quickstart"     a shipped one: `pairwright ls --recipes` lists them

Tables merge key by key; lists, such as `[[filters]]`, are replaced.
"""

import tomllib
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pipelines.configuring.overrides import merged
from pipelines.errors import RecipeError
from pipelines.shipped import RECIPES


def read_table(path: Path, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The recipe in `path` as TOML has it, with what it `extends`. Raises RecipeError.

    `seen` are recipes that extend it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: not UTF-8: {error.reason} at byte {error.start}") from error
    try:
        table = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path}: not TOML: {error}") from error
    base = table.pop("extends", None)
    if base is None:
        return table
    base_path = _base_path(path, base)
    seen = (*seen, path.resolve())
    if base_path.resolve() in seen:
        raise RecipeError(f"{path}: extends: {base} extends this recipe in turn")
    below = read_table(base_path, seen)
    if base_path.resolve().parent != path.resolve().parent:
        below = with_whole_paths(below, base_path.parent)
    return merged(below, table)


def _base_path(path: Path, base: object) -> Path:
    """Where the recipe lies that the one in `path` extends. Raises RecipeError."""
    if not isinstance(base, str):
        raise RecipeError(
            f'{path}: extends: the path of a recipe is needed, as in "other.toml", or the name of a '
            "shipped one"
        )
    beside = path.parent / base
    names = {
        one.relative_to(RECIPES).with_suffix("").as_posix(): one for one in RECIPES.rglob("*.toml")
    }
    if not beside.is_file() and base in names:
        return names[base]
    if not beside.is_file():
        close = " or ".join(f'"{one}"' for one in get_close_matches(base, names))
        meant = f"did you mean {close}? " if close else ""
        raise RecipeError(
            f'{path}: extends: no file "{base}" in its folder, nor a shipped recipe; {meant}'
            "`pairwright ls --recipes` lists those"
        )
    if beside.resolve().parent != path.resolve().parent:
        raise RecipeError(
            f"{path}: extends: {base} lies in another folder, and paths are relative to the "
            "recipe's own. Put both recipes into one folder."
        )
    return beside


def with_whole_paths(value: Any, folder: Path) -> Any:
    """`value` with the texts that name a file in `folder` as paths that hold from anywhere.

    A recipe of another folder may extend it then. What is no file there stays as it is: a file is
    told by its suffix, so no name of a model becomes one.

    >>> with_whole_paths({"template": "tmp/..", "n": [1]}, Path("/"))
    {'template': 'tmp/..', 'n': [1]}
    """
    if isinstance(value, dict):
        return {key: with_whole_paths(entry, folder) for key, entry in value.items()}
    if isinstance(value, list):
        return [with_whole_paths(entry, folder) for entry in value]
    if isinstance(value, str) and Path(value).suffix and _is_file(folder / value):
        return str((folder / value).resolve())
    return value


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a text that no path can be: too long, or with a NUL
        return False
