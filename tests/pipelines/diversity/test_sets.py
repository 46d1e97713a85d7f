"""Joint completions, split: the canned ones of the method, and what must hold of any."""

import json
import re

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
        ("### A.\n### B.\n### C.\n### Response 4:\n", "too_few_parts"),
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


@pytest.mark.parametrize(
    ("marked", "text"),
    [
        ("Response 1: Traditional\nFamily first.", "Family first."),
        ("**Response 1: Traditional values**\n\nFamily first.", "Family first."),
        ("Response 1 (traditional)\nFamily first.", "Family first."),
        ("Option A - Traditional:\nFamily first.", "Family first."),
        ("1. Traditional\nFamily first.", "Family first."),
        ("Response 1: Yes, go.\nFamily first.", "Yes, go.\nFamily first."),
        ("Response 1: Yes, go back to them", "Yes, go back to them"),
        ("Response 1: Yes\nIt pays.", "Yes\nIt pays."),
        ("Response 1: 42 km\nSince 6 * 7 = 42.", "42 km\nSince 6 * 7 = 42."),
        ("**Response 1:** Yes, go.", "Yes, go."),
        ("**Response 1: Yes, go.**\nSoon.", "**Yes, go.**\nSoon."),
        ("1) Yes, go.", "Yes, go."),
        ("Response 1 ###\nYes, go.", "Yes, go."),
        ("Response 1 of 2\nYes, go.", "Yes, go."),
        ("**First response:**\nYes, go.", "Yes, go."),
        ("The first response ###\nYes, go.", "Yes, go."),
        ("First response teams come.\nYes, go.", "First response teams come.\nYes, go."),
        ("1 of 2 is enough\nfor me.", "1 of 2 is enough\nfor me."),
        ("First\nof all.", "First\nof all."),
        ("2024 was the year\nof it.", "2024 was the year\nof it."),
        ("Version 2.0 of it\nis out.", "Version 2.0 of it\nis out."),
        ("Answer a letter\nof hers.", "Answer a letter\nof hers."),
        ("Traditional\nFamily first.", "Traditional\nFamily first."),
        ("4", "4"),
    ],
)
def test_a_title_that_numbers_a_response_is_no_part_of_it(marked, text):
    assert split_by_markers(f"### {marked}\n### No, stay.", 2).parts == (text, "No, stay.")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Antwort 1: Tradition\n", "Antwort 2\n"),
        ("Réponse 1 : Traditionnelle\n", "**Réponse 2 :** "),
        ("回答1：伝統\n", "回答2："),
        ("उत्तर 1: परंपरा\n", "उत्तर 2:\n"),
        ("الرد 1: تقليدي\n", "الرد 2:\n"),
    ],
)
def test_titles_in_other_languages_are_known_by_their_place(first, second):
    completion = f"### {first}A.\n### {second}B."
    assert split_by_markers(completion, 2) == Split(("A.", "B."), ("titled",))


@pytest.mark.parametrize("between", [" ", " *", "*", "-", "."])
def test_a_marker_line_that_goes_on_for_long_is_read_at_once(between):
    line = f"Response 1{between * 20_000}of"  # a pattern that goes back would take days
    assert split_by_markers(f"### {line}\nA.\n### B.", 2).parts[1] == "B."


def test_no_pattern_is_made_for_a_place(monkeypatch):
    titled = "".join(f"### Antwort {place}: so\nText {place}.\n" for place in range(1, 301))
    with monkeypatch.context() as patch:
        patch.delattr(re, "compile")  # it takes a millisecond: thousands of markers took seconds
        split = split_by_markers(titled, 300)
    assert split.parts == tuple(f"Text {place}." for place in range(1, 301))


@pytest.mark.parametrize("rule", ["---", "***", "_____", "* * *", " --- "])
@pytest.mark.parametrize("last", [False, True])
def test_a_rule_between_two_parts_is_no_part_of_either(rule, last):
    completion = f"Sure.\n\n{rule}\n\n### Yes.\n---it is.\n\n{rule}\n\n### Response 2\nNo.\n"
    completion += f"\n{rule}\n" * last
    assert split_by_markers(completion, 2).parts == ("Yes.\n---it is.", "No.")


