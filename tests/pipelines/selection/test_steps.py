import math
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipelines.errors import RecipeError
from pipelines.part import kinds
from pipelines.selection.frames import (
    NUMBER,
    NUMBERS,
    PAIRS,
    RESPONSES_BEFORE,
    TEXT_COLUMNS,
    Frames,
)
from pipelines.selection.measured import columns_of, measured
from pipelines.selection.steps import (
    NO_DROPS,
    apply_filters,
    apply_selectors,
    check_filters,
    early,
    late,
    make_pairs,
    texts_named,
)
from schemas.canonical import make_id
from tests.pipelines.tables import UNIT, frames_of, part, rows_of

AIR = {"p1": [8, 7, 9, 8], "p2": [9, 2, 7, 5], "p3": [8, 6, 5, 8, 7], "p4": [9, 9, 9, 9]}

DATA = Path(__file__).parents[3] / "data" / "prompts"

EXAMPLES = {
    "margin": {"min": 1},
    "min_score": {"min": 2},
    "variance": {"max": Decimal("0.5"), "min_scored": 2},
    "agreement": {"min": Decimal("0.6")},
    "preferred": {"min": Decimal("0.8")},
    "disagreement": {"max": 2},
    "length_ratio": {"max": Decimal("1.5")},
    "licence": {"allow": ("MIT",)},
    "contamination": {"against": ("sums_held_out.jsonl",), "column": "question"},
    "sample": {"fraction": Decimal("0.5")},
    "at_most_per_prompt": {"n": 2},
    "correct_wrong": {"correct": 2, "wrong": 1},
    "origin": {"chosen": "m", "rejected": ("n", "o"), "max_per_prompt": 9},
    "band": {"measure": "difficulty", "min": -2},
    "margin_schedule": {"by": "chosen_model", "min": {"0": 1, "1": 2}},
    "mixture": {"by": "chosen_model", "weights": {"0": 2, "1": 1}},
    "subset": {"by": "chosen_model", "share": Decimal("0.5")},
    "isa": {"share": Decimal("0.5"), "dimensions": 4},
    "k_center": {"n": 2, "dimensions": 4},
}
"""What a kind needs beside its defaults."""

DIFFICULTY = part("measures", "column", name="difficulty", column="score_margin", negative=True)


def example(shelf, kind):
    return part(shelf, kind, DATA, **EXAMPLES.get(kind, {}))


# ---- AIR, section C: the oracle of methods.md


def air_pairs(prompts, **band):
    frames = frames_of({prompt: AIR[prompt] for prompt in prompts["prompt_id"]})
    pairs, drops = make_pairs([part("pairings", "all_pairs")], frames, 0)
    filters = [part("filters", "margin", **band), part("filters", "min_score", min=8)]
    kept, _ = apply_filters(filters, pairs, "pairs")
    return kept, drops


