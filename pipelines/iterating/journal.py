"""The journal: what is done of an iteration, on disk, so that nothing is done twice.

    <store>/iterations/<name>-<digest>/      of the recipe, the command and the policy's name
        round-01/built.json                  the version, once it is published
        round-01/trained.json                the answer of the training, once there is one
        round-01/training.log  training.out  what the last training wrote
        round-01/<name>-r1/                  {out}

What is recorded of a round counts only while it follows from the round before. To do one again,
delete its folder, or its trained.json alone.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from pipelines.errors import StoreError
from pipelines.iterating.answer import Answer
from pipelines.publishing.folders import sync

FOLDER = "iterations"
DIGITS = 16

RecordT = TypeVar("RecordT", bound=BaseModel)


class Built(BaseModel):
    """The build of a round."""

    model_config = ConfigDict(frozen=True)

    version: str
    """What it published, as in "my-set@v0002"."""
    content_digest: str
    policy: dict[str, str]
    """Model of the recipe -> identity of what was sampled."""


class Trained(BaseModel):
    """The training of a round."""

    model_config = ConfigDict(frozen=True)

    content_digest: str
    """Of the version that it was given."""
    command: str
    """SHA-256 of the command."""
    answer: dict[str, str]
    """`Answer`, as it was given."""
    policy: dict[str, str]
    """Model of the recipe -> identity of what came of it."""
    seconds: float

    @field_validator("answer")
    @classmethod
    def _known(cls, answer: dict[str, str]) -> dict[str, str]:
        Answer(**answer)
        return answer


class Journal:
    """The journal of one iteration."""

    def __init__(self, root: Path, name: str, digest: str) -> None:
        self.folder = root / FOLDER / f"{name}-{digest[:DIGITS]}"
        self._name = name

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps it to this process. Raises StoreError where another one is at it."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StoreError(f"{self.folder}: cannot be written: {error.strerror}") from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreError(
                    f"{self.folder}: another run of the same iteration is at it"
                ) from error
            yield
        finally:
            os.close(descriptor)

    def round_folder(self, number: int) -> Path:
        """The folder of a round."""
        return self.folder / f"round-{number:02d}"

    def out(self, number: int) -> Path:
        """The folder that the training of a round is given; rows name a model by its last part."""
        return self.round_folder(number) / f"{self._name}-r{number}"

    def built(self, number: int, policy: dict[str, str]) -> Built | None:
        """The build of a round, if it was made with this policy."""
        record = _read(self._built(number), Built)
        return record if record is not None and record.policy == policy else None

    def trained(self, number: int, built: Built) -> Trained | None:
        """The training of a round, if it was given what was `built`."""
        record = _read(self._trained(number), Trained)
        follows = record is not None and record.content_digest == built.content_digest
        return record if follows else None

    def note_built(self, number: int, built: Built) -> None:
        """Records a build. Raises StoreError."""
        _write(self._built(number), built)

    def note_trained(self, number: int, trained: Trained) -> None:
        """Records a training. Raises StoreError."""
        _write(self._trained(number), trained)

    def _built(self, number: int) -> Path:
        return self.round_folder(number) / "built.json"

    def _trained(self, number: int) -> Path:
        return self.round_folder(number) / "trained.json"


def _read(file: Path, record: type[RecordT]) -> RecordT | None:
    """What a file records; None where there is no file. Raises StoreError for a damaged one."""
    try:
        return record.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, TypeError, ValidationError) as error:  # TypeError: an answer of other keys
        raise StoreError(f"{file}: cannot be read. Delete it, and that is done again") from error


def _write(file: Path, record: BaseModel) -> None:
    """Wholly or not at all, also after a power cut."""
    aside = file.with_name(f".{secrets.token_hex(8)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        aside.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
        sync(aside)
        os.replace(aside, file)  # noqa: PTH105 - as in `folders`: the atomic one
        sync(file.parent)
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror}") from error