def test_a_rule_that_parts_nothing_stays():
    completion = "### Yes.\n---\nIt is.\n### No.\n---"
    assert split_by_markers(completion, 2).parts == ("Yes.\n---\nIt is.", "No.\n---")


@pytest.mark.parametrize("end", ["```", "---", "- "])
@pytest.mark.parametrize("more", [" ", "\n", "\n---\n", "\n```\n", "-"])
def test_an_end_that_goes_on_for_long_is_read_at_once(end, more):
    completion = f"```\n### Yes.\n{end}{more * 20_000}\n### No.\n{end}{more * 20_000}x"
    assert split_by_markers(completion, 2).parts[1].endswith("x")


@pytest.mark.parametrize("opened", ["```\n", "```markdown\n", "Here they are:\n\n```md\n\n"])
@pytest.mark.parametrize("text", ["No.", "Run\n```sh\nls\n```", "```\nls\n```"])
def test_a_fence_around_all_parts_is_no_part_of_the_last_one(opened, text):
    completion = f"{opened}### Response 1\n```\nls -l\n```\n### Response 2\n{text}\n```\n"
    assert split_by_markers(completion, 2).parts == ("```\nls -l\n```", text)


def test_a_fence_of_a_response_stays():
    code = "```python\nprint()\n```"
    assert split_by_markers(f"### {code}\n### Or\n{code}", 2).parts == (code, f"Or\n{code}")
    assert split_by_markers(f"```\n### So\n### Or\n{code}", 2).parts == ("So", f"Or\n{code}")
    assert split_by_markers("### So\n### Or\n```", 2).parts == ("So", "Or\n```")


def test_a_number_that_is_not_that_of_the_place_belongs_to_the_response():
    assert split_by_markers("### Tag 3: Rom\nA.\n### Tag 4\nB.", 2).parts == (
        "Tag 3: Rom\nA.",
        "Tag 4\nB.",
    )


def test_a_title_that_says_more_than_a_number_is_flagged():
    titled = "### Response 1: Traditional\nYes.\n### Response 2\nNo."
    assert split_by_markers(titled, 2) == Split(("Yes.", "No."), ("titled",))


@pytest.mark.parametrize(
    "completion",
    [
        'Here is [as asked]: ["Yes.", "No."]',
        '["Yes.", "No."] (see [1])',
        '{"responses": ["Yes.", "No."], "notes": ["none"]}',
        'A form like ["first", "second"] is asked for:\n["Yes.", "No."]',
        '{"note": "[x]", "responses": [ "Yes.", "No." ]}',
    ],
)
def test_an_array_is_found_whatever_brackets_stand_around_it(completion):
    assert split_json(completion, 2) == Split(("Yes.", "No."))


@pytest.mark.parametrize(
    "completion",
    [
        '["Yes.", "No.",]',
        '```json\n[\n  "Yes.",\n  "No.",\n]\n```',
        '{"responses": ["Yes.", "No." , ], "notes": []}',
    ],
)
def test_a_comma_behind_the_last_text_of_an_array_is_passed_over(completion):
    assert split_json(completion, 2) == Split(("Yes.", "No."))


@pytest.mark.parametrize("completion", ['["Yes.", "No.",,]', '["Yes.", "No.", 3,]', '["Yes.",'])
def test_other_commas_make_no_array(completion):
    assert split_json(completion, 2) == "no_array"


def test_a_comma_within_a_text_stays():
    assert split_json('["Yes,]", "No.",]', 2).parts == ("Yes,]", "No.")


def test_a_line_break_within_a_text_of_an_array_is_read():
    assert split_json('["Yes.\nSoon.", "No."]', 2).parts == ("Yes.\nSoon.", "No.")


def test_a_short_array_is_one_of_too_few_parts():
    assert split_json('["Yes."]', 2) == "too_few_parts"


@pytest.mark.parametrize("completion", ['["' * 20_000, '["a",' * 8_000, '["a", "\\ud800"]'])
def test_no_array_breaks_the_reading(completion):
    assert split_json(completion, 2) == "no_array"


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
