import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.judging.tie_rule import TieRule
from pipelines.selection.frames import Frames
from pipelines.selection.steps import make_pairs
from tests.pipelines.tables import UNIT, frames_of, part, sides

GROUPS = part("pairings", "annotator_groups")


def vote(two, verdict, group, annotator=None, prompt="p", **more):
    """`vote("01", "a", "village")`: the group finds the first of p0 and p1 better."""
    a, b = (f"{prompt}{one}" for one in two)
    return {
        "prompt_id": prompt,
        "comparison_id": f"{prompt}{''.join(sorted(two))}",
        "response_a_id": a,
        "response_b_id": b,
        "verdict": verdict,
        "judge": group,
        "annotator": annotator,
        **more,
    }


def votes(two, verdicts, group, prompt="p"):
    """One vote of each of several annotators."""
    names = {"a": "a", "b": "b", "=": "tie", "?": None}
    return [
        vote(two, names[one], group, f"{group}-{number}", prompt)
        for number, one in enumerate(verdicts)
    ]


def rating(response, score, group, annotator=None, **more):
    own = {"prompt_id": response[:-1], "response_id": response, "judge": group}
    return {**own, "annotator": annotator, "score": score and score * UNIT, **more}


def outcome(judgments, responses=None, pairing=GROUPS, prompts=("p",), **facts):
    """The pairs as (group, chosen, rejected) -> row, and why comparisons gave none."""
    frames = frames_of({prompt: [None] * 4 for prompt in prompts}, responses, judgments)
    frames = Frames(frames.prompts, frames.responses, frames.judgments, **facts)
    made = pairing.pair(frames, 0)
    rows = zip(made.pairs.to_dicts(), sides(made.pairs, frames), strict=True)
    pairs = {(row["annotator_group"], *ids): row for row, ids in rows}
    assert len(pairs) == made.pairs.height
    return pairs, sorted(made.unpaired_comparisons.select("comparison_id", "reason").rows())


def test_two_groups_that_want_the_opposite_give_two_pairs_with_the_sides_changed():
    pairs, why = outcome(votes("01", "aab", "village") + votes("01", "bbb=", "city"))
    assert pairs.keys() == {("village", "p0", "p1"), ("city", "p1", "p0")}
    counts = ["n_votes", "n_votes_chosen", "n_votes_rejected"]
    assert [pairs["village", "p0", "p1"][name] for name in counts] == [3, 2, 1]
    assert [pairs["city", "p1", "p0"][name] for name in counts] == [4, 3, 0]
    assert {pair["comparison_id"] for pair in pairs.values()} == {"p01"}
    assert why == []


def test_pairs_of_two_groups_are_two_pairs_even_where_they_agree():
    judgments = votes("01", "a", "village") + votes("01", "a", "city")
    frames = frames_of({"p": [None] * 2}, None, judgments)
    pairs, _ = make_pairs([GROUPS], frames, 0)
    assert sorted(pairs["annotator_group"]) == ["city", "village"]
    assert pairs["pair_id"].n_unique() == 2
    assert pairs["p_chosen"].to_list() == [0.75, 0.75]  # (1 + 1/2) / (1 + 1), of the group alone


def test_each_annotator_may_be_a_group():
    judgments = [*votes("01", "ab=", "people"), vote("01", "a", "model")]
    pairs, why = outcome(judgments, pairing=part("pairings", "annotator_groups", by="annotator"))
    assert pairs.keys() == {("people-0", "p0", "p1"), ("people-1", "p1", "p0")}
    assert why == [("p01", "no_group"), ("p01", "tie")]


def test_the_task_of_a_prompt_may_name_the_group():
    judgments = [
        vote("01", "a", "model"),
        vote("01", "b", "model", prompt="q"),
        rating("r0", 5, "other", "x"),
        rating("r1", 3, "other", "x"),
        vote("01", "a", "model", prompt="s"),
    ]
    frames = frames_of({prompt: [None] * 2 for prompt in "pqrs"}, None, judgments)
    tasks = {"p": "village", "q": "city", "r": "city"}
    prompts = frames.prompts.with_columns(
        task=pl.col("prompt_id").replace_strict(tasks, default=None)
    )
    frames = Frames(prompts, frames.responses, frames.judgments)
    pairs, drops = make_pairs([part("pairings", "annotator_groups", by="task")], frames, 0)
    columns = ["annotator_group", "chosen_response_id", "n_votes"]
    assert sorted(pairs.select(columns).rows()) == [
        ("city", "q1", 1), ("city", "r0", 1), ("village", "p0", 1),
    ]  # fmt: skip
    assert drops.select("id", "reason").rows() == [("s", "no_group_decided"), ("s01", "no_group")]


def test_a_group_that_runs_in_a_circle_has_no_pair_of_it_and_another_keeps_its_own():
    village = [vote("01", "a", "village"), vote("12", "a", "village"), vote("02", "b", "village")]
    beyond = [vote("03", "a", "village")]
    city = [vote("01", "a", "city"), vote("12", "a", "city"), vote("02", "a", "city")]
    pairs, why = outcome(village + beyond + city)
    assert pairs.keys() == {
        ("village", "p0", "p3"),
        ("city", "p0", "p1"),
        ("city", "p1", "p2"),
        ("city", "p0", "p2"),
    }
    assert {reason for _, reason in why} == {"circular"}


