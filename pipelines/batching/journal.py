"""The journal: the jobs under way, on disk, so that no stop makes anybody pay for them twice.

    <ledger>/batches/<time>-<random>.jsonl      one file for each job, appended to

    {"v": 1, "route": "https://api.openai.com/v1 gpt-4o", "ids": ["3f2a...", ...]}
    {"file_id": "file-7"}
    {"batch_id": "batch_9"}
    {"done": ["3f2a..."]}       what the ledger holds now, or nobody needs

A job is in the journal before it can cost anything, and its file goes when all of it is done.
"""

import os
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from pipelines.errors import StoreError

VERSION = 1
FOLDER = "batches"
"""In the ledger's folder: who deletes the ledger has forgotten these samples, too."""
KEPT_DAYS = 60
"""Providers keep results for 30 days; an older job is of no use to anybody."""


class Entry:
    """What is on disk of one job."""

    def __init__(self, path: Path, route: str, ids: Iterable[str] = ()) -> None:
        self.path = path
        self.route = route
        """What runs it: an address and a model."""
        self.ids = list(ids)
        """The custom_ids of its lines, in their order."""
        self.left = set(self.ids)
        """Those that are not done."""
        self.facts: dict[str, str] = {}
        """How far it got, in the words of its route."""

    @property
    def name(self) -> str:
        """The job's own name."""
        return self.path.stem

    @property
    def made(self) -> datetime:
        """When the job was made, in UTC."""
        return datetime.fromisoformat(self.name.partition("-")[0])

    @property
    def age_s(self) -> float:
        """Seconds since anything was noted."""
        return time.time() - self.path.stat().st_mtime

    def add(self, custom_id: str) -> None:
        """Takes in a line, before the first `note`."""
        self.ids.append(custom_id)
        self.left.add(custom_id)

    def note(self, facts: Mapping[str, str]) -> None:
        """Adds to `facts`. When it returns, neither SIGKILL nor power loss takes them away.

        Raises StoreError.
        """
        is_new = not self.facts
        self.facts.update(facts)
        try:
            if is_new:
                head = {"v": VERSION, "route": self.route, "ids": self.ids}
                _create(self.path, orjson.dumps(head) + _line(facts))
            else:
                _append(self.path, _line(facts))
        except OSError as error:
            raise StoreError(
                f"{self.path}: cannot be written: {error.strerror}. Make room or give the right to "
                "write, then run the command again"
            ) from error

    def done(self, ids: Collection[str]) -> None:
        """Nobody needs the results of `ids` any more. The last of them takes the file along."""
        self.left.difference_update(ids)
        with suppress(OSError):  # what stays in the file is looked at once more, and no harm
            if not self.left:
                self.path.unlink(missing_ok=True)
            elif self.facts:
                _append(self.path, _line({"done": list(ids)}), sync=False)

    @classmethod
    def read(cls, path: Path) -> "Entry | None":
        """The entry in a file; None where another process has just removed it. Raises StoreError.

        A line that a stop has torn is passed over: what it said is found out again.
        """
        try:
            head, *lines = path.read_bytes().split(b"\n")
            known = orjson.loads(head)
            newer = known["v"] > VERSION
            entry = cls(path, known["route"], known["ids"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise StoreError(
                f"{path}: cannot be read: {error}. It tells which requests a batch job was sent "
                "with; without it they are paid again. To have it so, delete it"
            ) from error
        if newer:
            raise StoreError(f"{path}: a newer pairwright wrote it. Update this one")
        for line in filter(None, lines):
            with suppress(orjson.JSONDecodeError):
                fact = orjson.loads(line)
                entry.left.difference_update(fact.pop("done", ()))
                entry.facts.update(fact)
        return entry


class Journal:
    """The jobs of one route in a ledger's folder."""

    def __init__(self, ledger_folder: Path, route: str) -> None:
        self.folder = ledger_folder / FOLDER
        self._route = route

    def entries(self) -> Iterator[Entry]:
        """The jobs that are under way or not wholly collected, oldest first. Raises StoreError."""
        oldest = datetime.now(UTC) - timedelta(days=KEPT_DAYS)
        for entry in all_entries(self.folder.parent):
            if entry.route == self._route:
                if entry.made < oldest or not entry.left:
                    entry.done(entry.ids)
                else:
                    yield entry

    def new(self) -> Entry:
        """An entry for a new job; its first `note` writes it."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"
        return Entry(self.folder / f"{name}.jsonl", self._route)


def all_entries(ledger_folder: Path) -> Iterator[Entry]:
    """The jobs of all routes, oldest first. Raises StoreError."""
    for path in sorted((ledger_folder / FOLDER).glob("*.jsonl")):
        entry = Entry.read(path)
        if entry is not None:
            yield entry


def _line(fact: Mapping[str, Any]) -> bytes:
    """A fact between newlines of its own, so that a torn one before it stays by itself."""
    return b"\n%b\n" % orjson.dumps(fact)


def _create(path: Path, text: bytes) -> None:
    """A whole file or none, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    with aside.open("wb") as file:
        file.write(text)
        os.fsync(file.fileno())
    aside.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems cannot sync a folder, and need not
            os.fsync(folder)
    finally:
        os.close(folder)


def _append(path: Path, text: bytes, *, sync: bool = True) -> None:
    """Where the file is still there: another process may have found all of it done."""
    with suppress(FileNotFoundError), path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        file.write(text)
        file.flush()
        if sync:
            os.fsync(file.fileno())
