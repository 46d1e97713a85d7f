from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines.errors import StoreError
from pipelines.selection.staged import scan, staged_files
from pipelines.staging.evidence import Evidence
from pipelines.staging.runs import BATCH, COLUMNS, ROWS, RunWriter, count_rows, merged, row_bytes
from schemas.rows import Response
from schemas.tables import ORDER, STAGED

SCHEMA = pa.schema([("key", pa.int64()), ("text", pa.string())])


def write_runs(
    folder: Path, name: str, *runs: list[int], order: tuple[str, ...] = ("key",)
) -> Path:
    """A file of runs of the given keys; each row has a text of its own."""
    with closing(RunWriter(folder, name, SCHEMA, order)) as writer:
        for keys in runs:
            texts = [f"text {key}" for key in keys]
            writer.write(pa.table({"key": keys, "text": texts}, schema=SCHEMA))
    return folder / f"{name}{ROWS}"


def keys_of(files: list[Path]) -> list[int]:
    """The keys as they lie in the files."""
    return [key for file in files for key in pa.ipc.open_file(file).read_all()["key"].to_pylist()]


@pytest.mark.parametrize("stretch", [1, 7, 300, 5000])
def test_runs_of_several_files_are_merged_in_the_order_of_their_places(tmp_path, stretch):
    keys = np.random.default_rng(1).permutation(1500).tolist()
    cut = 3 * BATCH
    files = [
        write_runs(tmp_path, "0", keys[:cut], keys[cut:500]),
        write_runs(tmp_path, "1", keys[500:500]),
        write_runs(tmp_path, "2", keys[500:]),
    ]
    places = np.array(keys_of(files), dtype=np.uint32)
    tables = list(merged(files, places, stretch))
    assert [table.num_rows for table in tables[:-1]] == [stretch] * (len(tables) - 1)
    rows = pa.concat_tables(tables).to_pylist()
    assert rows == [{"key": key, "text": f"text {key}"} for key in range(1500)]


def test_rows_that_do_not_lie_in_their_order_are_merged_all_the_same(tmp_path):
    keys = np.random.default_rng(2).permutation(300).tolist()
    file = write_runs(tmp_path, "0", keys, order=())
    assert keys_of([file]) == keys
    tables = merged([file], np.array(keys, dtype=np.uint32), 100)
    assert pa.concat_tables(tables)["key"].to_pylist() == list(range(300))


def test_a_run_that_is_cut_off_before_the_last_one_is_refused(tmp_path):
    file = write_runs(tmp_path, "0", [*range(100)], [*range(100, 300)])
    with pytest.raises(StoreError, match="rows are missing"):
        list(merged([file], np.arange(300, dtype=np.uint32), 50))


def test_columns_are_without_long_texts_and_in_the_order_of_the_rows(tmp_path):
    file = write_runs(tmp_path, "0", [3, 1, 2])
    columns = pa.ipc.open_file(tmp_path / f"0{COLUMNS}").read_all()
    assert columns.to_pydict() == {"key": [1, 2, 3]}
    assert count_rows(file) == 3
    assert row_bytes([file]) == file.stat().st_size // 3


@pytest.mark.parametrize("hashed", ["norm_hash", "text_hash"])
def test_columns_say_of_each_response_whether_it_has_a_text(tmp_path, monkeypatch, hashed):
    """And that is believed, without a look at the hash: a blank text has one of its own."""
    monkeypatch.setattr("pipelines.staging.runs.IS_THERE", {hashed: "has_text"})
    said = [True, hashed == "text_hash", hashed == "text_hash"]
    evidence = Evidence(tmp_path)
    evidence.add_responses(response(number, text) for number, text in enumerate(("x", " \n", "")))
    evidence.flush()
    (file,) = staged_files(tmp_path, "responses", COLUMNS)
    columns = pa.ipc.open_file(file).read_all()
    assert columns["has_text"].to_pylist() == said
    known = evidence.frames().responses.sort("response_id")
    assert known["has_text"].to_list() == said


def test_long_texts_make_short_runs(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.staging.buffer.CHARS_PER_PIECE", 1000 * BATCH)
    monkeypatch.setattr("pipelines.staging.pieces.LEAST", 1000 * BATCH)
    evidence = Evidence(tmp_path)
    rows = 2 * BATCH + 9
    evidence.add_responses(response(number, "x" * 1000) for number in reversed(range(rows)))
    evidence.flush()
    (file,) = staged_files(tmp_path, "responses", ROWS)
    with closing(pa.OSFile(str(file))) as opened:
        reader = pa.ipc.open_file(opened)
        firsts = [
            reader.get_batch(number)["response_id"][0].as_py()
            for number in range(reader.num_record_batches)
        ]
    assert firsts == [f"{first:04d}" for first in (rows - BATCH, rows - 2 * BATCH, 0)]
    assert evidence.count("responses") == rows


def test_many_runs_are_several_files_whose_rows_arrive_in_one_order(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.staging.buffer.ROWS_PER_PIECE", BATCH)
    monkeypatch.setattr("pipelines.staging.pieces.LEAST", 1)
    evidence = Evidence(tmp_path)
    evidence.add_responses(response(number, "x") for number in range(20 * BATCH + 1))
    evidence.flush()
    files = staged_files(tmp_path, "responses", ROWS)
    assert len(files) == 3
    rows = pa.concat_tables(pa.ipc.open_file(file).read_all() for file in files)
    columns = scan(tmp_path, "responses").collect()
    assert columns["response_id"].to_list() == rows["response_id"].to_pylist()
    assert columns["arrival"].to_list() == list(range(20 * BATCH + 1))


def test_every_table_of_the_evidence_has_an_order(tmp_path):
    assert ORDER.keys() == STAGED.keys()
    for table, names in ORDER.items():
        assert set(names) <= set(STAGED[table].names)


def response(number: int, text: str) -> Response:
    return Response(f"{number:04d}", "prompt", text, "model", "identity", "independent")
