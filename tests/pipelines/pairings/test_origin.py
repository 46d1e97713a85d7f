from decimal import Decimal

import pytest

from pipelines.errors import RecipeError
from pipelines.selection.steps import make_pairs
from tests.pipelines.tables import UNIT, frames_of, made, part

MODELS = {"p0": {"model": "strong"}, "p1": {"model": "weak"}, "p2": {"model": "weak"}}


def origin(**fields):
    return part("pairings", "origin", **{"chosen": ("strong",), "rejected": ("weak",), **fields})


def test_every_answer_of_the_strong_model_is_chosen_over_every_one_of_the_weak():
    frames = frames_of({"p": [None, None, None]}, MODELS)
    assert made(origin(max_per_prompt=9), frames) == ({("p0", "p1"), ("p0", "p2")}, {})


def test_one_pair_of_a_prompt_is_drawn_by_the_seed():
    frames = frames_of({"p": [None, None, None]}, MODELS)
    drawn = {origin().pair(frames, seed).pairs["rejected"].item() for seed in range(20)}
    assert len(drawn) == 2


def test_scores_stand_beside_the_pair_and_do_not_decide_it():
    frames = frames_of({"p": [3, 7]}, MODELS)
    [pair] = origin().pair(frames, 0).pairs.to_dicts()
    assert (pair["score_chosen"], pair["score_rejected"]) == (3 * UNIT, 7 * UNIT)
    assert (pair["n_votes_chosen"], pair["n_votes_rejected"]) == (0, 1)


def test_samplers_can_be_the_origins():
    samplers = {"p0": {"sampler": "good"}, "p1": {"sampler": "bad"}}
    by_sampler = origin(by="sampler", chosen=("good",), rejected=("bad",))
    assert by_sampler.sampler_names() == ("good", "bad")
    assert made(by_sampler, frames_of({"p": [None, None]}, samplers))[0] == {("p0", "p1")}


def test_why_a_prompt_has_no_pair():
    fields = {
        "weak0": {"model": "weak"},
        "strong0": {"model": "strong"},
        "same0": {"model": "strong", "text_hash": "x"},
        "same1": {"model": "weak", "text_hash": "x"},
        "refused0": {"model": "strong", "refused": True},
        "refused1": {"model": "weak"},
        "blank0": {"model": "strong"},
        "blank1": {"model": "weak", "has_text": False},
    }
    sizes = {"weak": 1, "strong": 1, "same": 2, "refused": 2, "blank": 2}
    frames = frames_of({name: [None] * size for name, size in sizes.items()}, fields)
    assert made(origin(), frames) == (set(), {
        "weak": "no_chosen_response",
        "strong": "no_rejected_response",
        "same": "identical_texts",
        "refused": "no_chosen_response",
        "blank": "no_rejected_response",
    })  # fmt: skip
    assert made(origin(choose_refusals=True), frames)[0] == {("refused0", "refused1")}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rejected": ("strong", "weak")}, "strong cannot be chosen and rejected"),
        ({"chosen": ()}, "chosen"),
        ({"max_per_prompt": 0}, "max_per_prompt"),
        ({"by": "policy"}, "by"),
    ],
)
def test_a_wrong_table_is_refused(fields, message):
    with pytest.raises(RecipeError, match=message):
        origin(**fields)


def test_a_decimal_is_no_name():
    with pytest.raises(RecipeError, match="chosen"):
        origin(chosen=Decimal(1))


def test_a_step_of_a_search_and_what_a_model_says_in_the_place_of_a_user_are_no_answers():
    partial = {**MODELS, "p1": {**MODELS["p1"], "partial": True}}
    frames = frames_of({"p": [None, None, None]}, partial)
    assert made(origin(max_per_prompt=9), frames)[0] == {("p0", "p2")}


def test_of_rows_with_one_prompt_each_text_is_set_against_its_own():
    keys = ("a", "a", "b", "b", "c", None)
    responses = {
        f"p{place}": {"model": ("strong", "weak")[place % 2], "record_key": key}
        for place, key in enumerate(keys)
    }
    frames = frames_of({"p": [None] * 6}, responses)
    both = origin(same_key=True, max_per_prompt=9)
    assert made(both, frames) == ({("p0", "p1"), ("p2", "p3")}, {})
    none = {"p0": {"model": "strong", "record_key": "a"}, "p1": {"model": "weak"}}
    frames = frames_of({"p": [None, None]}, none)
    assert made(both, frames) == (set(), {"p": "no_shared_key"})


def test_a_row_of_equal_texts_is_told_where_the_prompt_has_pairs_of_other_rows():
    def answers(prompt, keys, texts):
        return {
            f"{prompt}{place}": {
                "model": ("strong", "weak")[place % 2], "record_key": key, "text_hash": text
            }
            for place, (key, text) in enumerate(zip(keys, texts, strict=True))
        }  # fmt: skip

    responses = answers("p", "aabbcc", "xyzzww") | answers("q", "aa", "xx")
    frames = frames_of({"p": [None] * 6, "q": [None] * 2}, responses)
    pairings = [origin(same_key=True), origin(name="any", max_per_prompt=9)]
    pairs, drops = make_pairs(pairings[:1], frames, 0)
    assert pairs["chosen_response_id"].to_list() == ["p0"]
    assert sorted(drops.select("level", "id", "reason").rows()) == [
        ("comparisons", "b", "identical_texts"),
        ("comparisons", "c", "identical_texts"),
        ("prompts", "q", "identical_texts"),
    ]
    _, drops = make_pairs(pairings[1:], frames, 0)
    assert drops["id"].to_list() == ["q"]


def test_a_row_that_gives_a_pair_by_another_answer_is_not_told():
    responses = {
        "p0": {"model": "strong", "record_key": "a", "text_hash": "x"},
        "p1": {"model": "strong", "record_key": "a", "text_hash": "y"},
        "p2": {"model": "weak", "record_key": "a", "text_hash": "x"},
    }
    frames = frames_of({"p": [None] * 3}, responses)
    made_ = origin(same_key=True).pair(frames, 0)
    assert made_.pairs.height == 1
    assert made_.unpaired_comparisons is not None
    assert made_.unpaired_comparisons.is_empty()
