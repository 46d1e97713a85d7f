"""Shipped recipes of preferences that are found, not asked for: edits, transcripts, wrong answers."""

from pathlib import Path
from typing import Any

import pytest

from flows.shipped_recipes import find_recipe
from pipelines.build import Outcome, run_build
from pipelines.meter import Meter
from pipelines.publishing.safe_sql import run_sql
from pipelines.publishing.store import Store
from pipelines.recipe import read_recipe
from tests.builds import published


def built(name: str, store: Path, *overrides: str) -> tuple[Outcome, Meter]:
    meter = Meter()
    return run_build(read_recipe(find_recipe(name), overrides), store, meter), meter


def asked(store: Path, name: str, query: str) -> list[tuple[Any, ...]]:
    with run_sql(Store(store), query, name) as rows:
        return [tuple(row.values()) for row in rows.read_all().to_pylist()]


def test_wrong_answers_are_paired_by_how_often_the_policy_comes_to_them(tmp_path: Path) -> None:
    outcome, _ = built("shades_of_wrong", tmp_path, "limit=15")
    verdicts = {
        row["response_id"]: row["score"]
        for row in published(outcome, "judgments")
        if row["judge"] == "verifier"
    }
    pairs = published(outcome, "pairs")
    gaps = [pair["score_margin"] for pair in pairs]
    assert len(pairs) > 5
    for pair in pairs:
        sides = pair["chosen_response_id"], pair["rejected_response_id"]
        assert [verdicts[side] for side in sides] == [0.0, 0.0]
    (dropped,) = asked(
        tmp_path,
        "shades_of_wrong",
        "SELECT count(*), max(score_margin) FROM drops WHERE reason = 'too_hard'",
    )
    assert len(pairs) == (len(pairs) + dropped[0]) // 2
    assert dropped[1] <= min(gaps)


def test_an_edit_is_chosen_over_its_draft_unless_it_is_none(tmp_path: Path) -> None:
    outcome, meter = built("user_edits", tmp_path)
    assert meter.calls == 0
    pairs = published(outcome, "pairs")
    assert {(pair["chosen_model"], pair["rejected_model"]) for pair in pairs} == {("user", "draft")}
    finals = {pair["chosen"][0]["content"] for pair in pairs}
    assert "The train is cancelled today." in finals
    assert "forget it, I'll ask my mother" not in finals
    reasons = "SELECT reason, count(*) FROM drops GROUP BY 1 ORDER BY 1"
    assert asked(tmp_path, "user_edits", reasons) == [
        ("identical", 1),
        ("identical_texts", 1),
        ("jaccard_too_low", 3),
    ]


@pytest.mark.usefixtures("shared_data")
def test_hh_gives_a_pair_of_every_row_but_the_broken_ones_which_say_why(tmp_path: Path) -> None:
    outcome, meter = built("acceptance/hh", tmp_path)
    assert meter.calls == 0
    assert len(published(outcome, "pairs")) == 1_171  # 1,181 - 6 broken - 2 merged - 2 empty
    assert asked(
        tmp_path,
        "hh",
        "SELECT step, reason, count(*), count(DISTINCT detail) FROM drops GROUP BY ALL ORDER BY ALL",
    ) == [
        ("pairings.origin", "no_chosen_response", 2, 0),
        ("samplers.other", "unreadable_row", 6, 5),
        ("samplers.preferred", "unreadable_row", 6, 5),
        ("source", "unreadable_row", 6, 5),
    ]
