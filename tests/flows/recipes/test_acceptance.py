"""The acceptance recipes on real public data: every figure here is known from outside."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.build import Outcome, run_build
from pipelines.calls.meter import Meter
from pipelines.publishing.store import Store
from pipelines.querying.safe_sql import run_sql
from pipelines.recipe import read_recipe
from tools.chat_server import ChatServer

RECIPES = Path(__file__).parents[3] / "flows" / "recipes" / "acceptance"

Build = Callable[..., Outcome]
Ask = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Store:
    """A store with the recorded sets, built without a call."""
    root = tmp_path_factory.mktemp("store")
    for name in ("zeroeval", "vicuna80", "pandalm"):
        meter = Meter()
        outcome = run_build(read_recipe(RECIPES / f"{name}.toml"), root, meter)
        assert outcome.published
        assert meter.calls == 0
    return Store(root)


@pytest.fixture(scope="module")
def ask(store: Store) -> Ask:
    """Rows of a query on the store, by the safe route."""

    def rows(sql: str) -> list[tuple[Any, ...]]:
        with run_sql(store, sql) as result:
            return [tuple(row.values()) for batch in result for row in batch.to_pylist()]

    return rows


def test_zeroeval_gives_every_right_answer_over_every_wrong_one(ask: Ask) -> None:
    assert ask("SELECT count(*) FROM zeroeval.pairs") == [(17_998,)]
    assert ask("SELECT count(*) FROM zeroeval.prompts") == [(660,)]
    reasons = "SELECT reason, count(*) FROM zeroeval.drops WHERE level = 'prompts' GROUP BY 1"
    assert sorted(ask(reasons)) == [("none_correct", 4), ("none_wrong", 153)]
    assert ask("SELECT count(*) FROM zeroeval.prompts WHERE n_pairs > 0") == [(503,)]


def test_our_verifier_agrees_with_the_recorded_marks_of_zeroeval(ask: Ask) -> None:
    ((agree, both),) = ask(
        "SELECT count(*) FILTER (ours.score = theirs.score), count(*) "
        "FROM zeroeval.judgments AS ours JOIN zeroeval.judgments AS theirs USING (response_id) "
        "WHERE ours.judge = 'verifier' AND theirs.judge = 'as_given'"
    )
    assert both == 10_560
    assert agree / both >= 0.995


def test_every_models_accuracy_is_one_query(ask: Ask, shared_data: Path) -> None:
    import polars as pl

    rows = ask(
        "SELECT model, avg(judgments.score) FROM zeroeval.responses AS responses "
        "JOIN zeroeval.judgments AS judgments USING (response_id) "
        "WHERE judge = 'as_given' GROUP BY model"
    )
    recorded = pl.read_parquet(shared_data / "zeroeval_gsm8k_16models.parquet")
    wanted = recorded.group_by("model").agg(pl.col("is_correct").mean()).rows()
    assert {model: pytest.approx(share) for model, share in wanted} == dict(rows)


def test_a_band_of_pass_rates_keeps_the_questions_that_some_models_get_right(
    tmp_path: Path, shared_data: Path
) -> None:
    import polars as pl

    changes = (
        "measures=[{kind='pass_rate',judge='as_given',of='all'}]",
        "filters=[{kind='band',measure='pass_rate',min=0.2,max=0.8}]",
    )
    run_build(read_recipe(RECIPES / "zeroeval.toml", changes), tmp_path, Meter())
    kept = "SELECT prompt_id, n_pairs FROM prompts WHERE n_pairs > 0"
    with run_sql(Store(tmp_path), kept, "zeroeval") as rows:
        found = rows.read_all().to_pylist()
    recorded = pl.read_parquet(shared_data / "zeroeval_gsm8k_16models.parquet")
    right = recorded.group_by("id").agg(n=pl.col("is_correct").sum())
    inside = right.filter(pl.col("n").is_between(4, 12))  # 3/16 < 0.2 and 13/16 > 0.8
    assert len(found) == inside.height == 169
    assert (
        sum(row["n_pairs"] for row in found)
        == inside.select((pl.col("n") * (16 - pl.col("n"))).sum()).item()
    )


def test_vicuna80_gives_no_pair_for_exactly_the_100_ties(ask: Ask) -> None:
    reasons = "SELECT reason, count(*) FROM vicuna80.drops WHERE level = 'comparisons' GROUP BY 1"
    assert dict(ask(reasons)) == {"tie": 100, "no_text": 4}  # one model left four answers empty
    assert ask("SELECT count(*) FROM vicuna80.pairs") == [(1_040 - 104,)]
    margins = "SELECT count(*) FROM vicuna80.judgments WHERE abs(score_a - score_b) >= 2"
    assert ask(margins) == [(423,)]


def test_pandalm_agreement_of_gpt35_with_the_human_majority_is_one_query(ask: Ask) -> None:
    ((of_all, of_read, comparisons),) = ask(
        """
        WITH majority AS (
            SELECT comparison_id, mode(verdict) AS verdict
            FROM pandalm.judgments WHERE judge = 'human' GROUP BY comparison_id
        )
        SELECT count(*) FILTER (gpt.verdict = majority.verdict) / count(*),
            count(*) FILTER (gpt.verdict = majority.verdict) / count(gpt.verdict), count(*)
        FROM pandalm.judgments AS gpt JOIN majority USING (comparison_id)
        WHERE gpt.judge = 'gpt35'
        """
    )
    assert comparisons == 999
    assert of_all == pytest.approx(0.698, abs=5e-4)
    assert of_read == pytest.approx(0.716, abs=5e-4)


def test_equal_prompts_and_comparisons_of_pandalm_do_not_merge_its_judgments(ask: Ask) -> None:
    assert ask("SELECT count(*) FROM pandalm.prompts") == [(170,)]
    assert ask("SELECT count(*) FROM pandalm.judgments") == [(999 * 5,)]
    distinct = """
        SELECT count(DISTINCT (j.prompt_id, least(a.text, b.text), greatest(a.text, b.text))) FROM pandalm.judgments AS j
        JOIN pandalm.responses AS a ON a.response_id = j.response_a_id
        JOIN pandalm.responses AS b ON b.response_id = j.response_b_id
        """
    assert ask(distinct) == [(863,)]


def test_arenahard_and_the_nasty_rows_survive_a_faulty_server(
    tmp_path: Path, shared_data: Path
) -> None:
    faults = {"e500": 0.05, "e429": 0.03, "retry_after": 0.1, "hang": 0.005, "hang_s": 0.5}
    with ChatServer(**faults, drop=0.01, truncate=0.005, bad_judge=0.05) as server:
        urls = [f"models.{model}.base_url={server.url}" for model in ("policy", "judge")]
        long = "models.policy.sampling.max_tokens=2048"  # else the server cuts most answers off
        recipe, meter = read_recipe(RECIPES / "arenahard.toml", [*urls, long]), Meter()
        outcome = run_build(recipe, tmp_path, meter)
        served = server.stats()
    assert outcome.published
    assert outcome.owed == 0
    assert meter.retries > 0
    assert served["paid_twice"] == 0
    with run_sql(
        Store(tmp_path),
        """
        SELECT count(*), count(*) FILTER (n_responses = 4),
            count(*) FILTER (n_pairs = 0 AND prompt_id NOT IN (SELECT prompt_id FROM drops))
        FROM prompts
        """,
    ) as result:
        assert [tuple(row.values()) for row in result.read_all().to_pylist()] == [(1_415, 1_415, 0)]
