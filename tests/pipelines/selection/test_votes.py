import polars as pl
import pytest

from pipelines.selection.frames import NUMBER
from pipelines.selection.votes import count_votes
from tests.pipelines.tables import number_of, rows_of


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
        return count_votes(pair, rows_of("judgments", rows)).row(0)[2:]

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