def by_score(pairs):
    scores = pairs.select("prompt_id", "score_chosen", "score_rejected")
    return sorted((prompt, high // UNIT, low // UNIT) for prompt, high, low in scores.rows())


def test_air_keeps_the_prompts_pairs_and_the_one_pair_that_it_should():
    variance = part("filters", "variance", max=Decimal("1.5"))
    prompts, dropped = apply_filters([variance], frames_of(AIR).prompts, "prompts")
    assert dropped.select("id", "step", "reason").rows() == [
        ("p2", "filters.variance", "variance_too_high")
    ]

    kept, unpaired = air_pairs(prompts, values=(2, 3))
    eights = [("p3", 8, 5), ("p3", 8, 5), ("p3", 8, 6), ("p3", 8, 6)]
    assert by_score(kept) == [("p1", 9, 7), *eights]
    assert unpaired.select("id", "reason").rows() == [("p4", "all_tied")]

    one, gone = apply_selectors([part("selectors", "one_per_prompt")], kept, 0)
    assert by_score(one) == [("p1", 9, 7), ("p3", 8, 6)]
    assert gone.height == 3


def test_airs_half_open_band_keeps_the_same_pairs_of_whole_scores():
    prompts = frames_of(AIR).prompts
    listed, _ = air_pairs(prompts, values=(2, 3))
    band, _ = air_pairs(prompts, min=Decimal("1.5"), below=Decimal("3.5"))
    assert set(listed["pair_id"]) == set(band["pair_id"])


# ---- filters


def write_filter(folder, on, column, comparison="> 1"):
    """A user's own filter: one reason, one column."""
    (folder / "mine.py").write_text(
        "import polars as pl\n"
        "from typing import ClassVar\n"
        "from pipelines.filter import Filter\n\n"
        "class Mine(Filter):\n"
        f"    on: ClassVar[str] = {on!r}\n"
        "    def drops(self):\n"
        f"        return {{'why': pl.col({column!r}) {comparison}}}\n"
    )
    return part("filters", "./mine.py", folder)


def test_filters_run_before_the_judges_when_they_need_no_score(tmp_path):
    filters = [
        part("filters", "licence", allow=("MIT",)),
        part("filters", "variance", max=1),
        part("filters", "empty"),
        part("filters", "margin", min=1),
        write_filter(tmp_path, "responses", "score"),
    ]
    names = {
        (when.__name__, on): [one.name for one in when(filters, on)]
        for when in (early, late)
        for on in ("prompts", "responses", "pairs")
    }
    assert names == {
        ("early", "prompts"): ["licence"],
        ("late", "prompts"): ["variance"],
        ("early", "responses"): ["empty"],
        ("late", "responses"): ["mine"],
        ("early", "pairs"): [],
        ("late", "pairs"): ["margin"],
    }


def test_a_filter_on_the_text_of_a_response_is_early_and_says_so(tmp_path):
    shouting = write_filter(tmp_path, "responses", "text", ".str.contains('!')")
    assert early([shouting], "responses") == (shouting,)
    assert texts_named([shouting, part("filters", "empty")]) == {"text"}
    check_filters([shouting])


def test_a_row_keeps_all_its_reasons():
    pair = {"pair_id": "x", "prompt_id": "p", "score_chosen": 1, "score_margin": 1, "n_votes": 0}
    filters = [part("filters", kind, min=1) for kind in ("margin", "min_score", "agreement")]
    kept, drops = apply_filters(filters, rows_of("pairs", [pair]), "pairs")
    assert kept.is_empty()
    assert sorted(drops.rows()) == [
        ("pairs", "x", "p", "filters.agreement", "too_few_votes"),
        ("pairs", "x", "p", "filters.margin", "margin_too_small"),
        ("pairs", "x", "p", "filters.min_score", "score_too_low"),
    ]


def test_what_is_kept_keeps_its_order():
    pairs = rows_of("pairs", [{"pair_id": id_, "score_margin": 9 * UNIT} for id_ in "cab"])
    kept, _ = apply_filters([part("filters", "margin", min=1)], pairs, "pairs")
    assert kept["pair_id"].to_list() == ["c", "a", "b"]


def test_without_filters_everything_is_kept():
    pairs = rows_of("pairs", [{}])
    kept, drops = apply_filters([], pairs, "pairs")
    assert kept.height == 1
    assert drops.schema == NO_DROPS.schema
    assert drops.is_empty()


def test_an_unknown_column_is_refused_with_the_valid_ones(tmp_path):
    wrong = write_filter(tmp_path, "pairs", "chosen_nchars")
    with pytest.raises(RecipeError) as refused:
        check_filters([wrong])
    message = str(refused.value)
    assert message.startswith(
        'filters.mine: there is no column "chosen_nchars" on pairs; did you mean "chosen_n_chars"?'
    )
    assert all(name in message for name in (*PAIRS, "chosen_text"))


@pytest.mark.parametrize("expression", ["+ 1", "> 'x'"])
def test_an_expression_that_cannot_work_is_refused_before_there_are_rows(tmp_path, expression):
    with pytest.raises(RecipeError, match=r"filters\.mine: its expressions do not work on pairs"):
        check_filters([write_filter(tmp_path, "pairs", "n_votes", expression)])


def test_an_expression_that_hides_which_columns_it_names_is_refused(tmp_path):
    hidden = write_filter(tmp_path, "responses", "^score.*$")
    with pytest.raises(RecipeError, match='"why" must name each column'):
        check_filters([hidden])


def test_a_filter_on_no_known_table_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="`on` must be one of prompts, responses, pairs"):
        check_filters([write_filter(tmp_path, "rows", "x")])


def test_every_filter_on_the_shelf_works_on_a_table_without_rows():
    filters = [example("filters", kind) for kind in kinds("filters")]
    check_filters(filters, columns_of([DIFFICULTY]))


# ---- pairs


def test_a_pair_knows_its_prompt_its_sides_and_its_soft_label():
    responses = {"p0": {"model": "strong", "policy": "on"}, "p1": {"completion_tokens": 7}}
    frames = frames_of({"p": [9, 4]}, responses)
    prompts = frames.prompts.with_columns(licence=pl.lit("MIT"), group_id=pl.lit("g"))
    frames = Frames(prompts, frames.responses, frames.judgments)
    pairs, _ = make_pairs([part("pairings", "best_worst", name="bw")], frames, 0)
    assert pairs.schema == pl.Schema(dict.fromkeys(NUMBERS["pairs"], NUMBER) | PAIRS)
    [pair] = pairs.to_dicts()
    assert pair["pair_id"] == make_id("pair", "bw", "p0", "p1", None)
    assert (pair["pairing"], pair["score_margin"], pair["p_chosen"]) == ("bw", 5 * UNIT, 0.75)
    assert pair["p_preferred"] == 818_310  # one vote of one: 1/2 + 1/pi
    assert (pair["chosen_model"], pair["chosen_policy"]) == ("strong", "on")
    assert pair["rejected_completion_tokens"] == 7
    assert (pair["licence"], pair["group_id"]) == ("MIT", "g")


def test_the_soft_label_counts_ties_half_and_is_unknown_without_votes():
    votes = [
        {"prompt_id": "p", "judge": judge, "response_id": response, "score": score}
        for judge, scores in {"k": (3, 3), "l": (1, 2)}.items()
        for response, score in zip(("p0", "p1"), scores, strict=True)
    ]
    [three] = make_pairs(
        [part("pairings", "best_worst")], frames_of({"p": [9, 4]}, None, votes), 0
    )[0].to_dicts()
    assert three["p_preferred"] == UNIT // 2
    assert three["p_chosen"] == 0.5  # one for, one against, one tie: (1 + 1/2 + 1/2) / 4
    frames = frames_of({"p": [9, 4]})
    silent = Frames(frames.prompts, frames.responses, frames.judgments.clear())
    [none] = make_pairs([part("pairings", "best_worst")], silent, 0)[0].to_dicts()
    assert (none["n_votes"], none["p_chosen"], none["p_preferred"]) == (0, None, None)


def test_three_votes_of_four_are_the_soft_label_of_irepo():
    votes = [
        {"prompt_id": "p", "judge": judge, "response_id": response, "score": score}
        for judge, scores in {"k": (2, 1), "l": (2, 1), "m": (1, 2)}.items()
        for response, score in zip(("p0", "p1"), scores, strict=True)
    ]
    pairs, _ = make_pairs(
        [part("pairings", "best_worst")], frames_of({"p": [9, 4]}, None, votes), 0
    )
    [p_chosen] = pairs["p_chosen"]
    assert p_chosen == 0.7
    assert math.log(p_chosen / (1 - p_chosen)) == pytest.approx(0.847298, abs=1e-6)


def test_each_pairing_explains_itself():
    frames = frames_of({"p": [1, 0], "q": [5, 4]})
    pairings = [part("pairings", kind) for kind in ("correct_wrong", "best_worst", "compared")]
    pairs, drops = make_pairs(pairings, frames, 0)
    assert pairs["pairing"].sort().to_list() == ["best_worst", "best_worst", "correct_wrong"]
    assert sorted(drops.rows()) == [
        ("prompts", "p", "p", "pairings.compared", "not_compared"),
        ("prompts", "q", "q", "pairings.compared", "not_compared"),
        ("prompts", "q", "q", "pairings.correct_wrong", "none_wrong"),
    ]


def test_each_selector_chooses_among_what_the_one_before_it_kept():
    rows = [{"pair_id": str(n), "prompt_id": "p", "score_chosen": n * UNIT} for n in range(4)]
    selectors = [part("selectors", "one_per_prompt"), part("selectors", "sample", n=1)]
    kept, drops = apply_selectors(selectors, rows_of("pairs", rows), 0)
    assert kept["pair_id"].to_list() == ["3"]
    assert set(drops["step"]) == {"selectors.one_per_prompt"}


# ---- every part on the shelves

FEW = settings(max_examples=20)  # for each part: the shelves are long

SCORES = st.none() | st.sampled_from([0, 1, 2, 2.5, 3])
RESPONSE = st.fixed_dictionaries(
    {
        "text_hash": st.sampled_from("xyz"),
        "norm_hash": st.sampled_from("xy"),
        "n_chars": st.sampled_from([0, 3, 5]),
        "has_text": st.sampled_from([True, True, True, False]),
        "refused": st.sampled_from([False, False, True]),
        "failed": st.booleans(),
        "policy": st.sampled_from(["on", "off", None]),
        "model": st.sampled_from("mno"),
        "finish_reason": st.sampled_from(["stop", "length", None]),
    }
)
VOTE = st.fixed_dictionaries(
    {
        "order": st.sampled_from(["AB", "BA"]),
        "judge": st.sampled_from(["c", "d"]),
        "annotator": st.sampled_from([None, "x"]),
        "verdict": st.sampled_from([None, "a", "b", "tie"]),
        "score_a": SCORES.map(lambda score: None if score is None else round(score * UNIT)),
        "score_b": st.sampled_from([None, 0, 2 * UNIT]),
        "p_a": st.sampled_from([None, 0.5, 0.9]),
    }
)


@st.composite
def random_frames(draw):
    scores = draw(st.dictionaries(st.sampled_from("pqr"), st.lists(SCORES, max_size=5), min_size=1))
    ids = {prompt: [f"{prompt}{n}" for n in range(len(own))] for prompt, own in scores.items()}
    responses = {id_: draw(RESPONSE) for own in ids.values() for id_ in own}
    judgments = []
    for prompt, own in ids.items():
        for b in range(1, len(own)):
            a = draw(st.integers(0, b))  # b itself: a comparison of a response with itself
            sides = {"response_a_id": own[a], "response_b_id": own[b]}
            target = {"prompt_id": prompt, "comparison_id": f"{own[a]}-{own[b]}", **sides}
            judgments += [target | vote for vote in draw(st.lists(VOTE, max_size=3))]
    frames = frames_of(scores, responses, judgments)
    licences = st.sampled_from(["MIT", "GPL", None])
    prompts = frames.prompts.with_columns(
        licence=pl.Series([draw(licences) for _ in scores], dtype=pl.String)
    )
    return Frames(prompts, frames.responses, frames.judgments)


def shuffled(table, seed=1):
    return table.sample(fraction=1, shuffle=True, seed=seed)


def shuffled_frames(frames):
    return Frames(*map(shuffled, (frames.prompts, frames.responses, frames.judgments)))


def in_order(drops):
    return drops.sort("id", "step", "reason")


def candidate_pairs(frames):
    pairings = [part("pairings", kind) for kind in ("all_pairs", "best_random", "compared")]
    pairs = make_pairs(pairings, frames, 0)[0]
    return measured([DIFFICULTY], frames, pairs)[0]


def assert_balanced(rows, kept, dropped):
    kept, dropped = set(kept), set(dropped)
    assert kept | dropped == set(rows)
    assert not kept & dropped


@pytest.mark.parametrize("kind", kinds("pairings"))
@FEW
@given(frames=random_frames())
def test_every_pairing_is_blind_to_row_order_and_accounts_for_each_prompt(kind, frames):
    pairing = example("pairings", kind)
    pairs, drops = make_pairs([pairing], frames, 1)
    again, drops_again = make_pairs([pairing], shuffled_frames(frames), 1)
    assert_frame_equal(pairs.sort("pair_id"), again.sort("pair_id"))
    assert_frame_equal(in_order(drops), in_order(drops_again))

    assert pairs.schema == pl.Schema(dict.fromkeys(NUMBERS["pairs"], NUMBER) | PAIRS)
    assert pairs["pair_id"].is_unique().all()
    if kind != "origin":  # no score decides there
        assert pairs.filter(pl.col("score_margin") <= 0).is_empty()
    assert pairs.filter(pl.col("chosen_text_hash") == pl.col("rejected_text_hash")).is_empty()
    assert pairs.filter("chosen_refused").is_empty()
    texts = frames.responses.filter("has_text")["response_id"]
    assert {*pairs["chosen_response_id"], *pairs["rejected_response_id"]} <= {*texts}
    votes = pl.col("n_votes_chosen") + pl.col("n_votes_rejected")
    assert pairs.filter(votes > pl.col("n_votes")).is_empty()

    of_prompts = drops.filter(level="prompts")
    assert_balanced(frames.prompts["prompt_id"], pairs["prompt_id"], of_prompts["id"])
    if kind == "compared":
        comparisons = frames.judgments["comparison_id"].drop_nulls()
        of_comparisons = drops.filter(level="comparisons")
        assert_balanced(comparisons, pairs["comparison_id"], of_comparisons["id"])


@pytest.mark.parametrize("kind", kinds("filters"))
@FEW
@given(frames=random_frames())
def test_every_filter_is_blind_to_row_order_and_accounts_for_each_row(kind, frames):
    filter_ = example("filters", kind)
    rows = candidate_pairs(frames) if filter_.on == "pairs" else getattr(frames, filter_.on)
    rows = rows.with_columns(pl.col("prompt_id").alias(text) for text in TEXT_COLUMNS[filter_.on])
    kept, drops = apply_filters([filter_], rows, filter_.on)
    again, drops_again = apply_filters([filter_], shuffled(rows), filter_.on)
    id_column = f"{filter_.on[:-1]}_id"
    assert_frame_equal(kept.sort(id_column), again.sort(id_column))
    assert_frame_equal(in_order(drops), in_order(drops_again))
    assert_balanced(rows[id_column], kept[id_column], drops["id"])


@pytest.mark.parametrize("kind", kinds("selectors"))
@FEW
@given(frames=random_frames())
def test_every_selector_is_blind_to_row_order_and_accounts_for_each_pair(kind, frames):
    selector = example("selectors", kind)
    texts = {name: pl.col("prompt_id") for name in selector.texts}
    pairs = selector.digest(candidate_pairs(frames).with_columns(**texts))
    kept, drops = apply_selectors([selector], pairs, 1)
    again, drops_again = apply_selectors([selector], shuffled(pairs), 1)
    assert_frame_equal(kept.sort("pair_id"), again.sort("pair_id"))
    assert_frame_equal(in_order(drops), in_order(drops_again))
    assert drops["id"].is_unique().all()
    assert_balanced(pairs["pair_id"], kept["pair_id"], drops["id"])


@pytest.mark.parametrize("side", ["chosen", "both", "mean"])
@FEW
@given(frames=random_frames(), low=st.integers(0, 3), step=st.integers(1, 3))
def test_raising_min_score_never_adds_pairs(side, frames, low, step):
    pairs = candidate_pairs(frames)
    lower, higher = (
        apply_filters([part("filters", "min_score", min=bound, side=side)], pairs, "pairs")[0]
        for bound in (low, low + step)
    )
    assert set(higher["pair_id"]) <= set(lower["pair_id"])


@FEW
@given(frames=random_frames())
def test_what_is_known_before_judging_is_what_early_filters_see(frames):
    early_filters = [
        one for kind in kinds("filters") for one in early([example("filters", kind)], "responses")
    ]
    before = frames.responses.select(*sorted(RESPONSES_BEFORE), text="text_hash")
    kept, _ = apply_filters(early_filters, before, "responses")
    assert kept.filter(~pl.col("has_text")).is_empty()
