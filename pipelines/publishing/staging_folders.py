"""Staging folders: where builds are on their way, until they are claimed or their process ends."""

import os
import platform
import re
import secrets
import shutil
from pathlib import Path

from pipelines.publishing.folders import unwritable

_NAME = re.compile(r"(?P<host>.+)-(?P<pid>[0-9]+)-[0-9a-f]{16}")


def fresh_staging(folder: Path) -> Path:
    """A fresh folder in `folder`, which no other process has; those of dead ones are removed."""
    fresh = folder / f"{_host()}-{os.getpid()}-{secrets.token_hex(8)}"
    try:
        fresh.mkdir(parents=True)
    except OSError as error:
        raise unwritable(fresh, error) from error
    for stale in stale_staging(folder):
        shutil.rmtree(stale, ignore_errors=True)
    return fresh


def stale_staging(folder: Path) -> list[Path]:
    """Those in `folder` of this host's dead processes, sorted."""
    if not folder.is_dir():
        return []
    named = ((entry, _NAME.fullmatch(entry.name)) for entry in folder.iterdir())
    return sorted(
        entry
        for entry, match in named
        if match and match["host"] == _host() and not _is_alive(int(match["pid"]))
    )


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9.]", "_", platform.node())


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
