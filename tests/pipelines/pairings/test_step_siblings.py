from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import RecipeError
from pipelines.pairing import Paired
from pipelines.selection.frames import Frames
from pipelines.selection.steps import make_pairs
from schemas.rows import root_id
from tests.pipelines.tables import part
from tests.trees import ENDED, ORACLE, Steps, asked, frames_of

QUESTION = asked()


def outcome(steps: Steps, **fields: Any) -> tuple[Paired, Frames]:
    frames = frames_of({"search": steps}, QUESTION)
    return part("pairings", "step_siblings", **fields).pair(frames, 0), frames


def paths(made: Paired, frames: Frames) -> list[tuple[str, str]]:
    """(chosen, rejected) of each pair as letters, by the length of the prefix."""
    names = dict(frames.responses.select("response", "response_id").rows())
    sides = made.pairs.sort("n_chars_prefix", "chosen").select("chosen", "rejected").rows()
    return [tuple(names[one].rpartition("-")[2] for one in pair) for pair in sides]


def pairs_of(steps: Steps, **fields: Any) -> list[tuple[str, str]]:
    return paths(*outcome(steps, **fields))


def why(steps: Steps, **fields: Any) -> dict[str, str]:
    """Decision -> why it gives no pair; "" is the one at the root."""
    made, _ = outcome(steps, **fields)
    assert made.unpaired_comparisons is not None
    return {
        "" if id_ == root_id(QUESTION.prompt_id, "search") else id_.rpartition("-")[2]: reason
        for id_, reason in made.unpaired_comparisons.select("comparison_id", "reason").rows()
    }


def flat(*qs: float, **fields: Any) -> Steps:
    """Steps below the root, in the order a, b, c...: the last one with the highest Q is the path."""
    best = max(range(len(qs)), key=lambda place: (qs[place], place))
    return {
        chr(ord("a") + place): {"n": 1, "q": q, "on_path": place == best, **fields}
        for place, q in enumerate(qs)
    }


def test_the_oracle_tree_gives_its_two_pairs_with_the_labels_of_their_visits() -> None:
    made, frames = outcome(ORACLE)
    assert paths(made, frames) == [("a", "b"), ("ab", "aa")]
    rows = made.pairs.sort("n_chars_prefix").to_dicts()
    assert [row["score_chosen"] for row in rows] == [1_590_000, 1_100_000]
    assert [row["score_rejected"] for row in rows] == [-650_000, -1_100_000]
    assert [1 - row["p_chosen"] for row in rows] == pytest.approx([0.05, 0.0])
    assert [row["n_chars_prefix"] for row in rows] == [0, len("step a\n")]
    assert [row["comparison_id"] for row in rows] == [
        root_id(QUESTION.prompt_id, "search"),
        f"{QUESTION.prompt_id[:20]}-search-a",
    ]
    assert made.unpaired_prompts.is_empty()


def test_a_pair_has_its_gap_as_its_margin_and_its_own_soft_label() -> None:
    pairing = part("pairings", "step_siblings")
    pairs, _ = make_pairs([pairing], frames_of({"search": ORACLE}, QUESTION), 0)
    found = pairs.sort("n_chars_prefix").select("score_margin", "p_chosen", "n_votes").rows()
    assert found == [(2_240_000, 0.95, 0), (2_200_000, 1.0, 0)]


def test_every_node_is_a_decision_where_that_is_asked_for() -> None:
    assert pairs_of(ORACLE, levels="all") == [("a", "b"), ("ab", "aa"), ("ba", "bb")]


@pytest.mark.parametrize(
    ("n_chosen", "n_rejected", "p"),
    [(19, 1, 0.95), (19, 0, 1.0), (0, 0, 1.0), (0, 1, 0.5), (1, 3, 0.5), (3, 1, 0.75)],
)
def test_the_soft_label_is_at_least_even_and_knows_a_step_without_visits(
    n_chosen: int, n_rejected: int, p: float
) -> None:
    steps = {
        "a": {"n": n_chosen, "q": 1.0, "on_path": True},
        "b": {"n": n_rejected, "q": 0.0},
    }
    made, _ = outcome(steps)
    assert made.pairs["p_chosen"].to_list() == pytest.approx([p])


