import polars as pl
import pytest

from pipelines.bias import duels as module
from pipelines.bias.duels import duels, of_different_texts, ratings, sorted_duels
from tests.pipelines.bias.rows import compared, known

ANSWERS = {f"{prompt}/{number}": {"n_chars": 1} for prompt in "pq" for number in range(3)}


def margins(*said: dict[str, object]) -> list[tuple[int, int, float]]:
    """(a, b, margin): p/0 is number 0, q/0 number 3."""
    return duels(known(ANSWERS, said).judgments).select("a", "b", "margin").rows()


def scored(**scores: float) -> list[dict[str, object]]:
    return [{"response_id": id_.replace("_", "/"), "score": one} for id_, one in scores.items()]


def test_every_two_scores_of_a_prompt_are_a_duel_and_none_across_prompts() -> None:
    found = margins(*scored(p_0=5, p_1=3, p_2=4, q_0=9))
    assert sorted(found) == [(0, 1, 2.0), (0, 2, 1.0), (1, 2, -1.0)]


def test_samples_are_averaged_and_a_rank_counts_from_below() -> None:
    said = [*scored(p_0=5), *scored(p_0=8), *scored(p_1=6), {"response_id": "q/0", "rank": 1}]
    said += [{"response_id": "q/1", "rank": 3}]
    assert margins(*said) == [(0, 1, 0.5), (3, 4, 2.0)]


def test_a_comparison_is_a_duel_by_its_scores_else_its_votes() -> None:
    by_scores = compared("p/0", "p/1", None, score_a=7, score_b=4)
    by_votes = [compared("q/0", "q/1", "a", annotator=who) for who in "12"]
    by_votes.append(compared("q/0", "q/1", "tie", annotator="3"))
    assert margins(by_scores, *by_votes) == [(0, 1, 3.0), (3, 4, pytest.approx(2 / 3, abs=1e-5))]


def test_a_comparison_stays_as_it_was_named_and_can_be_turned() -> None:
    fought = duels(known(ANSWERS, [compared("p/1", "p/0", "a")]).judgments)
    assert fought.select("a", "b", "margin").rows() == [(1, 0, 1.0)]
    assert sorted_duels(fought).select("a", "b", "margin").rows() == [(0, 1, -1.0)]


def test_orders_that_disagree_are_a_tie_and_unread_ones_no_duel() -> None:
    split = [compared("p/0", "p/1", says, order) for says, order in (("a", "AB"), ("b", "BA"))]
    unread = [compared("q/0", "q/1", says, order) for says, order in (("a", "AB"), (None, "BA"))]
    assert margins(*split, *unread) == [(0, 1, 0.0)]


def test_of_many_answers_each_meets_only_those_that_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NEXT", 1)
    assert margins(*scored(p_0=1, p_1=2, p_2=3)) == [(0, 1, -1.0), (1, 2, -1.0)]


def test_equal_texts_are_no_duel_and_unknown_ones_are() -> None:
    fought = duels(known(ANSWERS, scored(p_0=1, p_1=1, p_2=1)).judgments)
    texts = pl.Series(["x", "x", None, "y", "z", "x"])
    left = of_different_texts(fought, texts).select("a", "b").rows()
    assert left == [(1, 2), (0, 2)]


def test_unread_scores_are_no_ratings() -> None:
    said = known(ANSWERS, [{"response_id": "p/0", "error": "no number"}]).judgments
    assert ratings(said).is_empty()
    assert duels(said).is_empty()
