from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.judging.tie_rule import JUDGEBENCH
from pipelines.selection.frames import NUMBER, Frames
from pipelines.selection.votes import count_votes
from tests.pipelines.tables import number_of, rows_of

RESPONSES = rows_of("responses", [{"response_id": "r"}, {"response_id": "s"}])


@pytest.fixture
def votes():
    """(n_votes, for the chosen, for the rejected) of the pair r over s."""

    def count(*judgments):
        numbers = {"chosen": [number_of("r")], "rejected": [number_of("s")]}
        pair = pl.DataFrame(numbers, schema=dict.fromkeys(numbers, NUMBER))
        rows = [
            {"response_id": response, "judge": judge, "sample_index": sample, column: value}
            for response, judge, sample, column, value in judgments
        ]
        frames = Frames(rows_of("prompts", []), RESPONSES, rows_of("judgments", rows))
        return count_votes(pair, frames).row(0)[2:]

    return count


def test_each_judge_that_scored_both_has_a_vote(votes):
    assert votes(
        ("r", "j", None, "score", 8), ("s", "j", None, "score", 5),
        ("r", "k", None, "score", 4), ("s", "k", None, "score", 5),
        ("r", "l", None, "score", 5), ("s", "l", None, "score", 5),
    ) == (3, 1, 1)  # fmt: skip


def test_each_sample_has_a_vote(votes):
    assert votes(
        ("r", "j", 0, "score", 8), ("s", "j", 0, "score", 5),
        ("r", "j", 1, "score", 6), ("s", "j", 1, "score", 5),
    ) == (2, 2, 0)  # fmt: skip


def test_a_judge_that_scored_only_one_of_them_has_none(votes):
    assert votes(("r", "j", None, "score", 8), ("s", "j", None, "score", None)) == (0, 0, 0)


def test_ranks_vote_as_well(votes):
    assert votes(("r", "j", None, "rank", 1), ("s", "j", None, "rank", 2)) == (1, 1, 0)


def test_repeated_scores_of_one_voter_vote_by_their_exact_mean(votes):
    # means 7/3 and 9/4
    chosen = [("r", "j", None, "score", value) for value in (2, 2, 3)]
    rejected = [("s", "j", None, "score", value) for value in (2, 2, 2, 3)]
    assert votes(*chosen, *rejected) == (1, 1, 0)


def compared(*verdicts, a="r", b="s", judge="j"):
    return [
        {"comparison_id": f"{a}{b}", "response_a_id": a, "response_b_id": b, "judge": judge}
        | {"order": order, "verdict": verdict}
        for order, verdict in zip(("AB", "BA"), verdicts, strict=True)
    ]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [(("a", "a"), (2, 2, 0)), (("b", "b"), (2, 1, 1)), (("a", "b"), (2, 1, 0)),
     (("a", "tie"), (2, 1, 0)), (("a", None), (1, 1, 0))],
)  # fmt: skip
def test_a_named_judge_of_comparisons_votes_beside_one_of_scores(verdicts, expected):
    rated = [
        {"response_id": name, "judge": "k", "score": score}
        for name, score in zip("rs", (8, 5), strict=True)
    ]
    judgments = rows_of("judgments", [*compared(*verdicts), *rated])
    numbers = {"chosen": [number_of("r")], "rejected": [number_of("s")]}
    pair = pl.DataFrame(numbers, schema=dict.fromkeys(numbers, NUMBER))
    frames = Frames(rows_of("prompts", []), RESPONSES, judgments, named=("j", "k"))
    assert count_votes(pair, frames).row(0)[2:] == expected
    unnamed = Frames(rows_of("prompts", []), RESPONSES, judgments)
    assert count_votes(pair, unnamed).row(0)[2:] == (1, 1, 0)


def test_a_comparison_that_names_the_rejected_first_counts_the_same_by_its_own_tie_rule():
    judgments = rows_of("judgments", compared("b", "tie", a="s", b="r"))
    numbers = {"chosen": [number_of("r")], "rejected": [number_of("s")]}
    pair = pl.DataFrame(numbers, schema=dict.fromkeys(numbers, NUMBER))
    of_prompts = rows_of("prompts", [])
    plain = Frames(of_prompts, RESPONSES, judgments, named=("j",))
    assert count_votes(pair, plain).row(0)[2:] == (1, 0, 0)
    lenient = Frames(of_prompts, RESPONSES, judgments, {"j": JUDGEBENCH}, ("j",))
    assert count_votes(pair, lenient).row(0)[2:] == (1, 1, 0)


def test_a_judge_that_ranks_by_its_comparisons_votes_once():
    ranks = [
        {"response_id": name, "judge": "j", "rank": rank} for name, rank in (("r", 1), ("s", 2))
    ]
    judgments = rows_of("judgments", [*compared("a", "a"), *ranks])
    numbers = {"chosen": [number_of("r")], "rejected": [number_of("s")]}
    pair = pl.DataFrame(numbers, schema=dict.fromkeys(numbers, NUMBER))
    frames = Frames(rows_of("prompts", []), RESPONSES, judgments, named=("j",))
    assert count_votes(pair, frames).row(0)[2:] == (1, 1, 0)


SCORES = st.lists(
    st.tuples(st.sampled_from("rst"), st.sampled_from("jk"), st.sampled_from([None, 0, 1]),
              st.sampled_from(["x", None]), st.none() | st.integers(1, 3)),
    max_size=12,
)  # fmt: skip
SIDES = st.lists(st.sampled_from([("r", "s"), ("s", "t"), ("t", "r")]), max_size=4)


@given(SCORES, SIDES)
def test_votes_are_those_that_each_voter_by_itself_would_give(scores, sides):
    columns = ("response_id", "judge", "sample_index", "annotator", "score")
    rows = [dict(zip(columns, row, strict=True)) for row in scores]
    numbers = [tuple(map(number_of, pair)) for pair in sides]
    schema = dict.fromkeys(("chosen", "rejected"), NUMBER)
    pairs = pl.DataFrame(numbers, schema=schema, orient="row")
    counted = count_votes(
        pairs, Frames(rows_of("prompts", []), RESPONSES, rows_of("judgments", rows))
    )
    assert counted.rows() == [
        (*pair, *plainly(scores, *named)) for pair, named in zip(numbers, sides, strict=True)
    ]


def plainly(scores, chosen, rejected):
    said = {}
    for response, *voter, score in scores:
        if score is not None:
            said.setdefault(tuple(voter), {}).setdefault(response, []).append(score)
    means = [
        [Fraction(sum(by[side]), len(by[side])) for side in (chosen, rejected)]
        for by in said.values()
        if chosen in by and rejected in by
    ]
    return len(means), sum(a > b for a, b in means), sum(a < b for a, b in means)
