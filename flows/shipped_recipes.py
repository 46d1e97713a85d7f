"""Recipes: a path of the user's, or the name of one that ships with pairwright."""

from pathlib import Path

from pipelines.errors import RecipeError, nearest

FOLDER = Path(__file__).parent / "recipes"


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
    raise RecipeError(f"{given}: no such file, nor a shipped recipe; {nearest(name, shipped)}")
