import multiprocessing
from pathlib import Path

import pytest

from pipelines.errors import StoreError
from pipelines.iterating.journal import Built, Journal, Trained

BUILT = Built(version="sums@v0001", content_digest="d1", policy={"student": "start"})
TRAINED = Trained(
    content_digest="d1", command="c", answer={"folder": "/m"}, policy={"student": "r1"}, seconds=1.5
)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, "sums", "0123456789abcdef0123")


def test_what_was_noted_is_there(journal: Journal) -> None:
    assert journal.built(1, BUILT.policy) is None
    assert journal.trained(1, BUILT) is None
    journal.note_built(1, BUILT)
    journal.note_trained(1, TRAINED)
    assert journal.built(1, BUILT.policy) == BUILT
    assert journal.trained(1, BUILT) == TRAINED
    assert {file.name for file in journal.round_folder(1).iterdir()} == {
        "built.json",
        "trained.json",
    }


def test_what_does_not_follow_from_the_round_before_does_not_count(journal: Journal) -> None:
    journal.note_built(2, BUILT)
    journal.note_trained(2, TRAINED)
    assert journal.built(2, {"student": "other"}) is None
    assert journal.trained(2, BUILT.model_copy(update={"content_digest": "d2"})) is None


def test_a_damaged_record_says_what_helps(journal: Journal) -> None:
    journal.note_built(1, BUILT)
    (journal.round_folder(1) / "built.json").write_text("{")
    with pytest.raises(StoreError, match=r"built\.json: cannot be read\. Delete it"):
        journal.built(1, BUILT.policy)


def test_an_answer_with_a_key_that_none_has_is_a_damaged_record(journal: Journal) -> None:
    journal.note_trained(1, TRAINED)
    file = journal.round_folder(1) / "trained.json"
    file.write_text(file.read_text().replace('"folder"', '"fodler"'))
    with pytest.raises(StoreError, match=r"trained\.json: cannot be read\. Delete it"):
        journal.trained(1, BUILT)


def test_two_runs_are_never_at_the_same_iteration(journal: Journal) -> None:
    with journal.locked():
        context = multiprocessing.get_context("spawn")
        with context.Pool(1) as pool:
            assert "another run" in pool.apply(try_to_lock, (journal.folder,))
    with journal.locked():
        pass


def try_to_lock(folder: Path) -> str:
    """What a second process is told."""
    name, _, digest = folder.name.partition("-")
    try:
        with Journal(folder.parents[1], name, digest).locked():
            return "locked"
    except StoreError as error:
        return str(error)


def test_what_blocks_within_is_not_taken_for_another_run(journal: Journal) -> None:
    with pytest.raises(BlockingIOError), journal.locked():
        raise BlockingIOError
