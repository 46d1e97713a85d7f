"""Stored calibrations: `<store>/calibrations/<judge>/<labels>.json`, one for each set of labels.

A further check of the same judge on the same labels replaces the one before. A file is written
aside and renamed, so that a reader never sees half of it.
"""

import os
import secrets
from pathlib import Path

import orjson
from pydantic import ValidationError

from pipelines.errors import StoreError
from pipelines.publishing.folders import sync
from pipelines.publishing.store import Store
from schemas.calibration import SCHEMA_VERSION, Calibration

DIGITS = 16
"""Of the labels' digest that name a file."""


def store_calibration(store: Store, calibration: Calibration) -> Path:
    """Writes `calibration` and returns its file. Raises StoreError."""
    folder = store.calibrations_folder / calibration.identity
    place = folder / f"{calibration.labels.digest[:DIGITS]}.json"
    aside = folder / f".{secrets.token_hex(8)}"
    text = calibration.model_dump_json(indent=2) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        aside.write_text(text, encoding="utf-8")
        sync(aside)
        os.replace(aside, place)  # noqa: PTH105 - as in `folders`: the atomic one
        sync(folder)
    except OSError as error:
        raise StoreError(f"{place}: cannot be written: {error.strerror}") from error
    return place


def stored_calibrations(store: Store, identity: str) -> list[Calibration]:
    """The calibrations of a judge, sorted by their labels. Raises StoreError for a damaged one."""
    folder = store.calibrations_folder / identity
    found = [_read(file) for file in sorted(folder.glob("*.json"))]
    return [one for one in found if one.identity == identity]


def _read(file: Path) -> Calibration:
    try:
        table = orjson.loads(file.read_bytes())
        newer = table["schema_version"] > SCHEMA_VERSION
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError(f"{file}: cannot be read: {error}. Remove it and check again") from error
    if newer:
        raise StoreError(f"{file}: written by a newer pairwright. Update pairwright")
    try:
        return Calibration.model_validate(table)
    except ValidationError as error:
        raise StoreError(f"{file}: is no calibration. Remove it and check again") from error
