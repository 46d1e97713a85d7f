from collections.abc import Callable
from typing import Any

from flows.published.drop_examples import DropExample, examples_in
from flows.published.figures import Bin, DropCount, Figures, Lengths, ModelShare
from pipelines.publishing.versions import Version

MakeVersion = Callable[..., Version]


def pair(margin: float | None = None, **columns: Any) -> dict[str, Any]:
    return {"score_margin": margin, **columns}


def drop(row: str, reason: str, level: str = "pairs", step: str = "filters.f") -> dict[str, Any]:
    return {"level": level, "id": row, "prompt_id": None, "step": step, "reason": reason}


def test_quantiles_are_margins_that_occur(make_version: MakeVersion) -> None:
    figures = Figures(make_version([pair(float(margin)) for margin in range(1, 12)]))
    assert figures.margin_quantiles() == {
        0.0: 1, 0.1: 2, 0.25: 3, 0.5: 6, 0.75: 9, 0.9: 10, 1.0: 11
    }  # fmt: skip


def test_few_margins_have_a_bin_each(make_version: MakeVersion) -> None:
    figures = Figures(make_version([pair(0.5), pair(2.0), pair(0.5), pair(None)]))
    assert figures.margin_histogram() == [Bin(0.5, 0.5, 2), Bin(2.0, 2.0, 1)]


def test_many_margins_share_ten_bins_of_equal_width(make_version: MakeVersion) -> None:
    figures = Figures(make_version([pair(float(margin)) for margin in (*range(20), 19, 100)]))
    bins = figures.margin_histogram()
    assert [one.pairs for one in bins] == [10, 11, 0, 0, 0, 0, 0, 0, 0, 1]
    assert (bins[0].low, bins[1].low, bins[-1].high) == (0.0, 10.0, 100.0)


def test_pairs_without_margins_have_no_quantiles(make_version: MakeVersion) -> None:
    figures = Figures(make_version([pair(None)]))
    assert figures.margin_quantiles() == {}
    assert figures.margin_histogram() == []


def test_lengths_count_ties_for_neither_side(make_version: MakeVersion) -> None:
    lengths = [(10, 4), (20, 40), (30, 30), (100, 2)]
    rows = [pair(n_chars_chosen=chosen, n_chars_rejected=rejected) for chosen, rejected in lengths]
    assert Figures(make_version(rows)).lengths() == [
        Lengths("chosen", 40.0, 25.0, longer=2),
        Lengths("rejected", 19.0, 17.0, longer=1),
    ]


def test_models_are_counted_on_both_sides(make_version: MakeVersion) -> None:
    sides = [("a", "b"), ("a", "c"), ("b", "a")]
    rows = [pair(chosen_model=chosen, rejected_model=rejected) for chosen, rejected in sides]
    assert Figures(make_version(rows)).models() == [
        ModelShare("a", 2, 1),
        ModelShare("b", 1, 1),
        ModelShare("c", 0, 1),
    ]


def test_a_row_with_two_reasons_counts_for_both(make_version: MakeVersion) -> None:
    drops = [drop("1", "short"), drop("1", "refused"), drop("2", "short")]
    assert Figures(make_version([], drops)).drop_counts() == [
        DropCount("pairs", "filters.f", "short", 2),
        DropCount("pairs", "filters.f", "refused", 1),
    ]


def test_examples_are_the_first_by_id_of_one_reason(make_version: MakeVersion) -> None:
    drops = [drop(row, "short") for row in "cab"] + [
        drop("a", "refused"),
        drop("a", "short", "rows"),
    ]
    find = examples_in(make_version([], drops))
    found = find(DropCount("pairs", "filters.f", "short", 3), 2)
    assert found == [DropExample("a", ""), DropExample("b", "")]


def test_a_version_without_pairs_has_no_figures(make_version: MakeVersion) -> None:
    figures = Figures(make_version([]))
    assert (figures.margin_histogram(), figures.lengths(), figures.models()) == ([], [], [])
