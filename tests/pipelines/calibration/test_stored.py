from pathlib import Path

import pytest

from pipelines.calibration.stored import store_calibration, stored_calibrations
from pipelines.errors import StoreError
from pipelines.publishing.store import Store
from schemas.calibration import Calibration, Check, Figure, Labels


def calibration(labels: str = "a" * 64, accuracy: float | None = 0.8) -> Calibration:
    return Calibration(
        identity="f" * 32,
        judge="rating",
        labels=Labels(digest=labels, name="x.jsonl", pairs=200, prompts=190),
        lower_bound=0.75,
        figures={"accuracy": Figure(value=accuracy, low=0.7, high=0.9, n=200)},
        prompts=("1", "2"),
    )


def test_a_calibration_reads_back_as_it_was(tmp_path: Path):
    store, one = Store(tmp_path), calibration()
    file = store_calibration(store, one)
    assert file == tmp_path / "calibrations" / one.identity / "aaaaaaaaaaaaaaaa.json"
    assert stored_calibrations(store, one.identity) == [one]
    assert stored_calibrations(store, "0" * 32) == []
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_further_check_on_the_same_labels_replaces_the_one_before(tmp_path: Path):
    store = Store(tmp_path)
    for accuracy in (0.8, 0.9):
        store_calibration(store, calibration(accuracy=accuracy))
    store_calibration(store, calibration("b" * 64))
    found = stored_calibrations(store, "f" * 32)
    assert [one.figures["accuracy"].value for one in found] == [0.9, 0.8]


def test_an_undefined_figure_is_stored_as_such(tmp_path: Path):
    store_calibration(Store(tmp_path), calibration(accuracy=None))
    (found,) = stored_calibrations(Store(tmp_path), "f" * 32)
    assert found.figures["accuracy"].value is None


@pytest.mark.parametrize("text", ["", "{}", '{"schema_version": 1}', "[]"])
def test_a_damaged_calibration_is_told_with_its_file(tmp_path: Path, text: str):
    file = store_calibration(Store(tmp_path), calibration())
    file.write_text(text)
    with pytest.raises(StoreError, match=file.name):
        stored_calibrations(Store(tmp_path), "f" * 32)


def test_a_newer_calibration_is_not_misread(tmp_path: Path):
    file = store_calibration(Store(tmp_path), calibration())
    file.write_text(file.read_text().replace('"schema_version": 1', '"schema_version": 2'))
    with pytest.raises(StoreError, match="newer pairwright"):
        stored_calibrations(Store(tmp_path), "f" * 32)


def test_a_manifest_has_it_in_brief():
    assert calibration().summary() == Check(
        labels="a" * 64, name="x.jsonl", pairs=200, accuracy=0.8, lower_bound=0.75
    )
