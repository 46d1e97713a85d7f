"""The shipped recipes whose answers are made to differ, against a real server."""

import json
from pathlib import Path

import pytest

from flows.cli import main
from flows.options.shipped_recipes import find_recipe
from pipelines.build import Outcome, run_build
from pipelines.publishing.store import Store
from pipelines.querying.safe_sql import run_sql
from pipelines.recipe import read_recipe
from tools.chat_server import ChatServer


def build(name: str, store: Path, server: ChatServer, *models: str) -> Outcome:
    """A build of a shipped recipe, whose models are all on `server`."""
    places = [f"models.{model}.base_url={server.url}" for model in models]
    named = [f"models.{model}.identity={model}" for model in models]
    settings = [*places, *named, "limit=20", "gates.min_read_share=0"]  # it ticks no checklist
    return run_build(read_recipe(find_recipe(name), settings), store)


def ask(store: Path, query: str, name: str) -> list[tuple[object, ...]]:
    with run_sql(Store(store), query, name) as rows:
        return [tuple(row.values()) for row in rows.read_all().to_pylist()]


def test_the_recipe_of_clair_pairs_each_revision_with_the_answer_that_it_revises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    with ChatServer(bad_judge=0) as server:
        built = build("clair", tmp_path, server, "policy", "reviser")
        calls = server.stats()["requests"]
        again = build("clair", tmp_path, server, "policy", "reviser")
        assert server.stats()["requests"] == calls
    assert built.published and not again.published
    counts = """
        SELECT count(*), count(*) FILTER (relation = 'revision' AND chosen.parent_id = p.rejected_response_id)
        FROM pairs AS p JOIN responses AS chosen ON response_id = chosen_response_id
    """
    ((pairs, of_revisions),) = ask(tmp_path, counts, "clair")
    assert isinstance(pairs, int)
    assert pairs == of_revisions
    assert pairs > 0
    ((revisions, reasons),) = ask(
        tmp_path,
        "SELECT count(*), count(DISTINCT error) FROM responses WHERE sampler = 'revision'",
        "clair",
    )
    assert revisions == 20  # of each prompt the worse answer, once
    assert isinstance(reasons, int)
    measured = ask(
        tmp_path, "SELECT measure, count(*) FROM measures GROUP BY 1 ORDER BY 1", "clair"
    )
    assert [name for name, _ in measured] == ["jaccard", "length_ratio", "levenshtein"]


RECORDED = """
name = "recorded"

[sources.answers]
kind = "jsonl"
path = "answers.jsonl"

[prompts]
text = "question"

[models.teacher]
kind = "scripted"
default = "Corrected answer:\\nIt is 4, as I see it."

[[samplers]]
kind = "recorded"
text = "answer"
key = "id"

[[samplers]]
kind = "revision"
model = "teacher"
of = "recorded"
which = "worst"
judged_by = "overall"

[[judges]]
kind = "recorded"
name = "overall"
response = "id"
score = "score"

[[pairings]]
kind = "revision"
"""


def test_the_lowest_of_recorded_answers_is_revised_as_the_authors_notebook_does(
    tmp_path: Path,
) -> None:
    marks = {"3": 2, "5": 1, "7": 9}
    rows = (
        {"id": number, "question": "2+2?", "answer": f"It is {number}, as I see it.", "score": mark}
        for number, mark in marks.items()
    )
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "recorded.toml").write_text(RECORDED)
    run_build(read_recipe(tmp_path / "recorded.toml"), tmp_path / "store")
    query = "SELECT chosen[1].content, rejected[1].content, score_rejected FROM pairs"
    assert ask(tmp_path / "store", query, "recorded") == [
        ("It is 4, as I see it.", "It is 5, as I see it.", 1.0)
    ]


BASELINES = {
    "clair_on_policy": ("best_worst", {"policy"}, {"policy"}),
    "clair_off_policy": ("best_worst", {"mistral", "gemma"}, {"mistral", "gemma"}),
    "clair_stronger": ("origin", {"reviser"}, {"policy"}),
}
"""The pairing of each baseline, and whose answers are chosen and rejected."""


def test_the_baselines_of_clair_pair_what_the_paper_pairs_and_share_its_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    with ChatServer(bad_judge=0) as server:
        build("clair", tmp_path, server, "policy", "reviser")
        before = server.stats()["requests"]
        build("clair_on_policy", tmp_path, server, "policy", "reviser")
        assert server.stats()["requests"] == before  # all of it is in the ledger
        others = ("policy", "reviser", "mistral", "gemma")
        build("clair_off_policy", tmp_path, server, *others)
        build("clair_stronger", tmp_path, server, "policy", "reviser")
    for name, (pairing, chosen, rejected) in BASELINES.items():
        pairs = ask(
            tmp_path, "SELECT pairing, chosen_model, rejected_model, chosen_policy FROM pairs", name
        )
        assert {one[0] for one in pairs} == {pairing}
        assert {one[1] for one in pairs} <= chosen
        assert {one[2] for one in pairs} <= rejected
        measured = ask(tmp_path, "SELECT DISTINCT measure FROM measures ORDER BY 1", name)
        assert measured == [("jaccard",), ("length_ratio",), ("levenshtein",)]


def test_the_recipe_of_diverse_values_draws_sets_in_one_call_and_can_be_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    with ChatServer(bad_judge=0) as server:
        assert build("diverse_values", tmp_path, server, "policy", "judge").published
    sizes = "SELECT sampler, count(*) FROM responses WHERE error IS NULL GROUP BY 1 ORDER BY 1"
    assert ask(tmp_path, sizes, "diverse_values") == [
        ("independent", 80),
        ("negatively_correlated", 80),
    ]
    sides = [f"diverse_values:{one}" for one in ("independent", "negatively_correlated")]
    assert main(["compare", *sides, "--store", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "20 prompts with two responses or more on both sides" in printed
    assert "shared words (Jaccard)" in printed


def test_the_recipe_of_popalign_makes_its_six_contrasts_and_no_other_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    with ChatServer() as server:
        assert build("popalign", tmp_path, server, "large", "small", "lower").published
    made = """
        SELECT pairing, chosen.sampler, rejected.sampler, bool_or(chosen.parent_id = rejected.response_id)
        FROM pairs JOIN responses AS chosen ON chosen.response_id = chosen_response_id
        JOIN responses AS rejected ON rejected.response_id = rejected_response_id
        GROUP BY ALL ORDER BY ALL
    """
    found = ask(tmp_path, made, "popalign")
    assert found == [
        ("demonstration", "good_demonstration", "bad_demonstration", None),
        ("elicitive", "good_elicited", "bad_elicited", None),
        ("leaderboard", "of_large", "of_lower", None),
        ("parameters", "of_large", "of_small", None),
        ("prefix", "good_prefix", "bad_prefix", None),
        ("refine", "refined", "of_small", True),
    ]
    thought = (
        "SELECT count(*) FROM responses WHERE sampler LIKE '%elicited' AND text LIKE '%Answer:%'"
    )
    assert ask(tmp_path, thought, "popalign") == [(0,)]
