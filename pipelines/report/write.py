"""Writing: the figures into the manifest of a staged version, and the page beside its tables."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from pipelines.comparing.recipe_diff import recipe_table
from pipelines.publishing.versions import Version
from pipelines.recipe import Recipe
from pipelines.report.figures import figures
from pipelines.report.policy_figures import objective
from schemas.version import Figure, Manifest

REPORT = "report.html"


def with_figures(
    recipe: Recipe, folder: Path, manifest: Manifest, of_judges: Collection[Figure] | None = None
) -> Manifest:
    """`manifest` of the tables in `folder` with its figures, if the recipe has a use for them.

    `of_judges` are those of the judges, where they are known.
    """
    wanted = frozenset(recipe.gates.bounds())
    if not wanted and not recipe.publish.report:
        return manifest
    found = figures(_staged(folder, manifest), wanted, of_judges)
    return manifest.model_copy(update={"figures": found, "objective": objective(found)})


def write_report(recipe: Recipe, folder: Path, manifest: Manifest) -> None:
    """Writes `report.html` of the tables in `folder`, if the recipe wants it."""
    if recipe.publish.report:
        from pipelines.report.page import render

        page = render(_staged(folder, manifest), recipe.head.description)
        (folder / REPORT).write_text(page, encoding="utf-8")


def page_of(version: Version) -> str:
    """The page of a published version, also of one that was published without figures."""
    from pipelines.report.page import render

    manifest = version.manifest
    if not manifest.figures:
        manifest = manifest.model_copy(update={"figures": figures(version)})
    description = recipe_table(version).get("description", "")
    return render(replace(version, manifest=manifest), description)


def _staged(folder: Path, manifest: Manifest) -> Version:
    return Version(manifest.name, 0, folder.resolve(), manifest)
