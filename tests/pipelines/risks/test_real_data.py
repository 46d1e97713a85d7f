"""Risks of real answers and real human pairs."""

import re
from pathlib import Path

import polars as pl
import pytest

from pipelines.bias.markdown import density
from pipelines.risks.minhash import signatures
from pipelines.risks.near import near_groups
from pipelines.risks.separability import separable
from pipelines.risks.shortcuts import shortcuts

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


@pytest.fixture(scope="module")
def human(shared_data: Path) -> pl.DataFrame:
    """The pairs that have one prompt and two answers: prompt, chosen, rejected."""
    table = pl.read_parquet(shared_data / "hh_harmless_base_test.parquet")
    last = re.compile(r"(?s)(.*)\n\nAssistant:(.*)")
    rows = []
    for one, other in table.select("chosen", "rejected").iter_rows():
        chosen, rejected = last.fullmatch(one), last.fullmatch(other)
        if chosen and rejected and chosen[1] == rejected[1] and chosen[2] and rejected[2]:
            rows.append((chosen[1], chosen[2], rejected[2]))
    return pl.DataFrame(rows, schema=["prompt_id", "chosen", "rejected"], orient="row")


def test_human_pairs_of_one_model_are_hardly_told(human: pl.DataFrame) -> None:
    found = separable(human)
    assert found is not None
    assert 0.5 < found.accuracy.value < 0.65


def test_the_longer_answer_is_no_better_a_guess_there(human: pl.DataFrame) -> None:
    texts = {side: pl.col(side) for side in ("chosen", "rejected")}
    lengths = {f"n_chars_{side}": text.str.len_chars() for side, text in texts.items()}
    densities = {f"markdown_{side}": density(text) for side, text in texts.items()}
    longer = shortcuts(human.with_columns(**lengths, **densities))["longer"]
    assert longer is not None
    assert 0.4 < longer.value < 0.55


def test_few_of_its_prompts_are_nearly_the_same(human: pl.DataFrame) -> None:
    prompts = human["prompt_id"].unique().sort()
    groups = near_groups(signatures(prompts), 0.8)
    assert 0 < len(prompts) - len(set(groups.tolist())) < 30
