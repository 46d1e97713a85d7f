"""Sources that read a published version: found by its name, in the store that a build goes into."""

import tomllib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import Field, PrivateAttr

from pipelines.errors import NotThere
from pipelines.source import Source
from pipelines.sources._files import place_of

if TYPE_CHECKING:
    from pipelines.publishing.store import Store
    from pipelines.publishing.versions import Version

REFERENCE = r"^[a-z0-9][a-z0-9_-]{0,63}(@(latest|v?[0-9]+))?$"


class VersionSource(Source):
    """A source that reads one version, the same one from the first row to the last."""

    dataset: str = Field(pattern=REFERENCE)
    """Name of a dataset in the store that the build goes into, whose newest version is read; or one
    version of it, as in "talks@2". A newer version is another input."""

    _version: "Version | None" = PrivateAttr(default=None)

    @property
    def version(self) -> "Version":
        """The version that `in_store` found."""
        assert self._version is not None, "Recipe.in_store comes before the first row"
        return self._version

    def versions(self) -> "tuple[Version, ...]":
        """The one that is read."""
        return (self.version,)

    def in_store(self, store: "Store", root: Path) -> Self:
        """This source with its version. Raises RecipeError where the store has none of that name."""
        name = self.dataset.partition("@")[0]
        try:
            version = store.resolve(self.dataset)
        except NotThere as error:
            help_ = "" if store.latest(name) else f". {_how_to_build(name, root)}"
            raise place_of(self, root).error(f"{error}{help_}", "dataset") from error
        found = self.model_copy()
        found._version = version
        found.check_version(root)
        return found

    def check_version(self, root: Path) -> None:
        """Raises RecipeError for what only the version itself can show."""


def refuse_own_newest(sources: Iterable[Source], name: str, root: Path) -> None:
    """Raises RecipeError where the recipe called `name` would read another version after each build."""
    for source in sources:
        if isinstance(source, VersionSource) and source.dataset in (name, f"{name}@latest"):
            raise place_of(source, root).error(
                "the recipe would read its own newest version, another one after each build. Name "
                f'one of them, as in "{name}@1"',
                "dataset",
            )


def _how_to_build(name: str, root: Path) -> str:
    """What builds a dataset: the recipe of that name beside the one that reads it, if there is one."""
    for path in sorted(root.glob("*.toml")):
        with suppress(OSError, ValueError):
            if tomllib.loads(path.read_text(encoding="utf-8-sig")).get("name") == name:
                return f"Build it first, into the same store: `pairwright build {path}`"
    return f'`pairwright build RECIPE` with a recipe whose name is "{name}" builds it'
