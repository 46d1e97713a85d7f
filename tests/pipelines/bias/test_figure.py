import polars as pl
import pytest

from pipelines.bias import figure as module
from pipelines.bias.figure import Figure, beyond_the_seen, figure, ratio, share


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
    assert figure(sums(1), ratio, "n", sure=False) == (0.0, 1, None, 1)


def test_prompts_without_an_observation_are_not_counted() -> None:
    found = figure(sums(5).with_columns(n=pl.Series([2, 0, 3, 1, 0])), ratio, "n")
    assert found is not None
    assert (found.n, found.prompts) == (6, 3)


@pytest.mark.parametrize(("hits", "low", "high"), [(0, 0.0, 0.5615), (2, 0.4385, 1.0)])
def test_a_share_of_none_or_all_has_wilsons_interval_of_its_prompts(
    hits: int, low: float, high: float
) -> None:
    rows = pl.DataFrame({"prompt": [1, 2, 3], "hits": [hits] * 3, "n": [2] * 3})
    found = share(rows, "n")
    assert found is not None
    assert found.interval == pytest.approx((low, high), abs=1e-4)  # z2 = 3.8415: 3 / (3 + z2)


def test_a_share_between_has_the_interval_of_the_bootstrap() -> None:
    assert share(sums(30), "n") == figure(sums(30), ratio, "n")
    unsure = Figure(1.0, 4, None, 1)
    assert beyond_the_seen(unsure) == unsure
