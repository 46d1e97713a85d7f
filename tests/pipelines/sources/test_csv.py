import pytest

from pipelines.errors import RecipeError
from pipelines.source import BadRow


def read(source, root):
    return list(source.rows(root))


def test_every_value_is_text_and_quotes_hold_commas_and_lines(source, tmp_path):
    (tmp_path / "a.csv").write_bytes(b'\xef\xbb\xbfid,text\r\n1,"a, ""b""\nc"\r\n\r\n2,\r\n')
    table = source("csv", path="a.csv")
    assert table.columns(tmp_path) == ("id", "text")
    assert read(table, tmp_path) == [{"id": "1", "text": 'a, "b"\nc'}, {"id": "2", "text": ""}]


def test_bad_rows_say_where_and_why_and_their_neighbours_stay(source, tmp_path):
    (tmp_path / "a.csv").write_bytes(b'id,text\n1\n2,b,c\n3,\xff\n4,"x"y\n5,"two\nlines"\n6,\n')
    rows = read(source("csv", path="a.csv"), tmp_path)
    assert [row for row in rows if isinstance(row, dict)] == [
        {"id": "5", "text": "two\nlines"},
        {"id": "6", "text": ""},
    ]
    bad = {row.position: row.why for row in rows if isinstance(row, BadRow)}
    assert list(bad) == ["line 2", "line 3", "line 4", "line 5"]
    assert bad["line 2"] == "1 cells where the header has 2"
    assert bad["line 3"] == "3 cells where the header has 2"
    assert bad["line 4"] == "not UTF-8"
    assert bad["line 5"].startswith("not CSV")


def test_a_quote_that_never_closes_is_refused_and_does_not_swallow_the_rest(source, tmp_path):
    (tmp_path / "a.csv").write_text('id,text\n1,a\n2,"b\n3,c\n')
    with pytest.raises(RecipeError, match=r"a\.csv: the quote opened on line 3 never closes"):
        read(source("csv", path="a.csv"), tmp_path)


def test_a_header_that_is_not_utf8_is_refused_and_not_shown_as_columns(source, tmp_path):
    (tmp_path / "a.csv").write_text("id,text\n1,a\n", encoding="utf-16")
    with pytest.raises(RecipeError, match="the header is not UTF-8"):
        source("csv", path="a.csv").columns(tmp_path)


def test_long_cells_and_other_delimiters_are_read(source, tmp_path):
    long = "x" * 300_000
    (tmp_path / "a.tsv").write_text(f"id\ttext\n1\t{long}\0\n")
    table = source("csv", path="a.tsv", delimiter="\t")
    assert read(table, tmp_path) == [{"id": "1", "text": f"{long}\0"}]


@pytest.mark.parametrize(
    ("content", "message"), [("", "no header"), ("a,b,a\n1,2,3\n", "a column twice: a")]
)
def test_a_header_that_names_no_columns_is_refused(source, tmp_path, content, message):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(RecipeError, match=rf"\[sources\.rows\]: path: .*a\.csv: .*{message}"):
        source("csv", path="a.csv").columns(tmp_path)
