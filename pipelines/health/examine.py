"""The examination: every check of `pairwright doctor`, in its order.

    environment ─> file system ─> versions, catalogue, left-overs, ledger ─> recipe

Nothing is paid, and nothing is changed: what can be repaired is repaired by whoever calls
`Check.repair`.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipelines.errors import RecipeError, StoreError
from pipelines.health.check import Check, fault, ok
from pipelines.health.environment import check_environment
from pipelines.health.file_system import check_file_system
from pipelines.health.ledger import check_ledger
from pipelines.health.versions import check_catalogue, check_left_over, check_versions
from pipelines.publishing.store import Store


def examine(
    store: Store, recipe: Path | None = None, overrides: Sequence[str] = (), *, deep: bool = False
) -> Iterator[Check]:
    """The checks of the installation, of `store`, and of a recipe where one is given.

    `overrides` are changes to single values of the recipe, as in "filters.margin.min=2".
    """
    yield from check_environment()
    yield from check_file_system(store.root)
    if store.root.is_dir():
        yield from _store(store, deep=deep)
    if recipe is not None:
        yield from _recipe(recipe, overrides, store)


def _store(store: Store, *, deep: bool) -> Iterator[Check]:
    try:
        yield from check_versions(store, deep=deep)
        yield check_catalogue(store)
        yield from check_left_over(store)
        yield from check_ledger(store.ledger_folder)
    except StoreError as error:
        yield fault("store", str(error))


def _recipe(path: Path, overrides: Sequence[str], store: Store) -> Iterator[Check]:
    from pipelines.health.endpoint import check_model
    from pipelines.health.source import check_source
    from pipelines.recipe import read_recipe

    try:
        recipe = read_recipe(path, overrides)
    except RecipeError as error:
        *most, last = str(error).splitlines()
        yield from (fault("recipe", one) for one in most)
        yield fault("recipe", last, "pairwright parts")
        return
    yield ok("recipe", f"{path} is complete and consistent")
    for source in recipe.sources.values():
        yield check_source(source, recipe.root, store)
    for model in recipe.models.values():
        yield from check_model(model)
