import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.selection import hashes
from pipelines.selection.hashes import draw_integers, make_ids
from schemas.canonical import draw_integer, make_id

TEXT = st.none() | st.text(st.characters(exclude_categories=("Cs",)), max_size=6)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=5), st.integers(0, 9))
def test_ids_and_draws_of_many_rows_are_those_of_each_row(
    rows: list[tuple[str | None, str | None]], first: int
) -> None:
    table = pl.DataFrame(rows, schema={"a": pl.String, "b": pl.String}, orient="row")[first:]
    path = "of", pl.col("a"), 7, pl.col("b")
    assert make_ids(table, "pair", *path).to_list() == [
        make_id("pair", "of", a, 7, b) for a, b in rows[first:]
    ]
    assert draw_integers(table, *path).to_list() == [
        draw_integer("of", a, 7, b) for a, b in rows[first:]
    ]


def test_a_text_that_stands_apart_from_the_others_changes_none_of_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So many rows are hashed together; one of them has a quote, one is null."""
    monkeypatch.setattr(hashes, "ROWS_AT_ONCE", 2)
    texts = ["it's", "é", 'a "b"', "plain", None, "\\"]
    table = pl.DataFrame({"a": texts, "b": ["x"] * 6})
    found = make_ids(table, "it's", pl.col("a"), pl.col("b"), ['"'])
    assert found.to_list() == [make_id("it's", text, "x", ['"']) for text in texts]
