from collections import Counter
from pathlib import Path

import pytest

from pipelines.build import run_build
from pipelines.errors import FatalError, RecipeError, StoreError
from pipelines.publishing.store import Store
from pipelines.recipe import read_recipe
from tests.builds import OVER_HTTP, published, run, write_questions, write_recipe
from tools.chat_server import ChatServer

FAULTS = {"e500": 0.05, "e429": 0.05, "retry_after": 0.05, "drop": 0.02, "truncate": 0.02}


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    write_questions(tmp_path, range(30))
    return tmp_path


def at(server: ChatServer, folder: Path) -> Path:
    write_recipe(folder, OVER_HTTP.format(url=server.url))
    return folder


def test_a_build_over_http_with_faults_loses_nothing_and_explains_every_drop(trial: Path) -> None:
    with ChatServer(**FAULTS, hang=0.01, hang_s=0.3, bad_judge=0.05) as server:
        outcome, meter = run(at(server, trial))
        served = server.stats()
    assert outcome.published
    assert meter.retries > 0
    assert served["paid_twice"] == 0
    responses, judgments = published(outcome, "responses"), published(outcome, "judgments")
    assert set(Counter(row["prompt_id"] for row in responses).values()) == {4}
    assert len({row["response_id"] for row in responses}) == 120
    assert {row["response_id"] for row in judgments} == {row["response_id"] for row in responses}
    unread = [row for row in judgments if row["score"] is None]
    assert all(row["error"] and row["raw"] for row in unread)
    explained = {row["prompt_id"] for row in published(outcome, "drops")}
    paired = {row["prompt_id"] for row in published(outcome, "pairs")}
    assert explained | paired == {row["prompt_id"] for row in published(outcome, "prompts")}


def test_running_again_makes_no_call_and_publishes_nothing_new(trial: Path) -> None:
    with ChatServer() as server:
        first, _ = run(at(server, trial))
        server.reset()
        second, meter = run(trial)
        assert server.stats()["requests"] == 0
    assert first.published
    assert not second.published
    assert second.version == first.version
    assert meter.samples_replayed == 240


KEYED = ("models.policy.api_key_env=TRIAL_KEY",)


