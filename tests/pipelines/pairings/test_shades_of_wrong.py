from decimal import Decimal

import polars as pl
import pytest

from tests.pipelines.tables import UNIT, frames_of, made, part

SHADES = part("pairings", "shades_of_wrong")


def verified(**marks):
    return [
        {
            "response_id": response,
            "prompt_id": response[0],
            "judge": "verifier",
            "score": mark * UNIT,
        }
        for response, mark in marks.items()
    ]


def test_only_wrong_answers_are_paired_by_their_score():
    judgments = verified(p0=0, p1=1, p2=0, p3=0)
    frames = frames_of({"p": [0.5, 0.9, 0.2, 0.2]}, judgments=judgments)
    assert made(SHADES, frames)[0] == {("p0", "p2"), ("p0", "p3")}
    pairs = SHADES.pair(frames, 0).pairs.sort("rejected")
    assert pairs["score_chosen"].to_list() == [UNIT // 2] * 2
    assert pairs["score_rejected"].to_list() == [UNIT // 5] * 2


def test_prompts_without_two_shades_have_their_reasons():
    judgments = verified(r0=1, r1=0, u0=0, t0=0, t1=0)
    frames = frames_of({"r": [0.5, 0.4], "u": [0.5, 0.4], "t": [0.5, 0.5]}, judgments=judgments)
    assert made(SHADES, frames) == (
        set(),
        {"r": "fewer_than_two_wrong", "u": "fewer_than_two_wrong", "t": "all_tied"},
    )


def test_a_bound_says_what_is_wrong_on_another_scale():
    pairing = part("pairings", "shades_of_wrong", wrong=Decimal(3))
    judgments = verified(p0=3, p1=4, p2=1)
    assert made(pairing, frames_of({"p": [1, 2, 3]}, judgments=judgments))[0] == {("p2", "p0")}


@pytest.mark.parametrize(("share", "kept"), [("0.5", {1, 3}), ("0.2", set()), ("1", {0, 1, 2, 3})])
def test_the_top_share_of_gaps_is_kept_and_none_where_it_is_less_than_a_pair(share, kept):
    # arXiv 2410.11055: gaps .1 .4 .2 .9, top half -> 1 and 3; int(n p) = 0 must not keep all
    measure = part("measures", "column", name="gap", column="score_margin", negative=True)
    selector = part("selectors", "easiest", measure="gap", share=Decimal(share))
    gaps = [100_000, 400_000, 200_000, 900_000]
    pairs = pl.DataFrame({"pair_id": [str(place) for place in range(4)], "score_margin": gaps})
    values = measure.measure(frames_of({"p": [1, 0]}), pairs)
    measured = values.select("pair_id", pl.col("value").alias("measures.gap"))
    dropped = selector.drops(measured, 0)
    assert {int(one) for one in pairs["pair_id"]} - {int(one) for one in dropped["pair_id"]} == kept
