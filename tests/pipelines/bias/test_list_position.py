import pytest

from pipelines.bias.list_position import list_position
from tests.pipelines.bias.rows import known

ANSWERS = {f"p/{number}": {"n_chars": 1} for number in range(3)}


def shown(number: int, place: int, **said: object) -> dict[str, object]:
    return {"response_id": f"p/{number}", "position": place, **said}


def test_a_judge_that_ranks_by_place_is_found_out() -> None:
    rotated = [
        shown((place + turn) % 3, place + 1, rank=place + 1)
        for turn in range(3)
        for place in range(3)
    ]
    found = list_position(known(ANSWERS, rotated).judgments)
    assert found is not None
    assert (found.means, found.ranked) == ({1: 1.0, 2: 2.0, 3: 3.0}, True)
    assert found.correlation is not None
    assert found.correlation.value == pytest.approx(-1)


def test_a_judge_that_ranks_by_the_answer_has_even_means() -> None:
    rotated = [
        shown((place + turn) % 3, place + 1, rank=(place + turn) % 3 + 1)
        for turn in range(3)
        for place in range(3)
    ]
    found = list_position(known(ANSWERS, rotated).judgments)
    assert found is not None
    assert found.means == {1: 2.0, 2: 2.0, 3: 2.0}
    assert found.correlation is not None
    assert found.correlation.value == pytest.approx(0)


def test_scores_of_answers_shown_together_have_their_place_in_the_order() -> None:
    said = [
        {"response_id": f"p/{number}", "order": f"{place}/3", "score": score}
        for number, place, score in ((0, 1, 2), (1, 2, 5), (2, 10, 8))
    ]
    found = list_position(known(ANSWERS, said).judgments)
    assert found is not None
    assert (found.means, found.ranked) == ({1: 2.0, 2: 5.0, 10: 8.0}, False)
    assert found.correlation is not None
    assert found.correlation.value == pytest.approx(1)


def test_answers_judged_alone_or_in_one_place_have_none() -> None:
    alone = [{"response_id": "p/0", "score": 1}, {"response_id": "p/1", "score": 2, "order": "AB"}]
    assert list_position(known(ANSWERS, alone).judgments) is None
    assert (
        list_position(known(ANSWERS, [shown(0, 1, rank=1), shown(1, 1, rank=2)]).judgments) is None
    )
