"""Recipes: a path of the user's, or the name of one that ships with pairwright."""

import tomllib
from difflib import get_close_matches
from pathlib import Path

from pipelines.errors import RecipeError

FOLDER = Path(__file__).parents[1] / "recipes"


def shipped_recipes() -> dict[str, Path]:
    """Name -> path of every shipped recipe: "quickstart", "acceptance/zeroeval"..."""
    paths = sorted(FOLDER.rglob("*.toml"))
    return {path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in paths}


def find_recipe(given: str) -> Path:
    """The recipe file that `given` means: a file if there is one, else a shipped recipe.

    A shipped recipe also answers to its path in the repository, `flows/recipes/quickstart.toml`,
    so that the same command works from an installed package. Raises RecipeError.
    """
    path = Path(given)
    if path.is_file():
        return path
    shipped = shipped_recipes()
    name = given.removeprefix("./").removeprefix("flows/recipes/").removesuffix(".toml")
    if name in shipped:
        return shipped[name]
    close = get_close_matches(name, shipped, n=3, cutoff=0.5)
    names = " or ".join(f'"{one}"' for one in close)
    meant = f"did you mean {names}? " if close else ""
    raise RecipeError(
        f"{given}: no such file, nor a shipped recipe; {meant}`pairwright ls --recipes` lists those"
    )


def purpose(path: Path) -> str:
    """The `description` of a shipped recipe; that of the one it extends where it has none."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    if "description" in table or "extends" not in table:
        return str(table.get("description", ""))
    return purpose(path.parent / table["extends"])
