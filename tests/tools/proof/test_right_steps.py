"""Which steps are right, with sums worked out by hand."""

import pytest

from tools.proof.right_steps import right_step, right_throughout

QUESTION = "Ann has 44 beads, gives 30, buys 77, loses 92. How many?"


@pytest.mark.parametrize(
    ("prefix", "step", "right"),
    [
        ("", "44-30=14\n", True),
        ("", "44+30=74", False),  # she gives them
        ("", "44-30=15", False),
        ("", "44+77=121", False),  # not the next change
        ("44-30=14\n", "14+77=91", True),
        ("44-30=5\n", "5+77=82", True),  # what stands before is wrong, and it goes on rightly
        ("44-30=5\n", "14+77=91", False),
        ("44-30=5\n5+77=82\n", "82-92=-10", True),
        ("44-30=5\n5+77=82\n82-92=-10\n", "Answer: -10", True),
        ("44-30=14\n14+77=91\n91-92=1\n", "Answer: 1", True),
        ("44-30=14\n14+77=91\n91-92=1\n", "Answer: -1", False),
        ("44-30=14\n14+77=91\n", "Answer: 91", False),  # too early
        ("44-30=14\n14+77=91\n91-92=1\nAnswer: 1\n", "Answer: 1", False),
        ("Let me see\n", "14+77=91", False),
        ("44-30=\n", "14+77=91", False),
    ],
)
def test_a_step_is_right_when_it_takes_the_next_number_and_reckons_rightly(prefix, step, right):
    assert right_step(QUESTION, prefix, step) is right


def test_an_answer_is_right_throughout_when_every_line_is():
    question = "Tom has 17 pens, gets 25, loses 8. How many?"
    assert right_throughout(question, "17+25=42\n42-8=34\nAnswer: 34")
    assert right_throughout(question, "17+25=42\n")
    assert right_throughout(question, "")


def test_errors_that_cancel_are_not_right_although_the_answer_is():
    question = "Tom has 17 pens, gets 25, loses 8. How many?"
    assert not right_throughout(question, "17+25=32\n32-8=34\nAnswer: 34")