def test_siblings_are_ordered_by_q_then_prior_then_r_then_value_then_visits() -> None:
    steps = {
        "a": {"n": 9, "q": 1.0, "prior": 0.2, "r": 0.9, "value": 0.9},
        "b": {"n": 1, "q": 1.0, "prior": 0.3, "r": 0.1, "value": 0.1, "on_path": True},
        "c": {"n": 9, "q": 0.0, "prior": 0.9, "r": 0.9, "value": 0.9},
    }
    assert pairs_of(steps) == [("b", "c")]


@pytest.mark.parametrize(
    ("rejected", "expected"), [("worst", {"b"}), ("second", {"d"}), ("random", {"a", "b", "d"})]
)
def test_the_rejected_step_is_the_worst_the_next_best_or_a_seeded_draw(
    rejected: str, expected: set[str]
) -> None:
    frames = frames_of({"search": flat(1.0, 0.0, 5.0, 3.0)}, QUESTION)
    pairing = part("pairings", "step_siblings", rejected=rejected)
    drawn = [paths(pairing.pair(frames, seed), frames) for seed in range(20)]
    assert {pair for [pair] in drawn} == {("c", one) for one in expected}
    assert drawn[7] == paths(pairing.pair(frames, 7), frames)


def test_equal_values_make_no_pair() -> None:
    assert pairs_of(flat(1.0, 1.0)) == []
    assert why(flat(1.0, 1.0)) == {"": "equal_q"}


def test_values_that_differ_by_less_than_a_millionth_are_equal() -> None:
    assert why(flat(1.0, 1.0 + 1e-9)) == {"": "equal_q"}


def test_the_gap_is_met_exactly_at_its_bound() -> None:
    assert pairs_of(flat(0.3, 0.1), min_gap=0.2) == [("a", "b")]
    assert why(flat(0.3, 0.1), min_gap=0.200001) == {"": "gap_too_small"}


def test_steps_that_were_not_visited_are_left_aside_on_request() -> None:
    assert pairs_of(ORACLE, min_visits=1) == [("a", "b")]
    assert why(ORACLE, min_visits=1) == {"a": "fewer_than_two_valued"}


def test_a_step_without_siblings_has_its_reason() -> None:
    steps = {**flat(1.0, 0.0), "aa": {"n": 1, "q": 1.0, "on_path": True}}
    assert why(steps) == {"a": "fewer_than_two_steps"}


def test_a_step_with_one_way_on_is_paired_with_it() -> None:
    steps = {
        **flat(1.0, 0.0),
        "aa": {"n": 1, "q": 1.0, "on_path": True},
        "aaa": {"n": 1, "q": 1.0, "on_path": True, **ENDED},
    }
    made, frames = outcome(steps)
    assert paths(made, frames) == [("aaa", "b")]
    assert made.pairs["n_chars_prefix"].to_list() == [0]
    assert pairs_of(steps, follow_single=False) == [("a", "b")]


def test_continuations_are_the_most_visited_endings_below_the_two_steps() -> None:
    steps = {
        "a": {"n": 5, "q": 2.0, "on_path": True},
        "b": {"n": 2, "q": 1.0},
        "aa": {"n": 1, "q": 9.0, **ENDED},
        "ab": {"n": 3, "q": 1.0, "on_path": True},
        "aba": {"n": 1, "q": 1.0, **ENDED},
        "abb": {"n": 2, "q": 0.5, "on_path": True, **ENDED},
        "ba": {"n": 1, "q": 0.0, **ENDED},
        "bb": {"n": 1, "q": 0.1, **ENDED},
    }
    assert pairs_of(steps, answer="continuation") == [("abb", "bb"), ("aa", "abb"), ("aba", "abb")]


