"""Models ranked by the pairs of a version."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.build import run_build
from pipelines.calls.meter import Meter
from pipelines.publishing.numbered_pairs import numbered_pairs
from pipelines.publishing.store import Store
from pipelines.ranking.models import Ranked, Ranking, ranking
from pipelines.recipe import read_recipe

ZEROEVAL = Path(__file__).parents[3] / "flows" / "recipes" / "acceptance" / "zeroeval.toml"


def games(*rows: tuple[object, ...]) -> pl.DataFrame:
    names = ["prompt_id", "model", "other", "points"][: len(rows[0])]
    return pl.DataFrame(rows, schema=names, orient="row")


def row(found: Ranking, model: str) -> Ranked:
    return next(one for one in found.models if one.model == model)


def test_shares_and_order_are_those_of_the_pairs() -> None:
    found = ranking(games(("p", "a", "b"), ("p", "a", "c"), ("q", "b", "c"), ("q", "c", "a")))
    assert [one[:4] for one in found.models] == [
        ("a", 3, 2.0, 2 / 3),
        ("b", 2, 1.0, 0.5),
        ("c", 3, 1.0, 1 / 3),
    ]
    assert (found.prompts, found.reason) == (2, None)


def test_a_tie_is_half_a_win_for_each() -> None:
    found = ranking(games(("p", "a", "b", 0.5), ("q", "b", "a", 0.5)))
    assert [(one.points, one.strength) for one in found.models] == [(1.0, 0.0), (1.0, 0.0)]


def test_games_of_a_model_with_itself_or_with_nobody_do_not_count() -> None:
    found = ranking(games(("p", "a", "a"), ("p", "a", "b"), ("q", None, "b"), ("r", "a", None)))
    assert [one[:3] for one in found.models] == [("a", 1, 1.0), ("b", 1, 0.0)]
    assert found.prompts == 1


def test_models_that_no_chain_of_pairs_links_are_not_ranked() -> None:
    found = ranking(games(("p", "a", "b"), ("q", "c", "d"), ("r", "b", "e"), ("r", "b", "f")))
    assert found.reason == "no chain of pairs links a, b, e and 1 more with c, d"
    assert [(one.model, one.strength) for one in found.models][:2] == [("a", None), ("c", None)]


def test_without_two_models_there_is_no_ranking() -> None:
    assert ranking(games(("p", "a", "a"))) == Ranking((), 0, "no pair has answers of two models")


def test_one_prompt_gives_no_interval() -> None:
    (one, other) = ranking(games(("p", "a", "b"), ("p", "a", "b"))).models
    assert one.strength is not None
    assert one.strength > 0
    assert (one.low, one.high, other.low, other.high) == (None,) * 4


def test_more_pairs_of_the_same_prompts_make_nothing_surer() -> None:
    """And the bounds are about those of 100 independent games, as the formula of Wald has them."""
    once = [(f"p{n:03}", *("ab" if n % 4 else "ba")) for n in range(100)]
    few, many = ranking(games(*once)), ranking(games(*once * 9))
    width = [row(found, "a").high - row(found, "a").low for found in (few, many)]
    assert width[1] == pytest.approx(width[0], rel=0.1)
    wald = 2 * 1.96 / np.sqrt(100 * 0.75 * 0.25) / 2  # of half the difference
    assert width[0] == pytest.approx(wald, rel=0.15)


def test_a_model_of_one_prompt_among_many_has_no_interval() -> None:
    pairs = [(f"p{n:03}", *("ab" if n % 3 else "ba")) for n in range(50)]
    found = ranking(games(*pairs, ("p000", "c", "a")))
    assert row(found, "c").low is not None  # two of three resamples have it
    many = [(f"p{n:05}", *("ab" if n % 3 else "ba")) for n in range(3000)]
    assert row(ranking(games(*many)), "a").low is not None


def test_the_order_of_pairs_changes_nothing() -> None:
    pairs = games(*[(f"p{n}", *("ab", "bc", "ca", "ab")[n % 4]) for n in range(40)])
    assert ranking(pairs) == ranking(pairs.reverse())


def test_sixteen_models_are_ranked_as_by_their_accuracy(tmp_path: Path, shared_data: Path) -> None:
    """By the pairs of zeroeval alone, right over wrong: rank correlation at least 0.95."""
    run_build(read_recipe(ZEROEVAL), tmp_path, Meter())
    found = ranking(numbered_pairs(Store(tmp_path).resolve("zeroeval")).games())
    recorded = pl.read_parquet(shared_data / "zeroeval_gsm8k_16models.parquet")
    accuracy = recorded.group_by("model").agg(pl.col("is_correct").mean())
    strength = pl.DataFrame(found.models).select("model", "strength", "low", "high")
    both = strength.join(accuracy, on="model")
    assert both.height == 16
    assert both.select(pl.corr("strength", "is_correct", method="spearman")).item() >= 0.95
    assert both.filter(~pl.col("strength").is_between("low", "high")).is_empty()
    assert found.models[-1].model in {"gemma-2-2b-it", "command-r"}
    assert sum(one.points for one in found.models) == 17_998
