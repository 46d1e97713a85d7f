"""Joint completions, split: the canned ones of the method, and what must hold of any."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.diversity.sets import Split, split_by_markers, split_json

FOUR = "Sure!\n\n### Response 1\nA one.\n### 2.\nB two.\n### C three.\n###\nD four.\n"
PARTS = ("A one.", "B two.", "C three.", "D four.")


def test_a_preamble_and_four_parts_are_four_exact_texts():
    assert split_by_markers(FOUR, 4) == Split(PARTS)


def test_a_nested_heading_makes_five_parts_which_is_flagged():
    nested = FOUR.replace("B two.", "B two.\n### Steps\nfirst, then second")
    assert split_by_markers(nested, 4).flags == ("more_parts",)


def test_deeper_headings_are_none():
    assert split_by_markers(FOUR.replace("B two.", "B two.\n#### Steps\n1."), 4).flags == ()


@pytest.mark.parametrize(
    ("completion", "why"),
    [
        ("### A.\n### B.\n### C.", "too_few_parts"),
        ("### A.\n### B.\n### \n### C.", "too_few_parts"),
        ("### A.\n### B.\n### C.\n###  A.", "equal_parts"),
        ("A, B, C and D ### as it were.", "too_few_parts"),
        ("", "too_few_parts"),
    ],
)
def test_a_set_that_is_not_whole_is_none(completion, why):
    assert split_by_markers(completion, 4) == why


def test_a_part_that_is_far_shorter_than_the_others_is_flagged():
    long = "a long and thorough answer " * 5
    completion = f"### {long}1\n### {long}2\n### {long}3\n### Steps"
    assert split_by_markers(completion, 4).flags == ("short_part",)


@pytest.mark.parametrize("text", ["As in the second response, no.", "See response 2 above."])
def test_a_part_that_speaks_of_another_is_flagged(text):
    assert split_by_markers(f"### Yes, I would go.\n### {text}", 2).flags == ("cross_reference",)


@pytest.mark.parametrize("completion", ["no array", '{"a": "b"}', "[1, 2]", '["a", "b"'])
def test_what_is_no_array_of_texts_is_none(completion):
    assert split_json(completion, 2) == "no_array"


@given(st.lists(st.text(min_size=1).map(str.strip).filter(bool), min_size=2, max_size=6))
def test_an_array_gives_back_its_texts_or_says_that_some_are_equal(texts):
    split = split_json(f"Here:\n```json\n{json.dumps(texts)}\n```", len(texts))
    assert split == "equal_parts" or split.parts == tuple(texts)


@given(st.text(), st.integers(2, 5))
def test_any_completion_is_split_into_n_different_texts_or_not_at_all(completion, n):
    split = split_by_markers(completion, n)
    if isinstance(split, Split):
        assert len(set(split.parts)) == n
        assert all(part == part.strip() != "" for part in split.parts)
