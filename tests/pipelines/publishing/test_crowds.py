"""The view `crowds`: how many gave which level, and Dirichlet's posterior mean."""

import math
import re

import duckdb
import pytest

from pipelines.querying.version_schema import VIEWS

VIEW = re.search(r"CREATE VIEW crowds AS.*?;", VIEWS.read_text(), re.DOTALL)


@pytest.fixture
def crowds():
    """`crowds(rows)`: what the view makes of judgments, by judge and target."""

    def view(rows):
        with duckdb.connect() as con:
            con.execute(
                "CREATE TABLE judgments (judge VARCHAR, prompt_id VARCHAR, response_id VARCHAR, "
                "comparison_id VARCHAR, dimension VARCHAR, score DOUBLE, verdict VARCHAR)"
            )
            con.executemany("INSERT INTO judgments VALUES (?, 'p', ?, ?, ?, ?, ?)", rows)
            con.execute(VIEW[0])
            return con.sql(
                "SELECT judge, coalesce(response_id, comparison_id), n_votes, levels, counts, mean, "
                "entropy, alpha FROM crowds ORDER BY ALL"
            ).fetchall()

    return view


def test_three_up_and_one_down_have_a_mean_of_four_sixths(crowds):
    votes = [("people", None, "c", None, None, verdict) for verdict in ("a", "a", "b", "a")]
    [(*known, mean, entropy, alpha)] = crowds(votes)
    assert known == ["people", "c", 4, [0, 1], [1, 3]]  # alpha (1, 1)
    assert (mean, alpha) == (pytest.approx(4 / 6), [2, 4])
    assert entropy == pytest.approx(-(2 / 6 * math.log(2 / 6) + 4 / 6 * math.log(4 / 6)))


def test_alpha_is_one_vote_at_each_level_and_those_that_were_given(crowds):
    votes = [("people", "r", None, None, score, None) for score in (3.0, 1.0, 3.0)]
    [row] = crowds([*votes, ("people", "s", None, None, 2.0, None)])[:1]
    assert (row[1], row[3], row[4], row[7]) == ("r", [1, 2, 3], [1, 0, 2], [2, 1, 3])


def test_levels_are_those_that_the_judge_gave_to_anything_of_that_kind(crowds):
    votes = [
        ("people", "r1", None, None, 3.0, None),
        ("people", "r1", None, None, 3.0, None),
        ("people", "r2", None, None, 5.0, None),
        ("people", "r2", None, "style", 1.0, None),  # of one dimension: no vote on the whole
        ("people", "r2", None, None, None, None),  # unread
        ("people", None, "c", None, None, "tie"),
        ("model", "r1", None, None, 2.0, None),
    ]
    assert [row[:5] for row in crowds(votes)] == [
        ("model", "r1", 1, [2], [1]),
        ("people", "c", 1, [0.5], [1]),
        ("people", "r1", 2, [3, 5], [2, 0]),
        ("people", "r2", 1, [3, 5], [0, 1]),
    ]
    assert [row[5] for row in crowds(votes)] == [2, 0.5, (3 * 3 + 5) / 4, (3 + 5 * 2) / 3]
