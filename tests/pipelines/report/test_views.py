"""The views of the report, on a version that was worked out by hand."""

from pathlib import Path

import pytest

from pipelines.publishing.store import Store
from pipelines.querying.safe_sql import run_sql
from pipelines.report.sections import SECTIONS
from pipelines.report.tables import Tables
from tests.pipelines.versions import make_content, publish


def asked(store: Store, query: str, dataset: str = "plain") -> list[tuple[object, ...]]:
    with run_sql(store, query, dataset) as rows:
        return [tuple(row.values()) for row in rows.read_all().to_pylist()]


def test_scores_are_counted_by_value_where_they_are_few(store: Store) -> None:
    found = asked(store, "FROM score_bins ORDER BY low")
    assert found == [(1.0, 1.0, 6, 0, 6), (2.0, 2.0, 6, 0, 0), (3.0, 3.0, 6, 6, 0)]


def test_margins_are_those_of_kept_and_dropped_pairs(store: Store) -> None:
    assert asked(store, "FROM margin_bins ORDER BY low") == [(1.0, 1.0, 0, 6), (2.0, 2.0, 6, 0)]


def test_many_values_share_bins_of_round_width_and_an_edge_belongs_to_the_upper_one(
    tmp_path: Path,
) -> None:
    content = make_content(25)
    for number, pair in enumerate(content.pairs, start=1):
        pair["score_margin"] = 100_000 * number  # 0.1 to 2.5: a fifteenth is 0.16, so bins of 0.2
    store = Store(tmp_path)
    publish(store, "many", content)
    found = asked(store, "FROM margin_bins ORDER BY low", "many")
    assert [low for low, *_ in found] == [round(0.2 * number, 1) for number in range(13)]
    assert [kept for _, _, kept, _ in found] == [1, *[2] * 12]
    assert [row for row in found if row[3]] == [(1.0, 1.2, 2, 25)]


def test_lengths_say_which_side_is_longer(store: Store) -> None:
    found = asked(store, "SELECT side, n_pairs, mean, median, n_longer FROM lengths ORDER BY side")
    assert found == [("chosen", 6, 11.0, 11.0, 0), ("rejected", 6, 12.0, 12.0, 6)]


def test_variance_is_that_of_the_scores_of_a_prompt(store: Store) -> None:
    found = asked(
        store, "SELECT hard_by, part, low, n_prompts, n_with_pairs, var_median "
        "FROM variance_by_difficulty ORDER BY part"
    )  # fmt: skip
    assert found == [("mean score", part, 2.0, 1, 1, pytest.approx(2 / 3)) for part in range(1, 7)]


def test_a_measured_difficulty_has_parts_of_its_own(tmp_path: Path) -> None:
    content = make_content(20)
    content.measures = [
        {"pair_id": pair["pair_id"], "prompt_id": pair["prompt_id"], "measure": "difficulty",
         "value": float(number), "n_obs": 1}
        for number, pair in enumerate(content.pairs)
    ]  # fmt: skip
    store = Store(tmp_path)
    publish(store, "hard", content)
    query = "SELECT low, high, n_prompts FROM variance_by_difficulty WHERE hard_by = 'difficulty' "
    found = asked(store, query + "ORDER BY part", "hard")
    assert found == [(2.0 * part, 2.0 * part + 1, 2) for part in range(10)]


def test_wins_are_counted_from_both_sides(store: Store) -> None:
    assert asked(store, "FROM wins ORDER BY model") == [
        ("model0", "model2", 6, 6, 1.0),
        ("model2", "model0", 6, 0, 0.0),
    ]
    first, last = asked(store, "FROM model_strengths ORDER BY strength DESC")
    assert first[:4] == ("model0", 6, 6, 1.0)
    # as if each had tied once with the average: of 6 wins t solves 6 s(-2t) + 1/2 = s(t)
    assert first[4] == pytest.approx(-last[4]) == pytest.approx(1.4539, abs=1e-4)


def test_parts_count_prompts_pairs_and_their_means(store: Store) -> None:
    query = "SELECT part, n_prompts, n_with_pairs, n_pairs, score_mean, margin_mean FROM breakdown "
    assert asked(store, query + "WHERE part_by = 'source'") == [("s", 6, 6, 6, 2.0, 2.0)]
    assert asked(store, query + "WHERE part_by = 'lang'") == [("en", 6, 6, 6, 2.0, 2.0)]


def test_steps_and_spending_come_from_the_manifest(store: Store) -> None:
    assert asked(store, "FROM steps") == [
        (1, "filters", "pairs", 12, 6, 6, [{"reason": "below_min", "n": 6}])
    ]
    query = "SELECT model, calls, prompt_tokens, completion_tokens, money FROM spending"
    assert asked(store, query) == [("small", 5, 50, 20, 0.75)]


def test_figures_of_judges_and_probes_have_views(store: Store) -> None:
    query = "SELECT judge, other, value, low, high FROM judge_agreement"
    assert asked(store, query) == [("rater", "<i>second</i>", 0.75, 0.5, 1.0)]
    query = "SELECT judge, figure, value, n FROM judge_habits ORDER BY figure"
    assert asked(store, query) == [
        ("rater", "judge_length_bias", 0.5, 12),
        ("rater", "tie_rate", 0.0, 18),
        ("rater", "unread_rate", 0.0, 18),
    ]
    query = "SELECT chosen_model, accuracy, n_texts FROM separability"
    assert asked(store, query) == [(None, 0.875, 60)]


def test_a_version_without_figures_has_the_views_all_the_same(store: Store) -> None:
    assert asked(store, "FROM figures", "plain-first") == []
    assert asked(
        store, "SELECT model, strength FROM model_strengths ORDER BY 1", "plain-first"
    ) == [
        ("model0", None),
        ("model2", None),
    ]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_the_page_shows_what_sql_says(store: Store, section) -> None:  # type: ignore[no-untyped-def]
    with Tables(store.resolve("nasty")) as tables, run_sql(store, section.query, "nasty") as rows:
        found = tables.rows(section.query)
        assert found == rows.read_all().to_pylist()
        assert found
