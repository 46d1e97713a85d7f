"""Judges seen on real public data: every figure here is known from outside, or computed twice."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.cli import main
from pipelines.build import run_build
from pipelines.calls.meter import Meter
from pipelines.publishing.store import Store
from pipelines.querying.safe_sql import run_sql
from pipelines.recipe import read_recipe

RECIPES = Path(__file__).parents[3] / "flows" / "recipes" / "acceptance"

Ask = Callable[[str], list[tuple[Any, ...]]]
Report = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Store:
    """A store with the recorded sets, built without a call."""
    root = tmp_path_factory.mktemp("store")
    for name in ("pandalm", "wildbench", "mtbench", "zeroeval_variance"):
        meter = Meter()
        outcome = run_build(read_recipe(RECIPES / f"{name}.toml"), root, meter)
        assert outcome.published, outcome.failures
        assert meter.calls == 0
    return Store(root)


@pytest.fixture(scope="module")
def ask(store: Store) -> Ask:
    """Rows of a query on the store, by the safe route."""

    def rows(sql: str) -> list[tuple[Any, ...]]:
        with run_sql(store, sql) as result:
            return [tuple(row.values()) for batch in result for row in batch.to_pylist()]

    return rows


@pytest.fixture
def report(store: Store, capsys: pytest.CaptureFixture[str]) -> Report:
    """What `pairwright judge report` says of a dataset."""

    def run(name: str) -> dict[str, Any]:
        assert main(["judge", "report", name, "--store", str(store.root), "--format", "json"]) == 0
        said: dict[str, Any] = json.loads(capsys.readouterr().out)
        return said

    return run


def between(report: dict[str, Any], one: str, other: str) -> dict[str, Any]:
    """The agreement of two judges."""
    [found] = [
        pair for pair in report["agreements"] if (pair["one"], pair["other"]) == (one, other)
    ]
    return dict(found)


def kappa(pairs: list[tuple[str, str]]) -> float:
    """Cohen's kappa, as its paper has it: (p_o - p_e) / (1 - p_e)."""
    n = len(pairs)
    ones, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    observed = sum(one == other for one, other in pairs) / n
    expected = sum(ones[said] * others[said] for said in ones) / n**2
    return (observed - expected) / (1 - expected)


@pytest.mark.parametrize(
    ("judge", "of_read", "of_all", "unread"),
    [("gpt35", 0.716, 0.698, 25), ("pandalm7b", 0.668, 0.668, 0)],
)
def test_pandalms_judges_agree_with_the_human_majority_as_it_is_known(
    report: Report, shared_data: Path, judge: str, of_read: float, of_all: float, unread: int
) -> None:
    said = between(report("pandalm"), *sorted((judge, "human")))
    assert said["same_verdict"]["n"] == 999 - unread
    assert said["same_verdict"]["value"] == pytest.approx(of_read, abs=5e-4)
    assert said["same_verdict"]["value"] * (999 - unread) / 999 == pytest.approx(of_all, abs=5e-4)
    rows = pl.read_parquet(shared_data / "pandalm_human3.parquet").rows(named=True)
    verdicts = {"0": "tie", "Tie": "tie", "1": "1", "2": "2"}
    both = []
    for row in rows:
        votes = Counter(row[f"annotator{one}"] for one in (1, 2, 3)).most_common(1)
        majority = verdicts[str(votes[0][0])]
        verdict = verdicts.get(row[f"{judge}_result"])
        both += [(majority, verdict)] if verdict else []
    assert said["kappa"]["value"] == pytest.approx(kappa(both), abs=5e-3)
    assert said["kappa"]["interval"]["low"] < kappa(both) < said["kappa"]["interval"]["high"]


