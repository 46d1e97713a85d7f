import gzip
import re

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import RecipeError
from pipelines.source import BadRow
from pipelines.sources.jsonl import parse_line

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def read(source, root):
    return list(source.rows(root))


def test_rows_come_in_order_and_keep_every_kind_of_value(source, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"x": 1, "y": null}\n{"z": ["é", {"k": 2.5}]}')
    assert read(source("jsonl", path="a.jsonl"), tmp_path) == [
        {"x": 1, "y": None},
        {"z": ["é", {"k": 2.5}]},
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"not json", "not JSON"),
        (b'["a list"]', "not a JSON object but a list"),
        (b"17", "not a JSON object but a int"),
        (b'{"x": "\xff\xfe"}', "not JSON"),
        (rb'{"x": "\ud800"}', "not JSON"),
        (b'{"x": NaN}', "not JSON"),
        (b'{"x": 1', "not JSON"),
    ],
)
def test_a_bad_line_is_a_bad_row_and_its_neighbours_stay(source, tmp_path, line, why):
    (tmp_path / "a.jsonl").write_bytes(b'{"x": 1}\n' + line + b'\n{"x": 2}\n')
    first, bad, last = read(source("jsonl", path="a.jsonl"), tmp_path)
    assert (first, last) == ({"x": 1}, {"x": 2})
    assert isinstance(bad, BadRow)
    assert bad.position == "line 2"
    assert bad.why.startswith(why)


def test_a_byte_order_mark_blank_lines_windows_ends_and_nuls_do_no_harm(source, tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"x": "a\\u0000b"}\r\n\r\n{"x": 2}\r\n')
    assert read(source("jsonl", path="a.jsonl"), tmp_path) == [{"x": "a\0b"}, {"x": 2}]


def test_unicode_line_separators_inside_a_text_end_no_line(source, tmp_path):
    row = {"x": "a\u2028b\x85c\x0bd"}
    (tmp_path / "a.jsonl").write_bytes(orjson.dumps(row))
    assert read(source("jsonl", path="a.jsonl"), tmp_path) == [row]


def test_of_a_key_given_twice_the_last_counts():
    assert parse_line(b'{"x": 1, "x": 2}', "line 1") == {"x": 2}


def test_packed_files_lists_and_globs_are_read_in_order(source, tmp_path):
    for name, value in (("b.jsonl.gz", 2), ("a.jsonl.gz", 1)):
        (tmp_path / name).write_bytes(gzip.compress(b'{"x": %d}\nbad' % value))
    by_glob = read(source("jsonl", path="*.gz"), tmp_path)
    assert [row for row in by_glob if isinstance(row, dict)] == [{"x": 1}, {"x": 2}]
    assert [row.position for row in by_glob if isinstance(row, BadRow)] == [
        "a.jsonl.gz line 2",
        "b.jsonl.gz line 2",
    ]
    listed = source("jsonl", path=("b.jsonl.gz", "a.jsonl.gz"))
    assert [row for row in read(listed, tmp_path) if isinstance(row, dict)] == [{"x": 2}, {"x": 1}]


def test_a_torn_gzip_file_is_an_error_that_names_it(source, tmp_path):
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"x": 1}\n' * 1000)[:-20])
    with pytest.raises(RecipeError, match=r"\[sources\.rows\]: path: .*a\.jsonl\.gz: "):
        read(source("jsonl", path="a.jsonl.gz"), tmp_path)


@pytest.mark.parametrize("path", ["gone.jsonl", "*.gone", "../gone.jsonl"])
def test_a_missing_file_is_refused_with_file_table_key_and_the_path_tried(source, tmp_path, path):
    tried = re.escape(str((tmp_path / path).resolve()))
    with pytest.raises(RecipeError, match=rf"^recipe\.toml: \[sources\.rows\]: path: .*{tried}"):
        source("jsonl", path=path)


def test_a_folder_is_refused_with_how_to_name_its_files(source, tmp_path):
    (tmp_path / "parts").mkdir()
    with pytest.raises(RecipeError, match=r'parts is a folder; .*"parts/\*'):
        source("jsonl", path="parts/")


def test_a_file_whose_name_looks_like_a_glob_is_that_file(source, tmp_path):
    (tmp_path / "a[1].jsonl").write_text('{"x": 1}')
    assert read(source("jsonl", path="a[1].jsonl"), tmp_path) == [{"x": 1}]


def test_all_nasty_rows_are_read(source, shared_data, tmp_path):
    rows = read(source("jsonl", path=str(shared_data / "nasty_rows.jsonl.gz")), tmp_path)
    assert len(rows) == 172
    assert all(set(row) == {"source", "license", "kind", "row"} for row in rows)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_any_object_comes_back_exactly(row):
    assert parse_line(orjson.dumps(row), "line 1") == row


@given(st.binary(max_size=40))
def test_any_line_is_a_row_or_a_bad_row(line):
    assert isinstance(parse_line(line, "line 1"), dict | BadRow)
