import pytest

from pipelines.bias.distribution import distribution, ties
from pipelines.bias.duels import duels
from pipelines.bias.reading import reading
from tests.pipelines.bias.rows import compared, known


def of(*scores: float | None) -> object:
    ids = [f"p/{number}" for number in range(len(scores))]
    said = [
        {"response_id": id_} if score is None else {"response_id": id_, "score": score}
        for id_, score in zip(ids, scores, strict=True)
    ]
    return known({id_: {"n_chars": 1} for id_ in ids}, said).judgments


def test_a_judge_that_always_says_8_has_no_entropy() -> None:
    found = distribution(of(8, 8, 8))
    assert found is not None
    assert (found.entropy, found.commonest, found.at_top) == (0, (8, 1.0), 1.0)
    assert (found.low, found.mean, found.high, found.deviation) == (8, 8, 8, 0)


def test_entropy_is_in_bits_over_the_levels_given() -> None:
    found = distribution(of(1, 2, 3, 3, None))
    assert found is not None
    assert (found.n, found.entropy) == (4, pytest.approx(1.5))
    assert (found.commonest, found.at_top) == ((3, 0.5), 0.5)


def test_scores_of_no_scale_have_no_levels() -> None:
    found = distribution(of(*(number / 7 for number in range(60))))
    assert found is not None
    assert (found.levels, found.entropy, found.commonest, found.at_top) == (None,) * 4


def test_without_scores_there_is_none() -> None:
    assert distribution(of(None)) is None


def test_ties_are_the_share_of_undecided_duels() -> None:
    found = ties(duels(of(1, 1, 2)))
    assert found is not None
    assert (found.value, found.n) == (pytest.approx(1 / 3), 3)
    assert ties(duels(of(1))) is None


def test_reading_counts_what_was_not_read_and_why() -> None:
    answers = {f"p/{number}": {"n_chars": 1} for number in range(4)}
    said = [
        {"response_id": "p/0", "score": 3},
        {"response_id": "p/1", "error": "no number"},
        {"response_id": "p/2", "error": "the judge refused to answer: no number"},
        compared("p/0", "p/1", 0.25),
        {"response_id": "p/3", "error": "no number"},
    ]
    found = reading(known(answers, said).judgments)
    assert (found.asked, found.read, found.refused) == (5, 2, 1)
    assert found.unread_rate is not None
    assert found.unread_rate.value == 0.6
    assert found.reasons == {"no number": 2, "the judge refused to answer: no number": 1}
