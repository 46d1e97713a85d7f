import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from pipelines.calls.prices import Prices
from pipelines.errors import RecipeError
from pipelines.intake.columns import Names
from pipelines.part import Real, Table, Threshold, Where, load_table


class Specimen(Table):
    """A table with a field of every type that recipes have."""

    name: str = Field(default="a", pattern="^[a-z]+$")
    """Lower-case letters."""
    n: int = Field(default=1, ge=1, le=9)
    share: Real = Field(default=0.5, gt=0, lt=1)
    least: Threshold = Decimal(0)
    deep: bool = False
    how: Literal["mean", "median"] = "mean"
    shards: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    judges: tuple[str, ...] = ()
    columns: Names = ()
    weights: dict[str, Real] = {}
    by_name: dict[Annotated[str, Field(pattern="^[a-z]+$")], int] = {}
    scale: tuple[Threshold, Threshold] | None = None
    mark: str = Field(default="x", min_length=1, max_length=1)
    prices: Prices = Prices()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('name = "A1"', 'name: "A1" will not do. Lower-case letters.'),
        ("name = 3", "name: text is wanted, not 3"),
        ("n = 0", "n: a number of at least 1 is wanted, not 0"),
        ("n = 10", "n: a number of at most 9 is wanted, not 10"),
        ("n = 1.5", "n: a whole number is wanted, not 1.5"),
        ("n = true", "n: a whole number is wanted, not true"),
        ("share = 1.0", "share: a number below 1 is wanted, not 1.0"),
        ("share = 0", "share: a number above 0 is wanted, not 0"),
        ("share = nan", "share: a finite number is wanted, not nan"),
        ('least = "2"', 'least: a number is wanted, not "2"'),
        ("deep = 1", "deep: true or false is wanted, not 1"),
        ('how = "mea"', 'how: no such choice "mea"; did you mean "mean"? Valid: mean, median'),
        ("how = 1", 'how: "mean" or "median" is wanted, not 1'),
        ('shards = "many"', 'shards: "auto" or a whole number is wanted, not "many"'),
        ('judges = "a"', 'judges: a list (["a"]) is wanted, not "a"'),
        ("judges = [1]", "judges.0: text is wanted, not 1"),
        ("columns = 1", "columns: text or list of text is wanted, not 1"),
        ('weights = { a = "b" }', 'weights.a: a number is wanted, not "b"'),
        ('by_name = { "A-1" = 1 }', 'by_name.A-1: "A-1" will not do. It must match ^[a-z]+$'),
        ("weights = [1]", "weights: a table is wanted, not [1]"),
        ("scale = [1]", "scale.1: is needed and missing"),
        ("scale = [1, 2, 3]", "scale: a list of at most 2 values is wanted, not [1, 2, 3]"),
        ('mark = "xx"', 'mark: text of at most 1 character is wanted, not "xx"'),
        ('mark = ""', 'mark: text of at least 1 character is wanted, not ""'),
        ("prices = 3", "prices: a table is wanted, not 3"),
        ('prices = { outptu = 1 }', 'prices.outptu: no such key "outptu"; did you mean "output"?'),
    ],
)  # fmt: skip
def test_a_fault_says_what_is_wanted_in_the_words_of_a_recipe(given: str, said: str) -> None:
    table = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in tomllib.loads(given, parse_float=Decimal).items()
    }
    with pytest.raises(RecipeError) as refused:
        load_table(Specimen, table, Where("r.toml", "[specimen]", Path()))
    assert str(refused.value).startswith(f"r.toml: [specimen]: {said}")
    assert "\n" not in str(refused.value)


def test_each_wrong_key_is_a_line_of_its_own() -> None:
    with pytest.raises(RecipeError) as refused:
        load_table(Specimen, {"n": 0, "deep": 1}, Where("r.toml", "[specimen]", Path()))
    assert len(str(refused.value).splitlines()) == 2


def test_a_long_wrong_value_is_cut() -> None:
    with pytest.raises(RecipeError) as refused:
        load_table(Specimen, {"n": "9" * 10_000}, Where("r.toml", "[specimen]", Path()))
    assert len(str(refused.value)) < 200
