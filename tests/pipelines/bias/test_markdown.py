import polars as pl
import pytest

from pipelines.bias.markdown import density

LINES = {
    "# Title": 1, "###### deep": 1, "#hashtag": 0, "- item": 1, "* item": 1, "+ item": 1,
    "1. one": 1, "12) twelve": 1, "  - nested": 1, "> quote": 1, "| a | b |": 1, "```python": 1,
    "~~~": 1, "---": 1, "* * *": 1, "___": 1, "some **bold** word": 1, "some __bold__ word": 1,
    "plain words": 0, "-5 degrees": 0, "3.14 is pi": 0, "2 * 3 * 4": 0, "a ** b": 0,
    "snake_case_name": 0, "1999. was a year": 0, "a - b": 0,
}  # fmt: skip


@pytest.mark.parametrize(("line", "structured"), LINES.items())
def test_a_line_is_structure_or_not(line: str, structured: int) -> None:
    texts = pl.DataFrame({"text": [line, f"\n\n{line}\nplain\n"]})
    assert texts.select(density(pl.col("text"))).to_series().to_list() == [
        structured,
        structured / 2,
    ]
