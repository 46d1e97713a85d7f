from dataclasses import replace

import polars as pl
import pytest

from pipelines.judging.tie_rule import TieRule
from tests.pipelines.tables import UNIT, frames_of, made, numbered, part, rows_of, sides

COMPARED = part("pairings", "compared")


def vote(a, b, prompt="p", **more):
    own = {"comparison_id": f"{a}{b}", "response_a_id": a, "response_b_id": b, "judge": "c"}
    return {"prompt_id": prompt, **own, **more}


def outcome(votes, scores=None, responses=None, pairing=COMPARED):
    frames = frames_of(scores or {"p": [None] * 3}, responses, votes)
    result = pairing.pair(frames, 0)
    why = dict(result.unpaired_comparisons.select("comparison_id", "reason").rows())
    named = zip(result.pairs.to_dicts(), sides(result.pairs, frames), strict=True)
    return [pair | {"sides": ids} for pair, ids in named], why


def test_a_comparison_pairs_by_its_own_scores_and_not_by_the_score_of_responses():
    [pair], _ = outcome(
        [vote("p0", "p1", score_a=5 * UNIT, score_b=7 * UNIT)], scores={"p": [9, 1]}
    )
    assert pair["sides"] == ("p1", "p0")
    assert (pair["score_chosen"], pair["score_rejected"]) == (7 * UNIT, 5 * UNIT)
    assert pair["comparison_id"] == "p0p1"


def test_a_verdict_without_scores_pairs_without_scores():
    [pair], _ = outcome([vote("p0", "p1", verdict="a")])
    assert pair["sides"] == ("p0", "p1")
    assert pair["score_chosen"] is None and pair["score_rejected"] is None


def test_votes_are_those_of_the_comparison():
    votes = [vote("p0", "p1", verdict=verdict, annotator=str(number))
             for number, verdict in enumerate(["b", "b", "a", "tie"])]  # fmt: skip
    [pair], _ = outcome(votes)
    assert (pair["n_votes"], pair["n_votes_chosen"], pair["n_votes_rejected"]) == (4, 2, 1)


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        ([{"verdict": "tie"}], "tie"),
        ([{"score_a": 8, "score_b": 8}], "tie"),
        ([{"verdict": "a", "order": "AB"}, {"verdict": "b", "order": "BA"}], "inconsistent"),
        ([{"verdict": None}], "unread"),
    ],
)
def test_a_comparison_without_a_winner_has_its_reason(votes, reason):
    pairs, why = outcome([vote("p0", "p1", **one) for one in votes])
    assert (pairs, why) == ([], {"p0p1": reason})


@pytest.mark.parametrize(
    ("responses", "reason"),
    [
        ({"p1": {"has_text": False}}, "no_text"),
        ({"p0": {"text_hash": "t"}, "p1": {"text_hash": "t"}}, "identical_texts"),
        ({"p0": {"refused": True}}, "chosen_refused"),
    ],
)
def test_a_comparison_whose_responses_cannot_be_paired_has_its_reason(responses, reason):
    pairs, why = outcome([vote("p0", "p1", verdict="a")], responses=responses)
    assert (pairs, why) == ([], {"p0p1": reason})


def test_a_refusal_may_be_rejected():
    pairs, why = outcome([vote("p0", "p1", verdict="a")], responses={"p1": {"refused": True}})
    assert len(pairs) == 1 and why == {}


def test_a_comparison_with_a_response_that_is_gone_has_its_reason():
    assert outcome([vote("p0", "gone", verdict="a")]) == ([], {"p0gone": "response_missing"})


def test_only_the_named_judges_vote():
    votes = [vote("p0", "p1", verdict="a"), vote("p0", "p1", verdict="b", judge="d")]
    [pair], _ = outcome(votes, pairing=part("pairings", "compared", judges=("d",)))
    assert pair["sides"][0] == "p1"


