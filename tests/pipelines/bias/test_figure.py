import polars as pl
import pytest

from pipelines.bias import figure as module
from pipelines.bias.figure import figure, ratio


def sums(n: int) -> pl.DataFrame:
    """Of every second prompt one of one observation is a hit."""
    hits = [prompt % 2 for prompt in range(n)]
    return pl.DataFrame({"prompt": range(n), "hits": hits, "n": [1] * n})


def test_the_interval_is_that_of_prompts() -> None:
    found = figure(sums(400), ratio, "n")
    assert found is not None
    assert found.interval is not None
    assert (found.value, found.n) == (0.5, 400)
    assert found.interval.low == pytest.approx(0.45, abs=0.01)
    assert found.interval.high == pytest.approx(0.55, abs=0.01)


def test_many_prompts_are_drawn_in_blocks_with_the_same_spread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scattered = sums(4_000).with_columns(hits=pl.col("prompt").hash(seed=1) % 2)
    whole = figure(scattered, ratio, "n")
    monkeypatch.setattr(module, "BLOCKS", 200)
    blocks = figure(scattered, ratio, "n")
    assert whole is not None
    assert blocks is not None
    assert whole.interval is not None
    assert blocks.interval is not None
    assert blocks.value == whole.value
    assert blocks.interval.low == pytest.approx(whole.interval.low, abs=0.005)
    assert blocks.interval.high == pytest.approx(whole.interval.high, abs=0.005)


def test_the_order_of_rows_changes_nothing() -> None:
    assert figure(sums(30), ratio, "n") == figure(sums(30).reverse(), ratio, "n")


def test_nothing_observed_is_undefined() -> None:
    assert figure(sums(0), ratio, "n") is None
    assert figure(sums(1), ratio, "n", sure=False) == (0.0, 1, None)
