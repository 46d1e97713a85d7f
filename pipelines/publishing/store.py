"""The store: immutable versions in plain folders, and the only writer of them.

    <store>/datasets/<name>/<v0001>/   manifest.json is written last: without it, no version
    <store>/refused/<name>/<time>/     builds that a gate stopped, with their evidence
    <store>/ledger/                    every finished sample
    <store>/calibrations/              what judges were checked on
    <store>/tmp/<host>-<pid>-<random>/ builds on their way

A version is staged in `tmp`, synced to the disk, and claimed by one atomic rename to the next free
number: a reader never sees half a version, and of two builds that publish at once neither
overwrites the other.
"""

import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pipelines.errors import NotThere, StoreError, nearest
from pipelines.publishing.claiming import check_pairs, claim_version, completed, numbered
from pipelines.publishing.folders import file_faults
from pipelines.publishing.staging_folders import fresh_staging, stale_staging
from pipelines.publishing.versions import MANIFEST, REFUSED, Version, preferred, read_manifest
from pipelines.selection.balance import check_balance
from schemas.version import NAME, Manifest, content_digest


class Store:
    """The store in folder `root`. Nothing is created before something is written."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        try:
            str(self.root).encode()
        except UnicodeEncodeError as error:
            raise StoreError(f"{self.root}: the path of a store must be UTF-8") from error

    @property
    def ledger_folder(self) -> Path:
        """Where the samples of all builds are kept. Raises StoreError where the store is a file."""
        self._refuse_file()
        return self.root / "ledger"

    @property
    def calibrations_folder(self) -> Path:
        """Where the checks of judges are kept (`calibration.stored`)."""
        return self._inside("calibrations")

    @property
    def templates_folder(self) -> Path:
        """Where paraphrases of judges' templates are kept (`calibration.paraphrase`)."""
        return self._inside("templates")

    def staging(self) -> Path:
        """A fresh folder on the store's file system; those of dead processes are removed."""
        self._refuse_file()
        return fresh_staging(self._inside("tmp"))

    def stale_staging(self) -> list[Path]:
        """The staging folders of this host's dead processes, sorted."""
        return stale_staging(self._inside("tmp"))

    def names(self) -> list[str]:
        """The datasets that have a version, sorted."""
        folder = self._inside("datasets")
        self._refuse_file()
        if not folder.is_dir():
            return []
        return sorted(
            entry.name
            for entry in folder.iterdir()
            if re.fullmatch(NAME, entry.name) and self._is_dataset(entry.name)
        )

    def versions(self, name: str) -> list[Version]:
        """The versions of a dataset, oldest first; none for an unknown one. Raises StoreError."""
        return [self._read(name, number) for number in self._published(name)]

    def examined(self, name: str) -> Iterator[Version | StoreError]:
        """As `versions`; in the place of one that cannot be read, the error that says why."""
        try:
            numbers = self._published(name)
        except StoreError as error:
            yield error
            return
        for number in numbers:
            try:
                yield self._read(name, number)
            except StoreError as error:
                yield error

    def readable(self, name: str) -> list[Version]:
        """As `versions`, less those whose manifest is damaged or newer than this code."""
        return [found for found in self.examined(name) if isinstance(found, Version)]

    def latest(self, name: str) -> Version | None:
        """The newest version of a dataset. Raises StoreError."""
        numbers = self._published(name)
        return self._read(name, numbers[-1]) if numbers else None

    def preferred(self, name: str) -> Version | None:
        """What the bare name of a dataset means (`versions.preferred`). Raises StoreError."""
        numbers = reversed(self._published(name))
        return preferred(self._read(name, number) for number in numbers)

    def resolve(self, ref: str) -> Version:
        """The version that "NAME", "NAME@3", "NAME@v0003" or "NAME@latest" names.

        "NAME" and "NAME@latest" are the newest version that is no trial, where there is one.
        "NAME@refused" is the newest build of it that a gate refused. Raises NotThere that lists the
        names or versions there are.
        """
        name, _, wanted = ref.partition("@")
        if wanted == REFUSED:
            return self._refused(name)
        names = self.names()
        if name not in names:
            hint = nearest(name, names) if names else "no dataset has been published yet"
            if re.fullmatch(NAME, name) and self._inside("refused", name).is_dir():
                hint = f"a gate refused it: {name}@{REFUSED} is the evidence"
            raise NotThere(f'{self.root}: no such dataset "{name}"; {hint}. `pairwright ls`')
        numbers = self._published(name)
        if wanted in ("", "latest") and (version := self.preferred(name)):
            return version
        digits = wanted.removeprefix("v")
        if digits.isascii() and digits.isdigit() and int(digits) in numbers:
            return self._read(name, int(digits))
        hint = nearest(wanted, [f"v{number:04d}" for number in numbers])
        raise NotThere(f'{self.root}: {name}: no such version "{wanted}"; {hint}, latest')

    def publish(self, name: str, folder: Path, manifest: Manifest) -> tuple[Version, bool]:
        """Claims the next version of `name` for the staged `folder`, which moves there.

        Returns the version and True; or, where the latest version has the same content digest (or
        the one that the bare name means), that one and False, and `folder` is removed. The files that `manifest` does not list yet
        (card, recipe, report) are added to it. Raises StoreError where the counts do not balance.
        """
        check_balance(manifest.counts)
        check_pairs(manifest)
        self._dataset(name)
        manifest = completed(name, folder, manifest)
        while True:
            numbers = self._numbers(name)
            if (equal := self._equal(manifest)) is not None:
                shutil.rmtree(folder)
                return equal, False
            parent = self.latest(name)
            number = max(numbers, default=0) + 1
            place = self._dataset(name) / f"v{number:04d}"
            if claim_version(folder, numbered(manifest, number, parent), place):
                return self._read(name, number), True

    def holds(self, manifest: Manifest) -> bool:
        """Whether its content is that of the latest version, or of the one that the bare name means.

        Raises StoreError.
        """
        return self._equal(manifest) is not None

    def _equal(self, manifest: Manifest) -> Version | None:
        name, digest = manifest.name, manifest.content_digest
        known = (self.latest(name), self.preferred(name))
        equal = (one for one in known if one and one.manifest.content_digest == digest)
        return next(equal, None)

    def refuse(self, name: str, folder: Path, manifest: Manifest, reasons: list[str]) -> Path:
        """Keeps a staged folder that may not be published, with the reasons; returns its place."""
        self._dataset(name)
        reasons_file = folder / "reasons.txt"
        reasons_file.write_text("".join(f"{reason}\n" for reason in reasons), encoding="utf-8")
        now = datetime.now(UTC)
        place = self._inside("refused", name) / f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
        if not claim_version(folder, completed(name, folder, manifest), place):
            raise StoreError(f"{place}: is there already")
        return place

    def refusals(self, name: str) -> Iterator[Version]:
        """The builds of a dataset that a gate refused, the newest first, less unreadable ones."""
        for path in reversed(self._refused_manifests(name)):
            with suppress(StoreError):
                yield Version(name, 0, path.parent.resolve(), read_manifest(path))

    def _refused(self, name: str) -> Version:
        found = self._refused_manifests(name)
        if not found:
            raise NotThere(f'{self.root}: no gate has refused a build of "{name}"')
        return Version(name, 0, found[-1].parent.resolve(), read_manifest(found[-1]))

    def _refused_manifests(self, name: str) -> list[Path]:
        """Oldest first."""
        self._dataset(name)
        return sorted(
            self._inside("refused", name).glob(f"*/{MANIFEST}"),
            key=lambda path: (path.parent.name.partition("-")[0], path.stat().st_mtime_ns),
        )

    def verify(self, version: Version) -> list[str]:
        """What is wrong with a version, in words; empty when every byte is as published."""
        manifest = version.manifest
        faults = file_faults(version.folder, manifest, ignore=MANIFEST)
        if manifest.content_digest != content_digest(manifest.files, manifest.recipe_fingerprint):
            faults.append(f"{MANIFEST}: the content digest does not belong to its files")
        if (manifest.name, manifest.run.version or 0) != (version.name, version.number):
            faults.append(f"{MANIFEST}: belongs to {manifest.name} version {manifest.run.version}")
        return [f"{version.ref}: {fault}" for fault in faults]

    def _inside(self, *parts: str) -> Path:
        """A path in the store. Raises StoreError where a link leads out of it."""
        path = self.root.joinpath(*parts)
        if not path.resolve().is_relative_to(self.root):
            raise StoreError(f"{path}: leads out of the store, to {path.resolve()}")
        return path

    def _dataset(self, name: str) -> Path:
        if not re.fullmatch(NAME, name):
            raise StoreError(
                f'"{name}" is no name for a dataset: lower-case letters, digits, "-" and "_", at '
                "most 64, the first a letter or a digit"
            )
        return self._inside("datasets", name)

    def _numbers(self, name: str) -> dict[int, bool]:
        """The numbers that are taken, and whether a complete version lies there."""
        folder = self._dataset(name)
        if not folder.is_dir():
            return {}
        return {
            int(match[1]): (entry / MANIFEST).is_file()
            for entry in folder.iterdir()
            if (match := re.fullmatch("v([0-9]{4,})", entry.name))
            and entry.name == f"v{int(match[1]):04d}"
        }

    def _published(self, name: str) -> list[int]:
        return sorted(number for number, complete in self._numbers(name).items() if complete)

    def _refuse_file(self) -> None:
        if self.root.exists() and not self.root.is_dir():
            raise StoreError(f"{self.root}: is no folder; --store names the folder of a store")

    def _is_dataset(self, name: str) -> bool:
        try:
            return bool(self._published(name))
        except StoreError:
            return True  # whoever asks for it is told what is wrong; the others are not hidden

    def _read(self, name: str, number: int) -> Version:
        folder = self._inside("datasets", name, f"v{number:04d}").resolve()
        return Version(name, number, folder, read_manifest(folder / MANIFEST))


@contextmanager
def staged(store: Store, name: str) -> Iterator[Path]:
    """A folder for all that is on its way to a version of `name`; removed at the end.

    Raises StoreError before anything is paid where the version could not be published: the latest
    one is damaged, or the store cannot be written.
    """
    store.latest(name)
    staging = store.staging()
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
