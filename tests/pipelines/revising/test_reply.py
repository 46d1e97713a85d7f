"""What a reviser replies, with the published notebook's markers and its parser's faults."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.revising.reply import Revised, read_revision
from pipelines.revising.spans import changed_spans

CANNED = [
    ("Why.\n\n**Corrected Student Solution:**\n\nIt is four.", Revised("It is four.", "Why.")),
    ("Why.\n{corrected_student_solution}: It is four.", Revised("It is four.", "Why.")),
    ("Why.\n{corrected_student_solution}\nIt is four.", Revised("It is four.", "Why.")),
    (
        "Then {corrected_student_solution}: comes.\n{corrected_student_solution}: draft\n\
{corrected_student_solution}: It is four.",
        Revised(
            "It is four.",
            "Then {corrected_student_solution}: comes.\n{corrected_student_solution}: draft",
        ),
    ),
    ("It is four.", "no_marker"),
    ("Why.\n**Corrected Student Solution:**\n\n", "empty_revision"),
]


@pytest.mark.parametrize(("reply", "expected"), CANNED)
def test_the_six_canned_completions_are_read_exactly(reply, expected):
    assert read_revision(reply) == expected


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ("**Teacher Reasoning:** x\n\n**Corrected Student Solution:** **Four**, I say.",
         "**Four**, I say."),
        ("## Corrected answer\nFour", "Four"),
        ("> **Corrected answer**\nFour", "Four"),
        ("CORRECTED SOLUTION:\nFour", "Four"),
        ("__Corrected answer:__ Four", "Four"),
        ("Corrected answer:\n```\ncode {x}\n```", "```\ncode {x}\n```"),
        ("Corrected answer:\r\nFour", "Four"),
    ],
)  # fmt: skip
def test_markers_in_the_forms_that_models_give_them(reply, text):
    assert read_revision(reply) == Revised(text, read_revision(reply).rationale)
    assert "*" not in read_revision(reply).rationale


@pytest.mark.parametrize(
    "reply",
    [
        "Corrected answers are good.",
        "Corrected answer is what I would call it.",
        "The corrected answer: four",
        "Worsened answer:\nthree",
    ],
)
def test_a_sentence_or_the_other_marker_is_no_marker(reply):
    assert read_revision(reply) == "no_marker"


def test_the_other_direction_has_the_other_marker():
    reply = "{worsened_student_solution}: three"
    assert read_revision(reply, "worse") == Revised("three", "")
    assert read_revision(reply) == "no_marker"


@given(st.text(), st.text(min_size=1).map(str.strip).filter(bool))
def test_whatever_stands_around_a_marker_with_the_token_it_is_found(before, answer):
    reply = f"{before}\nCorrected answer 5c1f0a9be2d84a77:\n{answer}"
    assert read_revision(reply, token="5c1f0a9be2d84a77").text == answer


@given(st.text("ab .1", max_size=30), st.text("ab .1", max_size=30))
def test_what_lies_outside_of_the_spans_is_equal_but_for_white_space(original, revision):
    kept_of_one, kept_of_other, at_one, at_other = "", "", 0, 0
    for from_start, from_end, to_start, to_end in changed_spans(original, revision):
        kept_of_one += original[at_one:from_start]
        kept_of_other += revision[at_other:to_start]
        at_one, at_other = from_end, to_end
    kept_of_one += original[at_one:]
    kept_of_other += revision[at_other:]
    assert "".join(kept_of_one.split()) == "".join(kept_of_other.split())
