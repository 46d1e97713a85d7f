"""The bit-parallel distance against the textbook's table."""

from hypothesis import given
from hypothesis import strategies as st

from pipelines.risks.edit import edit_distance

FEW = st.lists(st.sampled_from("abc"), max_size=12)
LONG = st.lists(st.integers(0, 3), min_size=60, max_size=140)


def textbook(one: list[object], other: list[object]) -> int:
    above = list(range(len(other) + 1))
    for row, a in enumerate(one, 1):
        line = [row]
        for column, b in enumerate(other):
            line.append(min(above[column] + (a != b), above[column + 1] + 1, line[-1] + 1))
        above = line
    return above[-1]


@given(FEW, FEW)
def test_it_is_levenshteins_distance(one: list[object], other: list[object]) -> None:
    assert edit_distance(one, other) == textbook(one, other) == edit_distance(other, one)


@given(LONG, LONG)
def test_it_is_that_beyond_a_machine_word_too(one: list[object], other: list[object]) -> None:
    assert edit_distance(one, other) == textbook(one, other)


@given(FEW, FEW, FEW)
def test_a_detour_is_never_shorter(a: list[object], b: list[object], c: list[object]) -> None:
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)


def test_very_long_texts_are_compared_exactly() -> None:
    one = list(range(4095))
    assert edit_distance(one, one[1:]) == 1
    assert edit_distance(one, one[::-1]) == 4094  # the middle one stays
