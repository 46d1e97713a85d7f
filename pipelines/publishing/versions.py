"""A version: its folder, and the manifest that says what is in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from pipelines.errors import StoreError
from schemas import SCHEMA_VERSION
from schemas.version import Manifest

MANIFEST = "manifest.json"
REFUSED = "refused"
"""In the place of a number: a build that a gate refused."""


@dataclass(frozen=True, slots=True)
class Version:
    """One published version of a dataset, or the evidence of a build that a gate refused."""

    name: str
    number: int
    """From 1; 0 for a refused build."""
    folder: Path
    manifest: Manifest

    @property
    def label(self) -> str:
        """What it is called, as in "v0003", which is the name of its folder."""
        return f"v{self.number:04d}" if self.number else REFUSED

    @property
    def ref(self) -> str:
        """What names it on a command line and in SQL, as in "zeroeval@v0003"."""
        return f"{self.name}@{self.label}"

    @property
    def is_trial(self) -> bool:
        """Whether `--limit` made it of fewer prompts than its recipe takes."""
        return self.manifest.run.trial is not None

    def files(self, table: str) -> list[Path]:
        """The Parquet files of a table. Raises StoreError for one that a link leads elsewhere."""
        files = [self.folder / path for path in self.manifest.parquet(table)]
        led_away = {folder for folder in {file.parent for file in files} if _is_led_away(folder)}
        for file in files:
            if file.parent in led_away or file.is_symlink():
                raise StoreError(f"{file}: a link leads out of the version. `pairwright verify`")
        return files


def _is_led_away(path: Path) -> bool:
    return path.resolve() != path


def preferred(versions: Iterable[Version]) -> Version | None:
    """What a dataset's bare name means: of versions, newest first, the first that is no trial.

    Where all are trials, the newest of these.
    """
    newest = None
    for version in versions:
        if not version.is_trial:
            return version
        newest = newest or version
    return newest


def read_manifest(path: Path) -> Manifest:
    """The manifest in `path`. Raises StoreError where it is newer than this code, or damaged."""
    import orjson

    try:
        table = orjson.loads(path.read_bytes())
        newer = table["schema_version"] > SCHEMA_VERSION
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{path}: cannot be read as a manifest: {error}") from error
    if newer:
        raise StoreError(
            f"{path}: written by a newer pairwright (schema version {table['schema_version']}, and "
            f"this one reads up to {SCHEMA_VERSION}). Update pairwright"
        )
    try:
        return Manifest.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise StoreError(f"{path}: is no manifest: {key}: {first['msg']}") from error
