"""Taking over: the tables of a version become staged evidence, as they are.

    prompts, responses, judgments, nodes   copied while their bytes are hashed
    drops                                  those that come before selection, of bytes that were hashed

What is read later are these bytes: a version that is changed or deleted meanwhile changes nothing,
and no two versions share a file.
"""

import hashlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl

from pipelines.errors import StoreError
from pipelines.publishing.versions import Version
from pipelines.selection.staged import TAKEN
from pipelines.staging.pieces import PIECE, Pieces
from schemas.tables import STAGED
from schemas.version import FileInfo

AS_THEY_ARE = ("prompts", "responses", "judgments", "tree_nodes")
"""The tables that are copied."""


def take(
    version: Version, folder: Path, steps: Mapping[str, frozenset[str]]
) -> dict[str, FileInfo]:
    """Copies tables of `version` into `folder`, and writes the drops of `steps` and of rows there.

    Returns what the manifest says of the copies: path -> hash, bytes, rows. Raises StoreError
    where bytes are not as it says, and OSError.
    """
    taken = {}
    for table in AS_THEY_ARE:
        (folder / table).mkdir(parents=True)
        for path, file in _files(version, table):
            taken[path] = version.manifest.files[path]
            _check(path, _copy(file, folder / path), taken[path])
    drops = (_checked(file, path, version) for path, file in _files(version, "drops"))
    (folder / "drops").mkdir()
    before = pl.concat(_before(content, steps) for content in drops)
    before.write_parquet(folder / "drops" / f"0{TAKEN}", compression="uncompressed")
    return taken


def _files(version: Version, table: str) -> Iterator[tuple[str, Path]]:
    return zip(version.manifest.parquet(table), version.files(table), strict=True)


def _copy(file: Path, place: Path) -> str:
    """Copies a file; returns the SHA-256 of what was copied."""
    copied = hashlib.sha256()
    with file.open("rb") as source, Pieces(place) as target:
        while piece := source.read(PIECE):
            copied.update(piece)
            target.write(piece)
    return copied.hexdigest()


def _checked(file: Path, path: str, version: Version) -> bytes:
    """The content of a file, whose bytes are as published."""
    content = file.read_bytes()
    _check(path, hashlib.sha256(content).hexdigest(), version.manifest.files[path])
    return content


def _check(path: str, sha256: str, published: FileInfo) -> None:
    if sha256 != published.sha256:
        raise StoreError(f"the bytes of {path} have changed")


def _before(content: bytes, steps: Mapping[str, frozenset[str]]) -> pl.DataFrame:
    """Of published drops, as Parquet, those that come before selection."""
    before = pl.col("level") == "rows"
    for level, names in steps.items():
        before |= (pl.col("level") == level) & pl.col("step").is_in(sorted(names))
    drops = pl.scan_parquet(io.BytesIO(content)).filter(before)
    return drops.select(STAGED["drops"].names).collect()
