import csv
import gzip
import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.calibration.labelled import LabelSet
from pipelines.calibration.read import read_labelled
from pipelines.errors import RecipeError
from tests.pipelines.calibration.pairs import row

ROWS = [row(number, "ab"[number % 2]) for number in range(6)]
TEXT = "".join(json.dumps(one) + "\n" for one in ROWS)


def as_jsonl(folder: Path) -> Path:
    (folder / "x.jsonl").write_text(TEXT)
    return folder / "x.jsonl"


def as_packed(folder: Path) -> Path:
    (folder / "x.jsonl.gz").write_bytes(gzip.compress(TEXT.encode()))
    return folder / "x.jsonl.gz"


def as_csv(folder: Path, delimiter: str = ",", name: str = "x.csv") -> Path:
    with (folder / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(ROWS)
    return folder / name


def as_tsv(folder: Path) -> Path:
    return as_csv(folder, "\t", "x.tsv")


def as_parquet(folder: Path) -> Path:
    pq.write_table(pa.Table.from_pylist(ROWS), folder / "x.parquet")
    return folder / "x.parquet"


def as_duckdb(folder: Path) -> Path:
    source = as_parquet(folder)
    with duckdb.connect(folder / "x.duckdb") as database:
        database.execute(f"CREATE TABLE labelled AS FROM '{source}'")
    return folder / "x.duckdb"


FORMS = [as_jsonl, as_packed, as_csv, as_tsv, as_parquet, as_duckdb]


@pytest.mark.parametrize("form", FORMS)
def test_every_kind_of_file_gives_the_same_labels(tmp_path: Path, form, monkeypatch):
    wanted = read_labelled(as_jsonl(tmp_path))
    path = form(tmp_path)
    monkeypatch.chdir(tmp_path)
    found: LabelSet = read_labelled(Path(path.name))  # relative to where the command runs
    assert found.pairs == wanted.pairs
    assert (found.name, found.groups) == (path.name, 6)


def test_a_query_shapes_the_file_first(tmp_path: Path):
    query = "SELECT * REPLACE (CASE label WHEN 'a' THEN 'b' ELSE 'a' END AS label) FROM labelled"
    found = read_labelled(as_parquet(tmp_path), query=query)
    plain = read_labelled(as_parquet(tmp_path))
    assert [one.label for one in found.pairs] == [
        {"a": "b", "b": "a"}[str(one.label)] for one in plain.pairs
    ]


def test_rows_that_are_no_pairs_are_counted_and_their_neighbours_stay(tmp_path: Path):
    bad = [row(7, "?"), row(8, response_a=""), row(9, response_a="11"), row(0, "b")]
    lines = TEXT + "{no json\n" + "".join(json.dumps(one) + "\n" for one in bad)
    (tmp_path / "x.jsonl").write_text(lines)
    found = read_labelled(tmp_path / "x.jsonl")
    assert len(found.pairs) == 5
    assert found.dropped == {
        "unreadable_row": 1,
        "unknown_label": 1,
        "empty_response": 1,
        "identical_responses": 1,
        "contradictory": 2,
    }


def test_a_file_without_any_labelled_pair_shows_its_first_rows(tmp_path: Path):
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(row(n, "left")) + "\n" for n in range(5)))
    with pytest.raises(
        RecipeError,
        match=r'no row is a labelled pair\n  row 1: unknown_label: "left" \(--spelling says',
    ):
        read_labelled(tmp_path / "x.jsonl")


@pytest.mark.parametrize("name", ["missing.jsonl", "x.xlsx"])
def test_a_file_that_is_missing_or_of_no_known_kind_is_told(tmp_path: Path, name: str):
    (tmp_path / "x.xlsx").touch()
    with pytest.raises(RecipeError, match=rf"{name}: no (such file$|reader)"):
        read_labelled(tmp_path / name)


def test_an_empty_file_is_told(tmp_path: Path):
    (tmp_path / "x.jsonl").write_text("")
    with pytest.raises(RecipeError, match="no rows"):
        read_labelled(tmp_path / "x.jsonl")
