"""The version that a command was given the name of, or the recipe that makes it."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.publishing.versions import Version


def recipe_version(store: Path, given: str) -> "Version":
    """The version in `store` that "NAME[@V]" or a recipe means: of a recipe, its dataset's.

    What ends with ".toml" is a recipe; a name that the store does not have may be a shipped one's.
    Raises NotThere, and RecipeError for a recipe that cannot be read.
    """
    from flows.options.shipped_recipes import find_recipe, shipped_recipes
    from flows.options.version import named_version
    from pipelines.configuring.file import read_table
    from pipelines.errors import NotThere
    from pipelines.publishing.store import Store

    known = Store(store).names()
    if not given.endswith(".toml") and (given in known or given not in shipped_recipes()):
        return named_version(store, given)
    name = str(read_table(find_recipe(given)).get("name", ""))
    if name not in known:
        make = f"`pairwright build {given}` makes it"
        raise NotThere(f'{store}: no dataset "{name}", which is that of {given}; {make}')
    return named_version(store, name)
