import csv
import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from flows.cli import main
from pipelines.publishing.versions import Version

QUERY = "SELECT chosen_model, count(*) AS n FROM pairs GROUP BY 1 ORDER BY 1"


@pytest.fixture
def store(make_version: Callable[..., Version]) -> str:
    pairs = [{"chosen_model": model} for model in ("a", "b", "a")]
    return str(make_version(pairs).folder.parents[2])


def test_a_query_prints_a_table(store: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["sql", QUERY, "--store", store]) == 0
    assert capsysbinary.readouterr().out == b"chosen_model  n\na             2\nb             1\n"


def test_json_on_standard_output_reads_back(
    store: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["sql", QUERY, "--store", store, "--dataset", "toy", "--format", "json"]) == 0
    assert json.loads(capsysbinary.readouterr().out) == [
        {"chosen_model": "a", "n": 2},
        {"chosen_model": "b", "n": 1},
    ]


def test_a_file_is_written_in_the_format_that_is_named(
    store: str, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for layout in ("csv", "parquet"):
        output = ["--format", layout, "--output", str(tmp_path / "out" / f"rows.{layout}")]
        (tmp_path / "out").mkdir(exist_ok=True)
        assert main(["sql", QUERY, "--store", store, *output]) == 0
    assert capsysbinary.readouterr().out == b""
    with (tmp_path / "out" / "rows.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["chosen_model", "n"], ["a", "2"], ["b", "1"]]
    assert pq.read_table(tmp_path / "out" / "rows.parquet").to_pydict() == {
        "chosen_model": ["a", "b"],
        "n": [2, 1],
    }


def test_a_query_that_fails_midway_leaves_the_old_file(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "rows.csv"
    output.write_text("old")
    wrong = "SELECT error(chosen_model) FROM pairs"
    written = ["--format", "csv", "--output", str(output)]
    assert main(["sql", wrong, "--store", store, *written]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert output.read_text() == "old"
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_output_never_goes_into_the_store(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    output = Path(store) / "datasets" / "toy" / "v0001" / "pairs" / "more.parquet"
    assert main(["sql", QUERY, "--store", store, "--output", str(output)]) == 2
    assert "lies in the store" in capsys.readouterr().err
    assert not output.exists()


def test_a_query_that_writes_is_refused(store: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sql", "CREATE TABLE t AS SELECT 1", "--store", store]) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_a_query_that_takes_too_long_is_stopped(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE hash(a, b) = 1"
    assert main(["sql", endless, "--store", store, "--timeout", "0.5"]) == 2
    assert "stopped after 0.5 s" in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon"])
def test_a_timeout_that_is_no_time_is_refused(seconds: str, store: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["sql", QUERY, "--store", store, f"--timeout={seconds}"])


def test_a_timeout_beyond_any_clock_is_none(store: str) -> None:
    assert main(["sql", QUERY, "--store", store, "--timeout", "1e300"]) == 0


def test_a_pipe_is_written_to_and_not_replaced(store: str, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        written = ["--format", "csv", "--output", str(pipe)]
        assert main(["sql", QUERY, "--store", store, *written]) == 0
        assert os.read(reader, 100) == b"chosen_model,n\na,2\nb,1\n"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_link_is_written_through_and_not_replaced(store: str, tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    link.symlink_to(real)
    written = ["--format", "csv", "--output", str(link)]
    assert main(["sql", QUERY, "--store", store, *written]) == 0
    assert link.is_symlink()
    assert real.read_text() == "chosen_model,n\na,2\nb,1\n"


def test_a_folder_is_no_output(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sql", QUERY, "--store", store, "--output", str(tmp_path)]) == 2
    assert "is a folder" in capsys.readouterr().err