def test_a_step_below_which_no_answer_ends_has_no_continuation() -> None:
    steps = {**flat(1.0, 0.0), "aa": {"n": 1, "q": 1.0, **ENDED}}
    assert why(steps, answer="continuation") == {"": "fewer_than_two_ended"}


def test_at_most_so_many_pairs_are_those_with_the_widest_gap() -> None:
    assert pairs_of(ORACLE, levels="all", max_per_prompt=2) == [("a", "b"), ("ab", "aa")]
    assert why(ORACLE, levels="all", max_per_prompt=2) == {"b": "over_max_per_prompt"}


@pytest.mark.parametrize(("outcome_of_ab", "pairs"), [(1.0, 2), (0.0, 0), (-1.0, 0), (None, 0)])
def test_only_solved_problems_are_those_whose_path_ends_with_a_right_answer(
    outcome_of_ab: float | None, pairs: int
) -> None:
    steps = {**ORACLE, "ab": {**ORACLE["ab"], "outcome": outcome_of_ab}}
    assert len(pairs_of(steps, only_solved=True)) == pairs
    assert len(pairs_of(steps)) == 2
    if not pairs:
        assert set(why(steps, only_solved=True).values()) == {"not_solved"}


def test_a_right_answer_beside_the_path_does_not_solve_the_problem() -> None:
    aside = {**ORACLE["aa"], "outcome": 1.0}
    steps = {**ORACLE, "aa": aside, "ab": {**ORACLE["ab"], "outcome": -1.0}}
    assert pairs_of(steps, only_solved=True) == []


def test_a_refusal_is_not_chosen_unless_it_may_be() -> None:
    steps = {"a": {"n": 1, "q": 2.0, "refused": True, "on_path": True}, "b": {"n": 1, "q": 1.0},
             "c": {"n": 1, "q": 0.0}}  # fmt: skip
    assert pairs_of(steps) == [("b", "c")]
    assert pairs_of(steps, choose_refusals=True) == [("a", "c")]
    assert why({name: steps[name] for name in ("a", "b")}) == {"": "chosen_refused"}


def test_equal_texts_are_not_paired() -> None:
    assert why(flat(1.0, 0.0, text="the same")) == {"": "identical_texts"}
    assert why(flat(1.0, 0.0, text=" \n")) == {"": "fewer_than_two_steps"}


def test_two_searches_of_a_prompt_are_two_trees() -> None:
    frames = frames_of({"one": flat(1.0, 0.0), "two": flat(0.2, 0.1)}, QUESTION)
    made = part("pairings", "step_siblings").pair(frames, 0)
    assert sorted(paths(made, frames)) == [("a", "b"), ("a", "b")]
    assert made.pairs["comparison_id"].n_unique() == 2


def test_a_dropped_step_is_not_paired_and_neither_is_what_follows_it() -> None:
    frames = frames_of({"search": ORACLE}, QUESTION)
    kept = frames.responses.filter(~pl.col("response_id").str.ends_with("-a"))
    made = part("pairings", "step_siblings", levels="all").pair(replace(frames, responses=kept), 0)
    assert paths(made, frames) == [("ba", "bb")]


def test_a_prompt_without_a_pair_says_how_close_it_came() -> None:
    trees = {"one": flat(1.0, 1.0), "two": flat(0.3, 0.1), "three": flat(1.0)}
    frames = frames_of(trees, QUESTION)
    made = part("pairings", "step_siblings", min_gap=1).pair(frames, 0)
    assert made.unpaired_prompts["reason"].to_list() == ["gap_too_small"]
    bare = replace(frames, nodes=frames.nodes.clear())
    made = part("pairings", "step_siblings").pair(bare, 0)
    assert made.unpaired_prompts["reason"].to_list() == ["no_tree"]
    assert made.pairs.is_empty()


def test_less_than_no_gap_and_less_than_one_pair_are_refused() -> None:
    for fields in ({"min_gap": -1}, {"max_per_prompt": 0}, {"min_visits": -1}, {"levels": "some"}):
        with pytest.raises(RecipeError):
            part("pairings", "step_siblings", **fields)


