"""A panel of judges on the embedded models, end to end: what it costs, how its judges agree."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.cli import main
from pipelines.build import run_build
from pipelines.calls.meter import Meter
from pipelines.publishing.store import Store
from pipelines.recipe import read_recipe

RECIPE = Path(__file__).parents[3] / "flows" / "recipes" / "acceptance" / "panel.toml"
MEMBERS = ("likelihood", "rating", "pairwise")


@dataclass(frozen=True)
class Panel:
    """The recipe's build."""

    store: Store
    meter: Meter
    folder: Path

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.folder / name / "**" / "*.parquet")


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    root, meter = tmp_path_factory.mktemp("panel") / "store", Meter()
    outcome = run_build(read_recipe(RECIPE), root, meter)
    assert outcome.version is not None, outcome.failures
    return Panel(Store(root), meter, outcome.version.folder)


@pytest.fixture
def report(panel: Panel, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What `pairwright judge report` says, held against the verifier."""
    words = ["judge", "report", "panel", "--reference", "verifier", "--format", "json"]
    assert main([*words, "--store", str(panel.store.root)]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def agreement(report: dict[str, Any], one: str, other: str) -> dict[str, Any]:
    """What the report says of two judges."""
    wanted = {one, other}
    [found] = [pair for pair in report["agreements"] if {pair["one"], pair["other"]} == wanted]
    return dict(found)


def test_the_calls_are_those_of_the_formula(panel: Panel) -> None:
    """Of d distinct texts to a prompt: d likelihoods, d ratings, d (d - 1) comparisons."""
    texts = panel.table("responses").group_by("prompt_id").agg(pl.col("text").n_unique())["text"]
    judgments = panel.table("judgments")
    unread = judgments.filter(pl.col("score").is_null() & (pl.col("judge") == "rating"))
    wanted = sum(d + d + d * (d - 1) for d in texts) + unread["response_id"].n_unique()
    assert panel.meter.spend["policy"].calls == 60
    assert panel.meter.spend["teacher"].calls == wanted


def test_every_vote_is_stored(panel: Panel) -> None:
    judgments = panel.table("judgments")
    counts = dict(judgments.group_by("judge").len().rows())
    assert counts == {"likelihood": 240, "rating": 240, "verifier": 240, "pairwise": 60 * 6}
    read = judgments.filter(pl.col("error").is_null())
    assert read.height > 0.99 * judgments.height


def test_the_panels_pairs_are_right_over_wrong(panel: Panel) -> None:
    """The verifier has no vote; it knows."""
    marks = panel.table("judgments").filter(pl.col("judge") == "verifier")
    right = dict(marks.select("response_id", "score").rows())
    pairs = panel.table("pairs")
    assert pairs.height >= 20
    sides = pairs.select("chosen_response_id", "rejected_response_id").rows()
    told = [right[chosen] - right[rejected] for chosen, rejected in sides]
    assert told.count(1.0) >= 0.9 * pairs.height
    assert told.count(-1.0) <= 0.05 * pairs.height


def test_the_report_knows_which_members_agree_with_the_truth(report: dict[str, Any]) -> None:
    for member in MEMBERS:
        found = agreement(report, member, "verifier")
        assert found["same_order"]["value"] > 0.9, "of the duels that both decide"
    in_words = agreement(report, "rating", "pairwise")
    assert in_words["kappa"]["value"] > 0.8
    by_number = agreement(report, "likelihood", "rating")
    assert by_number["kappa"]["value"] < in_words["kappa"]["value"], "it hardly ever says tie"


def test_a_further_judge_that_asks_the_same_is_free(panel: Panel, tmp_path: Path) -> None:
    """Another statistic of the likelihood: the ledger holds the probabilities of all tokens."""
    meter = Meter()
    recipe = RECIPE.read_text().replace(
        'kind = "rating"\nmodel = "teacher"\ntemplate = "panel/judge.jinja"',
        'kind = "likelihood"\nname = "mean"\nmodel = "teacher"\nstatistic = "mean"',
    )
    folder = tmp_path / "panel"
    folder.mkdir()
    (folder / "compare.jinja").write_text((RECIPE.parent / "panel/compare.jinja").read_text())
    (tmp_path / "panel.toml").write_text(recipe.replace('"rating"', '"mean"'))
    outcome = run_build(read_recipe(tmp_path / "panel.toml"), panel.store.root, meter)
    assert outcome.published
    assert meter.calls == 0