def test_prompts_without_a_pair_say_whether_anything_was_compared():
    frames = frames_of(
        {"p": [None] * 2, "q": [None] * 2, "r": [None] * 2},
        judgments=[vote("p0", "p1", verdict="tie"), vote("q0", "q1", "q", verdict="a")],
    )
    assert made(COMPARED, frames) == (
        {("q0", "q1")},
        {"p": "no_comparison_paired", "r": "not_compared"},
    )


def test_vicuna_reviews_tie_a_hundred_times(shared_data):
    reviews = pl.read_parquet(shared_data / "vicuna80_gpt4_reviews.parquet").with_row_index("row")
    answers = pl.read_parquet(shared_data / "vicuna80_answers.parquet")
    responses = answers.select(
        prompt_id=pl.col("question_id").cast(pl.String),
        response_id="answer_id",
        text_hash="answer",
        norm_hash="answer",
        has_text=pl.col("answer").str.strip_chars() != "",
        refused=pl.lit(False),
    )
    judgments = reviews.select(
        prompt_id=pl.col("question_id").cast(pl.String),
        comparison_id=pl.col("row").cast(pl.String),
        response_a_id="answer1_id",
        response_b_id="answer2_id",
        judge=pl.lit("gpt4"),
        score_a=(pl.col("score_1") * UNIT).cast(pl.Int64),
        score_b=(pl.col("score_2") * UNIT).cast(pl.Int64),
    )
    frames = numbered(
        prompts=rows_of("prompts", responses.select("prompt_id").unique().to_dicts()),
        responses=rows_of("responses", responses.to_dicts()),
        judgments=rows_of("judgments", judgments.to_dicts()),
    )
    result = COMPARED.pair(frames, 0)
    assert result.unpaired_comparisons is not None
    why = dict(result.unpaired_comparisons["reason"].value_counts().rows())
    assert why == {"tie": 100, "no_text": 4}
    assert result.pairs.height == 936


@pytest.mark.parametrize(
    ("min_p", "votes", "reason"),
    [
        (None, [0.6, 0.45], None),
        (0.525, [0.6, 0.45], None),  # (.6 + .45) / 2, exactly
        (0.525001, [0.6, 0.45], "unsure"),
        (0.525, [0.4, 0.55], None),  # the other one is chosen, with 1 - .475
        (0.6, [0.4, 0.55], "unsure"),
        (1.0, [1.0, 1.0], None),
    ],
)
def test_a_pair_must_be_as_sure_as_min_p(min_p, votes, reason):
    fields = {} if min_p is None else {"min_p": min_p}
    pairs, why = outcome(
        [
            vote("p0", "p1", p_a=p, order=order)
            for p, order in zip(votes, ("AB", "BA"), strict=True)
        ],
        pairing=part("pairings", "compared", **fields),
    )
    assert why == ({} if reason is None else {"p0p1": reason})
    assert len(pairs) == (reason is None)


def test_a_verdict_in_both_orders_is_sure():
    votes = [vote("p0", "p1", verdict="b", order=order) for order in ("AB", "BA")]
    [pair], _ = outcome(votes, pairing=part("pairings", "compared", min_p=1))
    assert pair["sides"] == ("p1", "p0")


@pytest.mark.parametrize(
    ("rule", "paired", "reason"),
    [("tie", 0, "inconsistent"), ("drop", 0, "inconsistent"), ("average", 1, None)],
)
def test_the_judges_rule_says_what_orders_mean_that_disagree(rule, paired, reason):
    votes = [
        vote("p0", "p1", verdict=one, order=order) for one, order in (("a", "AB"), ("tie", "BA"))
    ]
    frames = replace(frames_of({"p": [None] * 2}, None, votes), tie_rules={"c": TieRule(rule)})
    result = COMPARED.pair(frames, 0)
    assert result.pairs.height == paired
    assert result.unpaired_comparisons["reason"].to_list() == [reason] * (1 - paired)