QS = st.sampled_from([-1.0, -0.5, 0.0, 0.25, 0.5, 1.0])
STEP = st.fixed_dictionaries(
    {"n": st.integers(0, 3), "q": QS, "prior": QS, "on_path": st.booleans()}
)


@st.composite
def trees(draw: st.DrawFn) -> Steps:
    """Trees of at most three levels with at most three children each."""
    steps: dict[str, dict[str, Any]] = {}
    level = [""]
    for _ in range(3):
        below = [path + name for path in level for name in "abc"[: draw(st.integers(0, 3))]]
        steps |= {path: draw(STEP) for path in below}
        level = below
    for path, step in steps.items():
        if not any(other.startswith(path) and other != path for other in steps):
            step |= {"terminal": draw(st.booleans()), "outcome": draw(QS)}
    return steps


CHOICES = st.fixed_dictionaries(
    {
        "rejected": st.sampled_from(["worst", "random", "second"]),
        "answer": st.sampled_from(["step", "continuation"]),
        "follow_single": st.booleans(),
        "levels": st.sampled_from(["path", "all"]),
        "min_visits": st.integers(0, 1),
        "max_per_prompt": st.integers(1, 4),
        "only_solved": st.booleans(),
    }
)


@settings(max_examples=40)
@given(trees(), CHOICES, st.randoms())
def test_the_order_of_rows_changes_nothing(steps: Steps, fields: Any, random: Any) -> None:
    frames = frames_of({"search": steps}, QUESTION)
    pairing = part("pairings", "step_siblings", **fields)
    shuffled = replace(
        frames,
        nodes=frames.nodes.sample(fraction=1, shuffle=True, seed=random.randrange(99)),
        responses=frames.responses.sample(fraction=1, shuffle=True, seed=random.randrange(99)),
    )
    one, other = (pairing.pair(table, 3) for table in (frames, shuffled))
    assert one.unpaired_comparisons is not None
    assert other.unpaired_comparisons is not None
    assert one.pairs.sort("comparison_id").equals(other.pairs.sort("comparison_id"))
    assert one.unpaired_prompts.equals(other.unpaired_prompts)
    assert set(one.unpaired_comparisons.rows()) == set(other.unpaired_comparisons.rows())


@settings(max_examples=40)
@given(trees(), CHOICES, st.sampled_from([0, 0.25, 0.5]), st.sampled_from([0.75, 1, 1.5]))
def test_a_wider_gap_never_adds_a_pair(
    steps: Steps, fields: Any, narrow: float, wide: float
) -> None:
    narrow_pairs, wide_pairs = (
        set(pairs_of(steps, min_gap=gap, **fields)) for gap in (narrow, wide)
    )
    assert wide_pairs <= narrow_pairs


@settings(max_examples=40)
@given(trees(), CHOICES)
def test_every_pair_is_of_siblings_and_every_decision_is_accounted_for(
    steps: Steps, fields: Any
) -> None:
    made, frames = outcome(steps, **fields)
    assert made.unpaired_comparisons is not None
    for chosen, rejected in paths(made, frames):
        apart = next(place for place in range(9) if chosen[place] != rejected[place])
        ours, theirs = chosen[: apart + 1], rejected[: apart + 1]
        assert steps[ours]["q"] > steps[theirs]["q"]
        assert min(steps[ours]["n"], steps[theirs]["n"]) >= fields["min_visits"]
    assert (made.pairs["score_chosen"] > made.pairs["score_rejected"]).all()
    assert made.pairs.height <= fields["max_per_prompt"]
    on_path = [path for path in steps if fields["levels"] == "all" or steps[path]["on_path"]]
    decisions = {path[:-1] for path in on_path}
    explained = made.pairs["comparison_id"].to_list()
    explained += made.unpaired_comparisons["comparison_id"].to_list()
    assert len(explained) == len(set(explained)) == len(decisions)
    assert made.unpaired_prompts.height == (not made.pairs.height)