def test_a_build_that_pays_nothing_needs_no_key(
    trial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ChatServer() as server:
        monkeypatch.setenv("TRIAL_KEY", "a-key-of-the-one-who-paid")
        run(at(server, trial), *KEYED)
        server.reset()
        monkeypatch.delenv("TRIAL_KEY")
        other, meter = run(trial, *KEYED, "filters.margin.min=3")
        assert server.stats()["requests"] == 0
    assert other.published
    assert meter.samples_paid == 0


def test_a_build_that_pays_wants_every_key_before_its_first_call(
    trial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRIAL_KEY", raising=False)
    with ChatServer() as server:
        run(at(server, trial))
        server.reset()
        for more in ("samplers.independent.n=5", "judges.rating.sampling={max_tokens=99}"):
            with pytest.raises(RecipeError, match=r"\[models\.critic\]: .*TRIAL_KEY is not set"):
                run(trial, "models.critic.api_key_env=TRIAL_KEY", more)
        with pytest.raises(RecipeError, match="TRIAL_KEY is not set"):
            run(
                trial, *KEYED, "judges.rating.sampling={max_tokens=99}"
            )  # the policy's own are all there
        assert server.stats()["requests"] == 0


def test_raising_n_from_4_to_8_buys_exactly_4_for_each_prompt(trial: Path) -> None:
    with ChatServer() as server:
        first, _ = run(at(server, trial))
        again, meter = run(trial, "samplers.independent.n=8")
    assert meter.samples_paid == 30 * 4 + 30 * 4  # as many answers, and a judgment of each
    before = {row["response_id"] for row in published(first, "responses")}
    after = {row["response_id"] for row in published(again, "responses")}
    assert len(after) == 240
    assert before < after


def test_changing_a_threshold_or_the_pairing_makes_no_call(trial: Path) -> None:
    with ChatServer() as server:
        loose, _ = run(at(server, trial), "filters.margin.min=1")
        server.reset()
        strict, _ = run(trial, "filters.margin.min=5")
        all_pairs, _ = run(trial, "pairings.0.kind=all_pairs")
        assert server.stats()["requests"] == 0
    pairs = {row["pair_id"] for row in published(strict, "pairs")}
    assert pairs < {row["pair_id"] for row in published(loose, "pairs")}
    assert len(published(all_pairs, "pairs")) > len(published(loose, "pairs"))


def test_one_more_prompt_costs_only_its_own_calls(trial: Path) -> None:
    with ChatServer() as server:
        run(at(server, trial))
        write_questions(trial, range(31))
        _, meter = run(trial)
    assert meter.samples_paid == 8


def test_the_order_in_which_replies_arrive_changes_nothing(trial: Path) -> None:
    digests = set()
    for number, latency in enumerate([(0.0,), (1.0, 60.0), (5.0, 6.0)]):
        with ChatServer(latency_ms=latency) as server:
            outcome, _ = run(at(server, trial), store=f"store{number}")
            assert outcome.manifest is not None
            digests.add(outcome.manifest.content_digest)
    assert len(digests) == 1


def test_a_request_that_is_refused_for_good_fails_alone_and_is_recorded(trial: Path) -> None:
    with ChatServer(e400=0.4) as server:
        outcome, meter = run(at(server, trial), "gates.min_read_share=0")
        again, replayed = run(trial, "gates.min_read_share=0")
    assert meter.refused_requests > 0
    assert replayed.samples_paid == 0
    assert again.version == outcome.version
    failed = [row for row in published(outcome, "responses") if row["error"] is not None]
    assert failed
    assert all(row["text"] is None for row in failed)
    assert len(published(outcome, "prompts")) == 30


def test_a_build_with_owed_calls_does_not_publish_and_a_later_run_goes_on(trial: Path) -> None:
    with ChatServer(drop=0.5) as server:
        outcome, meter = run(
            at(server, trial), "models.policy.max_tries=1", "models.critic.max_tries=1"
        )
        assert outcome.owed > 0
        assert outcome.version is None
        assert Store(trial / "store").names() == []
        server.set(drop=0)
        later, rest = run(trial)
    assert later.published
    assert rest.samples_replayed >= meter.samples_paid > 0


def test_a_share_of_owed_prompts_may_be_allowed_and_is_explained(trial: Path) -> None:
    with ChatServer(drop=0.02) as server:
        tries = ("models.policy.max_tries=1", "models.critic.max_tries=1")
        outcome, _ = run(at(server, trial), *tries, "gates.allow_incomplete=0.9")
    assert outcome.published
    assert 0 < outcome.owed < 30
    owed = [row for row in published(outcome, "drops") if row["reason"] == "owed"]
    assert len(owed) == outcome.owed


def test_a_missing_page_stops_the_build_and_what_was_bought_or_under_way_is_kept(
    trial: Path,
) -> None:
    with ChatServer(latency_ms=(50, 500)) as server:
        at(server, trial)
        with pytest.raises(FatalError, match="404"):
            run(trial, "models.critic.path=/elsewhere")
        answered = server.stats()["completions"]
        _, meter = run(trial)
        assert server.stats()["paid_twice"] == 0
    assert meter.samples_replayed >= answered >= 8 * 4


def test_a_gate_that_fails_refuses_the_build_and_keeps_its_evidence(trial: Path) -> None:
    with ChatServer() as server:
        outcome, _ = run(at(server, trial), "gates.min_pairs=1000")
    assert outcome.version is None
    assert "min_pairs is 1000" in outcome.failures[0]
    assert outcome.refused is not None
    assert (outcome.refused / "responses").is_dir()
    assert Store(trial / "store").names() == []


BUDGET = ("budget.calls=60",)


def test_a_build_that_reaches_its_budget_publishes_nothing_and_a_later_run_goes_on(
    trial: Path,
) -> None:
    with ChatServer() as server:
        outcome, meter = run(at(server, trial), *BUDGET)
        assert server.stats()["requests"] == 60
        assert outcome.budget_reached
        assert outcome.version is None
        later, rest = run(trial)
    assert later.published
    assert rest.samples_replayed == meter.samples_paid
    assert rest.samples_paid == 240 - meter.samples_paid


def test_a_build_may_publish_what_its_budget_allowed(trial: Path) -> None:
    with ChatServer() as server:
        outcome, _ = run(at(server, trial), *BUDGET, "budget.on_limit=publish")
    assert outcome.budget_reached
    assert outcome.published
    owed = [row for row in published(outcome, "drops") if row["reason"] == "owed"]
    assert len(owed) == outcome.owed > 0
    assert len(published(outcome, "prompts")) == 30


def test_of_a_budget_whose_end_is_published_most_goes_into_whole_units(trial: Path) -> None:
    # 30 prompts, fewer than the window has room for; a unit takes 5 calls, so that 12 are whole
    wide = ("models.policy.window=64", "models.critic.window=64")
    with ChatServer(latency_ms=(2.0, 20.0)) as server:
        outcome, _ = run(at(server, trial), *wide, *BUDGET, "budget.on_limit=publish")
        assert server.stats()["requests"] <= 60
        assert 10 <= 30 - outcome.owed <= 12
        later, _ = run(trial, *wide, "budget.calls=75", "budget.on_limit=publish")
        assert 30 - later.owed >= 24  # what was paid before counts for nothing


def test_no_outage_is_gone_through_one_unit_at_a_time(trial: Path) -> None:
    tries = ("models.policy.max_tries=1", "budget.calls=100", "budget.on_limit=publish")
    with ChatServer(drop=1.0, latency_ms=(20.0,)) as server:
        outcome, _ = run(at(server, trial), *tries)
        assert outcome.owed == 30
        assert server.stats()["max_in_flight"] == 8  # the window


def test_a_damaged_version_is_told_before_any_call(trial: Path) -> None:
    with ChatServer() as server:
        outcome, _ = run(at(server, trial))
        assert outcome.version is not None
        (outcome.version.folder / "manifest.json").write_text("{", encoding="utf-8")
        server.reset()
        with pytest.raises(StoreError, match=r"manifest\.json"):
            run(trial, "samplers.independent.n=8")
        assert server.stats()["requests"] == 0


def test_what_a_gate_allows_to_be_owed_is_not_what_a_budget_stopped(trial: Path) -> None:
    with ChatServer() as server:
        outcome, _ = run(at(server, trial), "budget.calls=140", "gates.allow_incomplete=0.9")
    assert outcome.budget_reached
    assert 0 < outcome.owed < 27
    assert outcome.manifest is None
    assert not outcome.published


def test_a_filter_may_read_the_texts_of_a_pair_and_a_store_may_have_any_name(trial: Path) -> None:
    (trial / "longer.py").write_text(
        "import polars as pl\n"
        "from typing import ClassVar\n"
        "from pipelines.filter import Filter, On\n"
        "class Longer(Filter):\n"
        '    """Drops pairs whose texts or prompt are odd."""\n'
        '    on: ClassVar[On] = "pairs"\n'
        "    def drops(self):\n"
        '        chosen, rejected = pl.col("chosen_text"), pl.col("rejected_text")\n'
        "        return {\n"
        '            "shorter": chosen.str.len_chars() < rejected.str.len_chars(),\n'
        '            "no_question": ~pl.col("prompt_text").str.starts_with("How much"),\n'
        "        }\n"
    )
    with ChatServer() as server:
        recipe = OVER_HTTP.format(url=server.url) + '\n[[filters]]\nkind = "./longer.py"\n'
        write_recipe(trial, recipe)
        outcome = run_build(read_recipe(trial / "recipe.toml"), trial / "st[1]ore*")
    assert outcome.published
    answers = {row["response_id"]: row["text"] for row in published(outcome, "responses")}
    lengths = [
        (len(answers[row["chosen_response_id"]]), len(answers[row["rejected_response_id"]]))
        for row in published(outcome, "pairs")
    ]
    assert lengths
    assert all(chosen >= rejected for chosen, rejected in lengths)
    reasons = {row["reason"] for row in published(outcome, "drops")}
    assert "shorter" in reasons
    assert "no_question" not in reasons


def test_a_judge_whose_requests_are_all_refused_is_said_to_be_refused(trial: Path) -> None:
    with ChatServer() as server, ChatServer(e400=1) as refusing:
        outcome, _ = run(at(server, trial), f"models.critic.base_url={refusing.url}")
    assert outcome.manifest is not None
    assert outcome.manifest.refused["judges.rating"].refused == 120
    (failure,) = [one for one in outcome.failures if one.startswith("judge rating: ")]
    assert failure.startswith("judge rating: its endpoint refused 120 of 120 requests (")
    assert "HTTP 400: simulated 400" in failure
