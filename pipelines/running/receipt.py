"""Receipts: what a finished shard tells those who merge it, perhaps on another machine.

shard ─ write_receipt ─> evidence, receipt.json ─> (path, hash) ─ read_receipt ─> Finished
"""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from pipelines.calls.budget import Cost
from pipelines.calls.meter import Meter, Spend
from pipelines.errors import StoreError
from pipelines.running.shard import Finished, Shard

RECEIPT = "receipt.json"


def write_receipt(finished: Finished) -> tuple[Path, str]:
    """Writes the receipt beside the evidence; returns its path and SHA-256."""
    fields = asdict(finished) | {"files": _hashes(finished.folder), "folder": None}
    content = orjson.dumps(fields)
    path = finished.folder / RECEIPT
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def read_receipt(path: Path, sha256: str) -> Finished:
    """What the shard left behind. Raises StoreError where any of it is not there as it wrote it."""
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != sha256:
        raise StoreError(f"{path}: is not the receipt that the shard wrote. Run the build again")
    fields = orjson.loads(content)
    written, there = fields["files"], _hashes(path.parent)
    for file in sorted(written.keys() | there.keys()):
        if written.get(file) != there.get(file):
            raise StoreError(f"{path.parent / file}: is not what the shard wrote. Run it again")
    return _finished(path, fields)


def attempts(staging: Path, shard: Shard) -> list[Finished]:
    """What each run of a shard in `staging` left behind: it may have run several times."""
    receipts = staging.glob(f"{shard.label}-*/{RECEIPT}")
    return [_finished(path, orjson.loads(path.read_bytes())) for path in receipts]


def _finished(path: Path, fields: dict[str, Any]) -> Finished:
    del fields["files"]
    meter, spent = _meter(fields["meter"]), Cost(**fields["spent"])
    return Finished(**fields | {"folder": path.parent, "meter": meter, "spent": spent})


def _meter(fields: dict[str, Any]) -> Meter:
    spends = {
        key: {name: Spend(**spend) for name, spend in fields[key].items()}
        for key in ("spend", "before")
    }
    return Meter(**fields | spends)


def _hashes(folder: Path) -> dict[str, str]:
    hashes = {}
    for file in sorted(folder.glob("*/*.*")):
        with file.open("rb") as content:
            name = file.relative_to(folder).as_posix()
            hashes[name] = hashlib.file_digest(content, "sha256").hexdigest()
    return hashes
