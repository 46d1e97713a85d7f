import os
import time
from pathlib import Path

import pytest

from pipelines.batching.journal import Entry, Journal, all_entries
from pipelines.errors import StoreError

ROUTE = "https://a.b/v1 m"


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, ROUTE)


def entry_of(journal: Journal, ids: str = "abc") -> Entry:
    entry = journal.new()
    for one in ids:
        entry.add(one)
    return entry


def noted(journal: Journal, ids: str = "abc") -> Entry:
    entry = entry_of(journal, ids)
    entry.note({"file_id": "file-1"})
    return entry


def test_a_job_is_in_the_journal_from_its_first_note_on(journal: Journal) -> None:
    entry = entry_of(journal)
    assert list(journal.entries()) == []
    entry.note({"file_id": "file-1"})
    entry.note({"batch_id": "batch-1"})
    (found,) = journal.entries()
    assert found.name == entry.name
    assert found.ids == ["a", "b", "c"]
    assert found.left == {"a", "b", "c"}
    assert found.facts == {"file_id": "file-1", "batch_id": "batch-1"}


def test_what_is_done_is_left_out_and_the_last_takes_the_file_along(journal: Journal) -> None:
    entry = noted(journal)
    entry.done(["b"])
    entry.done(["a"])
    (found,) = journal.entries()
    assert found.left == {"c"}
    assert found.ids == ["a", "b", "c"]
    found.done(["c"])
    assert list(journal.folder.iterdir()) == []
    assert list(journal.entries()) == []


def test_a_job_that_was_never_noted_leaves_no_file(journal: Journal) -> None:
    entry = entry_of(journal)
    entry.done(["a"])
    entry.done(["b", "c"])
    assert not journal.folder.exists()


def test_what_is_done_after_another_process_removed_the_file_makes_no_new_one(
    journal: Journal,
) -> None:
    entry = noted(journal)
    entry.path.unlink()
    entry.done(["a"])
    assert list(journal.folder.iterdir()) == []


@pytest.mark.parametrize("cut", range(1, 24))
def test_a_stop_in_the_middle_of_a_note_loses_that_note_alone(journal: Journal, cut: int) -> None:
    entry = noted(journal)
    whole = entry.path.read_bytes()
    entry.note({"batch_id": "batch-1"})
    added = len(entry.path.read_bytes()) - len(whole)
    os.truncate(entry.path, len(whole) + min(cut, added - 3))
    (torn,) = journal.entries()
    assert torn.facts == {"file_id": "file-1"}
    torn.note({"batch_id": "batch-1"})
    (mended,) = journal.entries()
    assert mended.facts == {"file_id": "file-1", "batch_id": "batch-1"}


def test_the_jobs_come_oldest_first_and_those_of_other_routes_are_not_among_them(
    journal: Journal, tmp_path: Path
) -> None:
    first = noted(journal)
    other = noted(Journal(tmp_path, "https://a.b/v1 other"))
    second = noted(journal)
    assert [one.name for one in journal.entries()] == [first.name, second.name]
    assert {one.name for one in all_entries(tmp_path)} == {first.name, second.name, other.name}


def test_a_job_older_than_its_results_is_forgotten(journal: Journal) -> None:
    entry = noted(journal)
    aged = entry.path.with_name(f"20250101T000000.000000Z-{entry.name[-8:]}.jsonl")
    entry.path.rename(aged)
    assert list(journal.entries()) == []
    assert not aged.exists()


def test_a_file_that_cannot_be_read_stops_the_build_with_what_helps(journal: Journal) -> None:
    entry = noted(journal)
    entry.path.write_bytes(b'{"v": 1, "ro')
    with pytest.raises(StoreError, match="paid again") as raised:
        list(journal.entries())
    assert str(entry.path) in str(raised.value)


def test_a_file_of_a_newer_version_is_not_touched(journal: Journal) -> None:
    entry = noted(journal)
    entry.path.write_bytes(entry.path.read_bytes().replace(b'{"v":1', b'{"v":2'))
    with pytest.raises(StoreError, match="Update this one"):
        list(journal.entries())


def test_a_journal_that_cannot_be_written_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "batches").write_text("a file in its place")
    with pytest.raises(StoreError, match="cannot be written"):
        noted(Journal(tmp_path, ROUTE))


def test_the_age_of_a_job_counts_from_its_last_note(journal: Journal) -> None:
    entry = noted(journal)
    past = time.time() - 1000
    os.utime(entry.path, (past, past))
    assert 999 < entry.age_s < 1100
    entry.note({"batch_id": "batch-1"})
    assert entry.age_s < 100
