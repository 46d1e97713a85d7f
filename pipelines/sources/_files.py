"""Files of a source: paths relative to the recipe, lists and globs, and reading them as bytes."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob, has_magic
from pathlib import Path
from typing import IO, cast

from pipelines.intake.columns import Names
from pipelines.part import Where
from pipelines.source import Source


class FileSource(Source):
    """A source that is one file or several, read one after the other."""

    path: Names
    """Path of the file, relative to the recipe; a list of paths; or a glob, read in sorted order."""

    def check(self, where: Where) -> None:
        """Raises RecipeError where a file is missing."""
        found_files(self.path, where, "path")

    def files(self, root: Path) -> tuple[Path, ...]:
        """The files, in the order they are read."""
        return found_files(self.path, self.where(root), "path")

    def where(self, root: Path) -> Where:
        """The table of this source, for the errors that only reading can show."""
        return place_of(self, root)

    def places(self, root: Path) -> Iterator[tuple[str, Path]]:
        """Each file, with what the positions of its rows start with ("" where there is one file)."""
        files = self.files(root)
        for file in files:
            yield (f"{file.name} " if len(files) > 1 else ""), file

    @contextmanager
    def reading(self, root: Path, file: Path) -> Iterator[None]:
        """Wraps what reading `file` raises as a RecipeError that names it."""
        try:
            yield
        except (OSError, EOFError, zlib.error, ValueError, NotImplementedError) as error:
            raise self.where(root).error(f"{absolute(file)}: {error}", "path") from error


def place_of(source: Source, root: Path) -> Where:
    """The table of `source` in its recipe."""
    return Where(source._file, f"[sources.{source.name}]", root)


def absolute(path: Path) -> Path:
    """`path` as an error shows it: from the root and without `..`."""
    return path.resolve()


def found_files(paths: tuple[str, ...], where: Where, key: str) -> tuple[Path, ...]:
    """The files that `paths` name, in order; a glob's in sorted order. Raises RecipeError."""
    if not paths:
        raise where.error("the path of a file is needed", key)
    files: list[Path] = []
    for path in paths:
        files += _found(path, where, key)
    return tuple(files)


def _found(path: str, where: Where, key: str) -> list[Path]:
    file = where.root / path
    if file.is_file():
        return [file]
    matches = glob(path, root_dir=where.root, recursive=True) if has_magic(path) else []  # noqa: PTH207 - may be absolute
    files = [where.root / match for match in sorted(matches) if (where.root / match).is_file()]
    if not files:
        raise where.error(_missing(path, file), key)
    return files


def _missing(path: str, file: Path) -> str:
    if has_magic(path):
        return f"no file matches {path} (tried {absolute(file)})"
    if file.is_dir():
        folder = path.rstrip("/")
        return f'{folder} is a folder; name its files, as in "{folder}/*.parquet"'
    return f"no such file: {path} (tried {absolute(file)}). Paths are relative to the recipe"


def open_bytes(file: Path) -> IO[bytes]:
    """`file` opened for reading, unpacked if its name ends in .gz."""
    return cast("IO[bytes]", gzip.open(file)) if file.suffix == ".gz" else file.open("rb")


def refuse_other_columns(
    columns: tuple[str, ...], first: tuple[str, ...], file: Path, where: Where
) -> None:
    """Raises RecipeError where a later file's columns are not those of the first, in any order."""
    if set(columns) != set(first):
        odd = ", ".join(sorted(set(columns) ^ set(first)))
        raise where.error(
            f"{absolute(file)}: its columns differ from the first file's: {odd}", "path"
        )