def test_equal_texts_are_one_answer_so_that_a_group_cannot_contradict_itself_by_copies():
    judgments = [vote("01", "a", "village"), vote("23", "b", "village"), vote("13", "a", "village")]
    copies = {"p2": {"text_hash": "p0"}, "p3": {"text_hash": "p1"}}
    pairs, why = outcome(judgments, copies)
    assert pairs == {}
    assert why == [("p01", "circular"), ("p13", "identical_texts"), ("p23", "circular")]


def test_votes_of_a_group_count_together_whichever_answer_stood_first_and_however_often():
    keyed = [
        vote("01", "a", "village", "x", comparison_id="1", record_key="1"),
        vote("10", "b", "village", "y", comparison_id="2", record_key="2"),
        vote("10", "a", "village", "z", comparison_id="3", record_key="3"),
    ]
    pairs, why = outcome(keyed)
    [(key, pair)] = pairs.items()
    assert key == ("village", "p0", "p1")
    assert (pair["n_votes"], pair["n_votes_chosen"], pair["comparison_id"]) == (3, 2, None)
    assert why == []


def test_who_compared_two_answers_several_times_has_one_vote():
    x = [vote("01", "a", "village", "x", record_key=str(row)) for row in range(3)]
    others = [vote("01", "b", "village", other) for other in ("y", "z")]
    again = [vote("01", "b", "village", "z", record_key="2")]
    torn = [vote("01", said, "village", "t", record_key=said) for said in "ab"]
    pairs, _ = outcome(x + others + again + torn)
    [(key, pair)] = pairs.items()
    assert key == ("village", "p1", "p0")
    counts = ["n_votes", "n_votes_chosen", "n_votes_rejected"]
    assert [pair[name] for name in counts] == [4, 2, 1]  # t is a tie


def test_votes_of_nobody_in_particular_are_those_of_several():
    votes_ = [vote("01", said, "village", record_key=str(row)) for row, said in enumerate("aab")]
    [pair] = outcome(votes_)[0].values()
    assert (pair["n_votes"], pair["n_votes_chosen"]) == (3, 2)


def test_the_mean_of_several_scores_is_one_vote():
    judgments = [
        vote("01", None, "village", "x", score_a=9 * UNIT, score_b=2 * UNIT),
        vote("10", None, "village", "x", score_a=5 * UNIT, score_b=4 * UNIT, record_key="2"),
        vote("01", None, "village", "y", score_a=1 * UNIT, score_b=2 * UNIT),
    ]
    [(key, pair)] = outcome(judgments)[0].items()
    # x: 6.5 and 3.5 in the mean; y: 1 and 2; of both, 3.75 and 2.75
    assert key == ("village", "p0", "p1")
    assert (pair["score_chosen"], pair["score_rejected"]) == (3_750_000, 2_750_000)
    assert (pair["n_votes"], pair["n_votes_chosen"]) == (2, 1)


@pytest.mark.parametrize("blank", ["", " "])
def test_a_blank_name_is_nobodys_group(blank):
    pairs, why = outcome([vote("01", "a", blank), vote("23", "a", "city")])
    assert (pairs.keys(), why) == ({("city", "p2", "p3")}, [("p01", "no_group")])
    assert outcome([rating("p0", 1, blank), rating("p1", 2, blank)]) == ({}, [])


def test_scores_of_comparisons_decide_by_their_means_for_each_group():
    judgments = [
        vote("01", None, "village", "x", score_a=9 * UNIT, score_b=2 * UNIT),
        vote("10", None, "village", "y", score_a=4 * UNIT, score_b=5 * UNIT),
        vote("10", None, "city", "z", score_a=4 * UNIT, score_b=5 * UNIT),
        vote("01", None, "city", "z", score_a=1 * UNIT, score_b=8 * UNIT, record_key="2"),
    ]
    pairs, _ = outcome(judgments)
    assert pairs.keys() == {("village", "p0", "p1"), ("city", "p1", "p0")}
    village = pairs["village", "p0", "p1"]
    assert (village["score_chosen"], village["score_rejected"]) == (7 * UNIT, 3 * UNIT)


@pytest.mark.parametrize(
    ("said", "responses", "reason"),
    [
        (votes("01", "ab", "g"), {}, "tie"),
        (votes("01", "=", "g"), {}, "tie"),
        (votes("01", "?", "g"), {}, "unread"),
        ([vote("01", "a", "g"), vote("01", "a", "g", "x")], {"p1": {"has_text": False}}, "no_text"),
        (votes("01", "a", "g"), {"p0": {"refused": True}}, "chosen_refused"),
        (votes("09", "a", "g"), {}, "response_missing"),
        ([vote("01", "a", "g", order="AB"), vote("01", "b", "g", order="BA")], {}, "inconsistent"),
    ],
)  # fmt: skip
def test_a_comparison_that_no_group_decides_has_its_reason(said, responses, reason):
    pairs, why = outcome(said, responses)
    assert (pairs, [one for _, one in why]) == ({}, [reason])


