import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.bias.length_control import control, controlled
from pipelines.scoring.score import Score, score_responses
from tests.pipelines.tables import UNIT, frames_of

LENGTHS = (64, 64, 256, 256)
QUALITY = (1, 4, 3, 0)  # its mean is 2.5 for the short ones and 1.5 for the long ones


def table(*rows: tuple[int, float | None, int | None]) -> pl.DataFrame:
    """(prompt, score, characters)."""
    micro = [(p, None if s is None else round(s * UNIT), n) for p, s, n in rows]
    return pl.DataFrame(
        micro, schema=dict.fromkeys(("prompt", "value", "n_chars"), pl.Int64), orient="row"
    )


def values(found: pl.DataFrame) -> list[float]:
    return [value / UNIT for value in found["value"]]


def test_scores_made_of_twice_the_log_of_the_length_and_quality_rank_by_quality() -> None:
    quality = (3, 5, 5, 3)  # as good on average at either length: nothing of it is in the slope
    scores = [2 * math.log2(n) + q for n, q in zip(LENGTHS, quality, strict=True)]
    assert scores == [15, 17, 21, 19]
    found, slope = control(table(*((0, s, n) for s, n in zip(scores, LENGTHS, strict=True))))
    assert slope == 2.0
    assert values(found) == [17, 19, 19, 17]  # 2 * (mean log, 7) + quality


def test_the_slope_is_that_of_all_prompts_together_with_a_level_for_each() -> None:
    # S_xy: 1 * 3 / 2 of p0 and 2 * 1 / 2 of p1; S_xx: 1/2 and 2; the levels 0 and 100 play no part
    rows = [(0, 0, 64), (0, 3, 128), (1, 100, 64), (1, 101, 256)]
    found, slope = control(table(*rows))
    assert slope == 1.0
    assert values(found) == [0.5, 2.5, 101, 100]


def test_rows_without_a_score_or_a_length_take_no_part_and_stay() -> None:
    rows = [(0, 0, 64), (0, 3, 128), (0, None, 10**6), (0, 7, None), (1, 5, 99)]
    found, slope = control(table(*rows))
    assert slope == 3.0
    assert found["value"].to_list() == [1_500_000, 1_500_000, None, 7_000_000, 5_000_000]


def test_without_two_lengths_in_a_prompt_nothing_is_taken_off() -> None:
    same = table((0, 1, 64), (0, 2, 64), (1, 5, 1000))
    found, slope = control(same)
    assert slope is None
    assert found.equals(same)


def test_an_empty_text_counts_as_one_character() -> None:
    _, slope = control(table((0, 0, 0), (0, 3, 8)))
    assert slope == 1.0


ROWS = st.tuples(st.integers(0, 3), st.integers(-(10**4), 10**4), st.integers(0, 10**5))


@given(st.lists(ROWS, max_size=12), st.randoms())
def test_the_order_of_rows_changes_no_bit_and_means_stay(
    rows: list[tuple[int, int, int]], chance: object
) -> None:
    before = table(*rows).with_row_index("row")
    shuffled = before.sample(fraction=1, shuffle=True, seed=chance.randrange(99))  # type: ignore[attr-defined]
    (one, slope), (other, same_slope) = control(before), control(shuffled)
    assert slope == same_slope
    assert one.sort("row").equals(other.sort("row"))
    means = before.group_by("prompt").agg(pl.col("value").mean())
    kept = one.group_by("prompt").agg(pl.col("value").mean())
    both = means.join(kept, on="prompt")
    assert all(abs(a - b) <= 1 for _, a, b in both.iter_rows())  # each score is rounded once


def test_what_is_left_does_not_depend_on_length_any_more() -> None:
    rows = [(p, (p * 7 + k * k) % 10 + math.log2(8 + k), 8 + k) for p in range(5) for k in range(4)]
    found, _ = control(table(*rows))
    _, again = control(found)
    assert again == pytest.approx(0, abs=1e-5)


def test_ratings_in_score_units_are_controlled_alike() -> None:
    ratings = pl.DataFrame({"prompt": [0, 0], "response": [2, 0], "value": [3.0, 0.0]})
    found = controlled(ratings, pl.Series([64, 999, 128]))
    assert found.slope == 3.0
    assert found.ratings.rows() == [(0, 2, 1.5), (0, 0, 1.5)]


def test_score_with_control_ranks_by_what_length_does_not_explain() -> None:
    scores = [2 * math.log2(n) + q for n, q in zip(LENGTHS, (3, 5, 5, 3), strict=True)]
    lengths = {f"p{number}": {"n_chars": n} for number, n in enumerate(LENGTHS)}
    frames = frames_of({"p": scores, "q": [8.0]}, {**lengths, "q0": {"n_chars": 10**6}})
    found = score_responses(Score(control="length"), frames.responses, frames.judgments)
    by_id = dict(found.select("response_id", "score").rows())
    units = {"p0": 17, "p1": 19, "p2": 19, "p3": 17, "q0": 8}
    assert by_id == {id_: score * UNIT for id_, score in units.items()}


def test_each_judge_is_controlled_for_itself() -> None:
    other = [
        {"prompt_id": "p", "response_id": f"p{number}", "judge": "flat", "score": 4 * UNIT}
        for number in range(2)
    ]
    lengths = {"p0": {"n_chars": 64}, "p1": {"n_chars": 128}}
    frames = frames_of({"p": [0.0, 2.0]}, lengths, other)
    found = score_responses(Score(control="length"), frames.responses, frames.judgments)
    assert found["score"].to_list() == [2_500_000, 2_500_000]  # the mean of 1 and 4
