import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.exporting.spread import least_distance, spread


def rows(siblings: list[int]) -> pl.DataFrame:
    """`siblings[p]` answers to prompt p."""
    prompts = [f"p{prompt:04d}" for prompt, count in enumerate(siblings) for _ in range(count)]
    return pl.DataFrame(
        {"prompt_id": prompts, "answer_id": [f"{place}" for place in range(len(prompts))]}
    )


def promised(siblings: list[int]) -> int:
    """The sum over the classes of floor(rows of the class / most siblings)."""
    classes = {count: siblings.count(count) * count for count in siblings}
    return sum(size // max(siblings) for size in classes.values())


@given(st.lists(st.integers(1, 9), min_size=1, max_size=60), st.integers(0, 5))
def test_siblings_are_never_nearer_than_is_promised(siblings: list[int], seed: int) -> None:
    answers = rows(siblings)
    ordered = spread(answers, seed)
    assert sorted(ordered["answer_id"]) == sorted(answers["answer_id"])
    distance = least_distance(ordered)
    if max(siblings) == 1:
        assert distance is None
    else:
        assert distance is not None
        assert distance >= promised(siblings)


def test_equally_many_siblings_are_as_many_rows_apart_as_there_are_prompts() -> None:
    assert least_distance(spread(rows([3] * 10), 0)) == 10 == promised([3] * 10)


def test_a_prompt_with_many_answers_is_spread_among_the_others() -> None:
    """10 answers to one prompt among 90 single ones: 90 // 10 + 10 // 10 = 10 rows apart."""
    assert promised([10] + [1] * 90) == 10
    assert least_distance(spread(rows([10] + [1] * 90), 0)) == 10


def test_the_order_depends_on_the_seed_and_not_on_the_order_of_the_rows() -> None:
    answers = rows([2, 3, 1] * 8)
    assert spread(answers, 1).equals(spread(answers.reverse(), 1))
    assert not spread(answers, 1).equals(spread(answers, 2))


def test_least_distance_of_an_order_worked_out_by_hand() -> None:
    ordered = pl.DataFrame({"prompt_id": list("abcabb")})
    assert least_distance(ordered) == 1
    assert least_distance(pl.DataFrame({"prompt_id": list("abcab")})) == 3
