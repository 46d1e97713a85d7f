"""`judge report` on real public data, against figures worked out from the raw tables."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from flows.cli import main
from pipelines.agreement.kappa import cohen

RECIPES = Path(__file__).parents[3] / "flows" / "recipes" / "acceptance"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    root = tmp_path_factory.mktemp("store")
    for name in ("vicuna80", "pandalm", "zeroeval"):
        assert main(["build", str(RECIPES / f"{name}.toml"), "--store", str(root)]) == 0
    return root


def reported(store: Path, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    assert main(["judge", "report", *words, "--format", "json", "--store", str(store)]) == 0
    return json.loads(capsys.readouterr().out)


def test_pandalms_judges_agree_with_people_as_their_table_says(
    store: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = pl.read_parquet(shared_data / "pandalm_human3.parquet")
    code = {"1": 1.0, "2": -1.0, "Tie": 0.0, "0": 0.0}
    votes = raw.select(pl.col("^annotator[123]$").cast(pl.String).replace_strict(code))
    people = np.array([majority(row) for row in votes.rows()])
    found = {
        (one["one"], one["other"]): one for one in reported(store, capsys, "pandalm")["agreements"]
    }
    for pair, column in (
        (("gpt35", "human"), "gpt35_result"),
        (("human", "pandalm7b"), "pandalm7b_result"),
    ):
        said = raw[column].replace_strict(code, default=None).cast(pl.Float64).to_numpy()
        read = ~np.isnan(said)
        assert found[pair]["same_verdict"]["n"] == read.sum()
        assert found[pair]["same_verdict"]["value"] == pytest.approx((said == people)[read].mean())
        assert found[pair]["kappa"]["value"] == pytest.approx(cohen(said, people))


def majority(votes: tuple[float, ...]) -> float:
    """What two of three say; a tie where all differ."""
    return next((vote for vote in votes if votes.count(vote) > 1), 0.0)


def test_gpt4_prefers_the_longer_answer_of_vicuna80_as_often_as_its_table_says(
    store: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = pl.read_parquet(shared_data / "vicuna80_answers.parquet")
    chars = dict(answers.select("answer_id", pl.col("answer").str.len_chars()).rows())
    reviews = pl.read_parquet(shared_data / "vicuna80_gpt4_reviews.parquet")
    rows = reviews.select("answer1_id", "answer2_id", "score_1", "score_2").rows()
    decided = [
        (chars[a] > chars[b]) == (one > two)
        for a, b, one, two in rows
        if one != two and chars[a] != chars[b]
    ]
    [gpt4] = reported(store, capsys, "vicuna80")["judges"]
    wins = gpt4["length"]["longer_wins"]
    assert wins["n"] == len(decided)
    assert wins["value"] == pytest.approx(sum(decided) / len(decided))
    assert wins["interval"]["low"] > 0.65
    assert [alarm["sure"] for alarm in gpt4["alarms"]] == [True]
    assert gpt4["self_preference"]["family"] == "gpt"


def test_the_two_marks_of_zeroeval_are_one_scale_and_agree(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = reported(store, capsys, "zeroeval")
    [agreement] = found["agreements"]
    assert agreement["scores"]["n"] == 10_560
    assert agreement["scores"]["mean_difference"] <= 0.005
    assert agreement["scores"]["icc"] > 0.99
    assert found["spread"]["n"] == 10_560
