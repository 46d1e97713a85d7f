from typing import Any

import polars as pl
import pytest

from pipelines.bias import notes as module
from pipelines.bias.judged import LENGTHS
from pipelines.bias.notes import length_slopes, notes
from pipelines.scoring.score import Score
from pipelines.selection.frames import JUDGMENTS
from tests.pipelines.bias.rows import compared, known

ANSWERS = {f"{prompt}/{n}": {"n_chars": 64 * (n + 1)} for prompt in "pqr" for n in range(2)}


def tables(said: list[dict[str, Any]]) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """As they are staged: without numbers."""
    everything = known(ANSWERS, said)
    judgments = everything.judgments.select(JUDGMENTS.keys() & set(everything.judgments.columns))
    return everything.responses.select(LENGTHS).lazy(), judgments.lazy()


def scores(judge: str, *values: float) -> list[dict[str, Any]]:
    pairs = zip(ANSWERS, values, strict=False)
    return [{"judge": judge, "response_id": id_, "score": value} for id_, value in pairs]


def test_the_notes_of_judges_are_shares_in_four_digits() -> None:
    orders = [
        compared("p/0", "p/1", says, order, judge="pairs")
        for says, order in (("a", "AB"), ("a", "BA"))
    ]
    said = [*scores("one", 1, 2, 1, 2, 2, 1), *scores("two", 1, 2, 1, 2, 1, 2), *orders]
    assert notes(*tables(said)) == {
        "one": {"longer_wins": 0.6667, "same_order": 0.5},  # 2 of 3 with two, 0 of 1 with pairs
        "pairs": {"flip_rate": 0.0, "a_rate": 0.5, "longer_wins": 0.0, "same_order": 0.0},
        "two": {"longer_wins": 1.0, "same_order": 0.5},
    }


def test_judges_that_share_comparisons_and_one_that_shares_answers_alone_have_notes() -> None:
    recorded = [
        compared("p/0", "p/1", says, None, judge=judge, comparison_id=id_)
        for judge, says, id_ in (("one", "a", "1"), ("two", "a", "1"), ("three", "b", "2"))
    ]
    agreed = {name: one["same_order"] for name, one in notes(*tables(recorded)).items()}
    assert agreed == {"one": 0.5, "two": 0.5, "three": 0.0}


def test_of_many_judges_each_is_set_beside_the_next_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [*scores("one", 1, 2), *scores("two", 2, 1), *scores("x", 2, 1), *scores("y", 1, 2)]

    def agreed() -> list[float]:
        return [one["same_order"] for one in notes(*tables(said)).values()]

    assert agreed() == [0.3333] * 4
    monkeypatch.setattr(module, "MOST_OTHERS", 1)
    assert agreed() == [0.0, 1.0, 0.0, 1.0]  # with two, x, y and, from the last, one


def test_of_many_prompts_the_first_ones_by_their_ids_are_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_PROMPTS", 1)
    assert notes(*tables(scores("one", 2, 1, 1, 2, 1, 2))) == {"one": {"longer_wins": 0.0}}


def test_a_judge_of_which_nothing_can_be_measured_has_no_notes() -> None:
    unread = [{"judge": "one", "response_id": "p/0", "error": "no number"}]
    assert notes(*tables(unread)) == {"one": {}}
    assert notes(*tables([])) == {}


def test_slopes_are_those_of_the_judges_that_count() -> None:
    said = [*scores("one", 1, 4, 2, 5), *scores("two", 1, 2, 1, 2), *scores("flat", 1)]
    assert length_slopes(Score(control="length"), *tables(said), {}) == {"one": 3.0, "two": 1.0}
    only = Score(control="length", judges=("two",))
    assert length_slopes(only, *tables(said), {}) == {"two": 1.0}
    assert length_slopes(Score(), *tables(said), {}) == {}
