from decimal import Decimal

import polars as pl
import pytest

from pipelines.errors import RecipeError
from tests.pipelines.tables import UNIT, frames_of, made, numbered, part, rows_of

CORRECT_WRONG = part("pairings", "correct_wrong")


def test_every_correct_response_is_paired_with_every_wrong_one():
    pairs, _ = made(CORRECT_WRONG, frames_of({"p": [1, 0, 1, 0, None]}))
    assert pairs == {("p0", "p1"), ("p0", "p3"), ("p2", "p1"), ("p2", "p3")}


def test_prompts_all_right_or_all_wrong_have_their_reasons():
    frames = frames_of({"right": [1, 1], "wrong": [0, 0], "one": [1], "between": [0.5, 0.5]})
    assert made(CORRECT_WRONG, frames) == (set(), {
        "right": "none_wrong",
        "wrong": "none_correct",
        "one": "fewer_than_two_responses",
        "between": "none_correct",
    })  # fmt: skip


def test_bounds_other_than_one_and_zero_are_inclusive():
    pairing = part("pairings", "correct_wrong", correct=Decimal("0.8"), wrong=Decimal("0.3"))
    assert made(pairing, frames_of({"p": [0.8, 0.79, 0.31, 0.3]}))[0] == {("p0", "p3")}


def test_a_named_judge_decides_by_its_own_mean():
    scores = [("p0", 0), ("p1", 1), ("p1", 1), ("p2", 1), ("p2", 0)]
    judgments = [
        {"response_id": response, "prompt_id": "p", "judge": "verifier", "score": value * UNIT}
        for response, value in scores
    ]
    pairing = part("pairings", "correct_wrong", judge="verifier")
    frames = frames_of({"p": [9, 2, 5]}, judgments=judgments)
    assert made(pairing, frames)[0] == {("p1", "p0")}
    [pair] = pairing.pair(frames, 0).pairs.to_dicts()
    assert (pair["score_chosen"], pair["score_rejected"]) == (UNIT, 0)


def test_what_the_named_judge_did_not_score_is_unscored():
    pairing = part("pairings", "correct_wrong", judge="verifier")
    assert made(pairing, frames_of({"p": [1, 0]}))[1] == {"p": "fewer_than_two_scored"}


def test_a_correct_refusal_is_not_chosen():
    frames = frames_of({"p": [1, 0]}, {"p0": {"refused": True}})
    assert made(CORRECT_WRONG, frames)[1] == {"p": "chosen_refused"}


def test_the_bound_per_prompt_holds():
    pairing = part("pairings", "correct_wrong", max_per_prompt=3)
    assert len(made(pairing, frames_of({"p": [1, 0, 1, 0]}))[0]) == 3


def test_correct_must_lie_above_wrong():
    with pytest.raises(RecipeError, match="above `wrong`"):
        part("pairings", "correct_wrong", correct=0)


def test_zeroeval_has_17998_pairs_of_right_over_wrong(shared_data):
    runs = pl.read_parquet(shared_data / "zeroeval_gsm8k_16models.parquet").with_row_index("row")
    ids = runs.select(prompt_id="id", response_id=pl.col("row").cast(pl.String))
    responses = ids.with_columns(
        text_hash=runs["raw_output"], has_text=True, score=runs["is_correct"].cast(pl.Int64) * UNIT
    )
    frames = numbered(
        rows_of("prompts", ids.select("prompt_id").unique().to_dicts()),
        rows_of("responses", responses.to_dicts()),
        rows_of("judgments", []),
    )
    outcome = CORRECT_WRONG.pair(frames, 0)
    assert outcome.pairs.height == 17_998
    reasons = dict(outcome.unpaired_prompts["reason"].value_counts().rows())
    assert reasons == {"none_wrong": 153, "none_correct": 4}
