import errno
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelines.health import file_system
from pipelines.health.check import Check
from pipelines.health.file_system import check_file_system


def checks(root: Path) -> dict[str, Check]:
    return {check.subject: check for check in check_file_system(root)}


def test_a_usual_folder_is_sound_and_left_as_it_was(tmp_path: Path) -> None:
    found = checks(tmp_path)
    assert {found[subject].status for subject in ("store", "file system", "rename", "fsync")} == {
        "ok"
    }
    assert list(tmp_path.iterdir()) == []


def test_an_absent_store_is_tried_in_the_folder_above_and_not_made(tmp_path: Path) -> None:
    found = checks(tmp_path / "no" / "store")
    assert "not there yet" in found["store"].finding
    assert found["rename"].status == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_a_store_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    (found,) = check_file_system(tmp_path / "store")
    assert (found.status, found.finding) == ("fault", f"{tmp_path / 'store'} is a file")


def test_a_folder_that_cannot_be_written_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("tempfile._os.mkdir", refuse)
    found = checks(tmp_path)["file system"]
    assert found.status == "fault"
    assert "Permission denied" in found.finding


@pytest.mark.parametrize(("free", "status"), [(2**40, "ok"), (2**30, "warning"), (2**20, "fault")])
def test_little_free_space_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, status: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert checks(tmp_path)["free space"].status == status


def test_a_rename_that_replaces_a_taken_folder_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(staged: Path, place: Path) -> bool:
        shutil.rmtree(place, ignore_errors=True)
        staged.rename(place)
        return True

    monkeypatch.setattr(file_system, "claim", replace)
    assert checks(tmp_path)["rename"].status == "fault"


@pytest.mark.parametrize(("folders_only", "status"), [(True, "warning"), (False, "fault")])
def test_a_disk_that_cannot_sync_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folders_only: bool, status: str
) -> None:
    def fsync(path: Path) -> None:
        if path.is_dir() or not folders_only:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    monkeypatch.setattr(file_system, "_fsync", fsync)
    assert checks(tmp_path)["fsync"].status == status
