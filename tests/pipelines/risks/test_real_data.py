"""Risks of real answers and real human pairs."""

import re
from pathlib import Path

import polars as pl
import pytest

from pipelines.risks.separability import separable

STRONG, WEAK = "claude-3-5-sonnet-20240620", "gemma-2-2b-it"


@pytest.fixture(scope="module")
def answers(shared_data: Path) -> pl.DataFrame:
    table = pl.read_parquet(shared_data / "zeroeval_gsm8k_16models.parquet")
    return table.select("model", prompt_id="id", text="raw_output")


def test_models_of_very_different_strength_are_told_by_how_they_write(
    answers: pl.DataFrame,
) -> None:
    strong, weak = (answers.filter(model=model).drop("model") for model in (STRONG, WEAK))
    pairs = strong.rename({"text": "chosen"}).join(
        weak.rename({"text": "rejected"}), on="prompt_id"
    )
    assert pairs.height == 660
    found = separable(pairs)
    assert found is not None
    assert found.accuracy.interval is not None
    assert found.accuracy.interval.low >= 0.99
    assert found.auc >= 0.99


def test_human_pairs_of_one_model_are_hardly_told(shared_data: Path) -> None:
    human = pl.read_parquet(shared_data / "hh_harmless_base_test.parquet")
    last = re.compile(r"\n\nAssistant:")
    rows = [
        (last.split(chosen)[:-1], last.split(chosen)[-1], last.split(rejected)[-1])
        for chosen, rejected in human.select("chosen", "rejected").iter_rows()
    ]
    pairs = pl.DataFrame(
        [("\n".join(prompt), one, other) for prompt, one, other in rows],
        schema=["prompt_id", "chosen", "rejected"],
        orient="row",
    )
    found = separable(pairs)
    assert found is not None
    assert 0.5 < found.accuracy.value < 0.7
