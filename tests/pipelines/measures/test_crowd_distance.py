from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.errors import RecipeError
from pipelines.selection.frames import NUMBER
from tests.pipelines.tables import UNIT, frames_of, part

LEVELS = (Decimal(1), Decimal(2), Decimal(3))


def distance(chosen: list[float], rejected: list[float], **fields: Any) -> list[tuple[float, int]]:
    """What is measured for one pair whose answers got these votes."""
    votes = [("p0", vote) for vote in chosen] + [("p1", vote) for vote in rejected]
    judgments = [
        {"prompt_id": "p", "response_id": one, "judge": "people", "score": round(vote * UNIT)}
        for one, vote in votes
    ]
    frames = frames_of({"p": [None, None]}, judgments=judgments)
    number = dict(frames.responses.select("response_id", "response").rows())
    pairs = pl.DataFrame({"pair_id": ["x"], "chosen": [number["p0"]], "rejected": [number["p1"]]})
    measure = part("measures", "crowd_distance", judge="people", **{"levels": LEVELS, **fields})
    return (
        measure.measure(frames, pairs.cast({"chosen": NUMBER, "rejected": NUMBER}))
        .select("value", "n_obs")
        .rows()
    )


def test_a_crowd_that_is_one_level_higher_throughout_is_one_level_away() -> None:
    # (0, 1/2, 1/2) and (1/2, 1/2, 0): |0 - 1/2| + |1/2 - 1|
    assert distance([2, 3], [1, 2], prior=0.0) == [(1.0, 4)]


def test_votes_count_beside_those_that_each_level_has_before() -> None:
    # alpha (1, 1): 3 up, 1 down is a mean of 4/6, 1 up, 3 down one of 2/6
    two = (Decimal(0), Decimal(1))
    [(value, n_obs)] = distance([1, 1, 1, 0], [0, 0, 0, 1], levels=two)
    assert (value, n_obs) == (pytest.approx(4 / 6 - 2 / 6), 8)


def test_divided_crowds_of_equal_means_are_apart() -> None:
    assert distance([1, 3], [2, 2], prior=0.0) == [(1.0, 4)]


def test_levels_may_lie_unevenly_and_a_score_counts_at_the_nearer_one() -> None:
    levels = (Decimal(0), Decimal(1), Decimal(10))
    assert distance([9], [0.4], levels=levels, prior=0.0) == [(10.0, 2)]
    assert distance([5.5], [0.5], levels=levels, prior=0.0) == [(1.0, 2)]  # the middle: the lower


def test_a_pair_of_which_one_answer_has_no_vote_is_not_measured() -> None:
    assert distance([1, 2], []) == []


@pytest.mark.parametrize("levels", [(Decimal(1),), (Decimal(2), Decimal(1)), (Decimal(1),) * 2])
def test_levels_go_from_the_lowest_up(levels: tuple[Decimal, ...]) -> None:
    with pytest.raises(RecipeError, match="levels"):
        part("measures", "crowd_distance", judge="people", levels=levels)