def test_two_judges_of_wildbench_differ_by_083_on_3065_equal_outputs(ask: Ask) -> None:
    ((outputs, apart, far),) = ask(
        """
        SELECT count(*), avg(abs(turbo.score - omni.score)),
            count(*) FILTER (abs(turbo.score - omni.score) >= 3)
        FROM wildbench.judgments AS turbo JOIN wildbench.judgments AS omni USING (response_id)
        WHERE turbo.judge = 'gpt-4-turbo-2024-04-09' AND omni.judge = 'gpt-4o-2024-05-13'
            AND turbo.annotator = omni.annotator
        """
    )
    assert (outputs, far) == (3_065, 167)
    assert apart == pytest.approx(0.83, abs=5e-3)


def test_the_report_of_wildbench_has_the_same_figure(report: Report) -> None:
    said = between(report("wildbench"), "gpt-4-turbo-2024-04-09", "gpt-4o-2024-05-13")
    assert said["scores"]["n"] == 3_065
    assert said["scores"]["mean_difference"] == pytest.approx(0.83, abs=5e-3)


def test_an_output_that_is_known_by_its_hash_alone_is_queried_and_never_exported(
    ask: Ask, store: Store, tmp_path: Path
) -> None:
    known = "SELECT count(*), count(text), count(DISTINCT external_hash) FROM wildbench.responses"
    assert ask(known) == [(18_483, 0, 18_325)]
    assert ask("SELECT count(*) FROM wildbench.judgments WHERE score IS NOT NULL") == [(29_653,)]
    assert ask("SELECT count(*) FROM wildbench.pairs") == [(0,)]
    reasons = "SELECT reason, count(*) FROM wildbench.drops GROUP BY 1"
    assert ask(reasons) == [("fewer_than_two_texts", 1_024)]
    out = tmp_path / "trl"
    words = ["export", "wildbench", "--format", "trl", "--out", str(out)]
    assert main([*words, "--store", str(store.root)]) != 0
    assert not out.exists()


def test_the_sentinel_of_mtbench_is_a_failed_read_and_not_the_lowest_score(ask: Ask) -> None:
    assert ask("SELECT count(*), count(score), min(score) FROM mtbench.judgments") == [
        (640, 639, 1.0)
    ]
    [(error, raw)] = ask("SELECT error, raw FROM mtbench.judgments WHERE score IS NULL")
    assert error == "score: outside the scale 1 to 10"
    assert raw.endswith("Therefore, the assistant's response is of high quality.")
    assert ask("SELECT count(*) FROM mtbench.pairs WHERE score_rejected < 1") == [(0,)]


def test_the_answers_of_mtbench_are_those_that_the_judge_read(ask: Ask, shared_data: Path) -> None:
    rows = ask(
        "SELECT responses.record_key, text, messages "
        "FROM mtbench.responses AS responses JOIN mtbench.prompts USING (prompt_id)"
    )
    source = pl.read_parquet(shared_data / "mtbench_gpt4_single_scores.parquet")
    keys = source.select("question_id", "model", "turn").rows()
    read = dict(zip(keys, source["judge_prompt"], strict=True))
    assert len(rows) == len(read) == 640
    for key, text, messages in rows:
        shown = read[tuple(json.loads(key))]
        assert text
        assert text in shown
        assert all(message["content"] in shown for message in messages)


def test_the_pool_variance_of_zeroeval_is_that_of_the_marks(ask: Ask, shared_data: Path) -> None:
    import duckdb

    marks = str(shared_data / "zeroeval_gsm8k_16models.parquet")
    right = dict(
        duckdb.sql(
            f"SELECT question, sum(is_correct::INT)::INT FROM '{marks}' GROUP BY question"
        ).fetchall()
    )
    published = ask("SELECT messages[1].content, score_var, kept FROM zeroeval_variance.prompts")
    assert len(published) == len(right) == 660
    for question, variance, kept in published:
        k = right[question]
        assert variance == pytest.approx(k * (16 - k) / 256)
        assert kept == (k * (16 - k) >= 48), "in integers: 0.1875 exactly is kept"
    assert sum(kept for *_, kept in published) == 169
    ((total,),) = ask("SELECT count(*) FROM zeroeval_variance.pairs")
    assert total == sum(k * (16 - k) for k in right.values() if k * (16 - k) >= 48)