def test_orders_that_disagree_are_read_by_the_rule_of_their_judge():
    said = [
        vote("01", None, "g", order="AB", p_a=0.9),
        vote("01", None, "g", order="BA", p_a=0.4),
    ]
    assert outcome(said)[0].keys() == {("g", "p0", "p1")}
    assert outcome(said, tie_rules={"g": TieRule("tie")})[0] == {}


def test_a_group_that_rates_pairs_its_best_with_its_worst_by_the_mean_of_its_members():
    village = [
        rating(f"p{place}", score, "village", member)
        for member, scores in {"x": (5, 1, 2, 3), "y": (1, 2, 3, 3)}.items()
        for place, score in enumerate(scores)
    ]
    city = [rating(f"p{place}", score, "city") for place, score in enumerate((1, 5))]
    pairs, _ = outcome(village + city)
    assert pairs.keys() == {("village", "p0", "p1"), ("city", "p1", "p0")}
    pair = pairs["village", "p0", "p1"]
    assert (pair["score_chosen"], pair["score_rejected"]) == (3 * UNIT, 1_500_000)
    votes_ = [pair[name] for name in ("n_votes", "n_votes_chosen", "n_votes_rejected")]
    assert votes_ == [2, 1, 1]  # x: 5 > 1, y: 1 < 2
    every = part("pairings", "annotator_groups", rated="all")
    mine = {key[1:] for key in outcome(village, pairing=every)[0]}
    assert mine == {("p0", "p1"), ("p0", "p2"), ("p2", "p1"), ("p3", "p1"), ("p3", "p2")}


def test_a_judge_that_ranks_by_comparing_speaks_once():
    ranks = [rating(f"p{n}", None, "g", rank=rank) for n, rank in enumerate((2, 1))]
    pairs, _ = outcome([*ranks, vote("01", "a", "g")])
    assert pairs.keys() == {("g", "p1", "p0")}


def test_who_picks_one_of_four_prefers_it_to_each_other_text():
    # Community Alignment (arXiv 2507.09650): response_c of four is three pairs, of three texts two
    picks = [rating(f"p{place}", int(place == 2), "people", "x") for place in range(4)]
    every = part("pairings", "annotator_groups", by="annotator", rated="all")
    pairs, _ = outcome(picks, pairing=every)
    assert pairs.keys() == {("x", "p2", other) for other in ("p0", "p1", "p3")}
    pairs, _ = outcome(picks, {"p3": {"text_hash": "p2"}}, every)
    assert pairs.keys() == {("x", "p2", "p0"), ("x", "p2", "p1")}


SAID = st.tuples(
    st.sampled_from(["01", "12", "02", "13", "30"]),
    st.sampled_from(["a", "b", "tie"]),
    st.sampled_from(["village", "city"]),
    st.sampled_from("xyz"),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(SAID, max_size=25))
def test_the_pairs_of_a_group_agree_with_an_order_whatever_it_said(said):
    judgments = [vote(*one, record_key=str(place)) for place, one in enumerate(said)]
    pairs, why = outcome(judgments, {"p3": {"text_hash": "p0"}})
    for group in ("village", "city"):
        left = {("p0" if won == "p3" else won, "p0" if lost == "p3" else lost)
                for of, won, lost in pairs if of == group}  # fmt: skip
        while left:  # someone always loses to nobody
            losers = {lost for _, lost in left}
            first = {won for won, _ in left} - losers
            assert first
            left = {(won, lost) for won, lost in left if won not in first}
    decided = {row["comparison_id"] for row in pairs.values()}
    assert {one for one, _ in why} | decided == {vote(*one)["comparison_id"] for one in said}


def test_only_the_named_judges_count_and_prompts_without_a_pair_say_why():
    judgments = [
        vote("01", "a", "village"),
        vote("01", "b", "city"),
        vote("01", "a", "city", prompt="q"),
        vote("01", "tie", "village", prompt="r"),
    ]
    named = part("pairings", "annotator_groups", judges=("village",))
    frames = frames_of({prompt: [None] * 2 for prompt in "pqr"}, None, judgments)
    made = named.pair(frames, 0)
    assert sides(made.pairs, frames) == [("p0", "p1")]
    ids = frames.prompts.select("prompt", "prompt_id")
    why = made.unpaired_prompts.join(ids, on="prompt").select("prompt_id", "reason")
    assert dict(why.rows()) == {"q": "not_judged", "r": "no_group_decided"}


def test_the_pairs_do_not_depend_on_the_order_of_the_rows():
    judgments = votes("01", "aab", "g") + votes("12", "bba", "g") + votes("02", "ab=", "h")
    frames = frames_of({"p": [None] * 3}, None, judgments)
    turned = Frames(
        *(one.reverse() for one in (frames.prompts, frames.responses, frames.judgments))
    )
    order = ["annotator_group", "chosen"]
    one, other = (GROUPS.pair(each, 0).pairs.sort(order) for each in (frames, turned))
    assert one.equals(other)
    assert one.schema["annotator_group"] == pl.String
