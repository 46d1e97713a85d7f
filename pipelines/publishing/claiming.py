"""Claiming: a staged folder gets its manifest, and becomes a version by one rename."""

from datetime import UTC, datetime
from pathlib import Path

from pipelines.errors import StoreError
from pipelines.publishing.folders import add_files, claim, sync_tree, unwritable
from pipelines.publishing.versions import MANIFEST, Version
from schemas.version import Manifest, content_digest


def completed(name: str, folder: Path, manifest: Manifest) -> Manifest:
    """`manifest` with all files in `folder`. Raises StoreError where it is not of them."""
    if manifest.name != name:
        raise StoreError(f"the manifest belongs to {manifest.name}, not to {name}")
    if manifest.content_digest != content_digest(manifest.files, manifest.recipe_fingerprint):
        raise StoreError(f"{name}: the content digest does not belong to the files")
    files = add_files(folder, manifest.files, ignore=MANIFEST)
    if missing := sorted(set(manifest.files) - set(files)):
        raise StoreError(f"{folder}: is without {', '.join(missing)}")
    return manifest.model_copy(update={"files": files})


def check_pairs(manifest: Manifest) -> None:
    """Raises StoreError where other pairs were kept than are written."""
    kept = [step.kept for step in manifest.counts if step.level == "pairs"]
    if kept and kept[-1] != manifest.rows("pairs"):
        raise StoreError(f"{kept[-1]} pairs were kept, and {manifest.rows('pairs')} are written")


def numbered(manifest: Manifest, number: int, parent: Version | None) -> Manifest:
    """`manifest` of a version with this number, published now."""
    published = datetime.now(UTC).isoformat(timespec="seconds")
    run = manifest.run.model_copy(
        update={
            "version": number,
            "parent": parent.number if parent else None,
            "published": published,
        }
    )
    return manifest.model_copy(update={"run": run})


def claim_version(folder: Path, manifest: Manifest, place: Path) -> bool:
    """Writes the manifest last, syncs everything, and renames; False where `place` is taken."""
    try:
        (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")
        sync_tree(folder)
        return claim(folder, place)
    except OSError as error:
        raise unwritable(place, error) from error
