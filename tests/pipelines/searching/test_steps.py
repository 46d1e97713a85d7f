"""Where steps end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.searching.steps import Cut, Step, first_step, lines_of, sentences_of

TEXTS = st.text(alphabet="ab. !?1\n", max_size=30)
CUTS: tuple[Cut, ...] = ("budget", "line", "sentence", "delimiter", "tokens")


@given(TEXTS)
def test_lines_and_sentences_joined_are_the_text(text: str) -> None:
    assert "".join(lines_of(text)) == text
    assert "".join(sentences_of(text)) == text


@pytest.mark.parametrize("cut", CUTS)
@given(text=TEXTS, ended=st.booleans())
def test_a_step_is_how_the_text_begins(cut: Cut, text: str, ended: bool) -> None:
    step = first_step(text, cut, ended=ended, closing="aa")
    assert text.startswith(step.text)
    assert bool(step.text.strip()) == bool(text.strip())


@pytest.mark.parametrize("cut", CUTS)
@given(text=TEXTS)
def test_a_text_that_ended_by_itself_ends_with_its_last_step(cut: Cut, text: str) -> None:
    left = text
    for _ in range(len(text) + 1):
        step = first_step(left, cut, ended=True)
        left = left[len(step.text) :]
        if step.ends:
            break
    assert step.ends
    assert left == ""


@pytest.mark.parametrize(
    ("cut", "text", "expected"),
    [
        ("line", "1.\nAdd 3.\nSo 5.\n", Step("1.\nAdd 3.\n")),  # a fragment goes with the next
        ("line", "Add 3", Step("Add 3", bounded=False)),
        ("line", "\n\nAdd 3.\n\nSo", Step("\n\nAdd 3.\n\n")),
        ("sentence", "A) Add 3.5 and 2! So", Step("A) Add 3.5 and 2! ")),
        ("sentence", "再加上三。所以", Step("再加上三。")),
        ("delimiter", "Add 3;; So", Step("Add 3;;")),
        ("delimiter", "Add 3; So", Step("Add 3; So", bounded=False)),
        ("tokens", "Add 3\nSo", Step("Add 3\nSo")),
        ("budget", "Add 3.\nSo 5. Th", Step("Add 3.\n")),
        ("budget", "", Step("", bounded=False)),
    ],
)  # fmt: skip
def test_a_text_that_was_cut_off(cut: Cut, text: str, expected: Step) -> None:
    assert first_step(text, cut, ended=False, delimiter=";;") == expected


def test_the_answer_closes_only_with_a_whole_sentence() -> None:
    closing = "answer is"
    assert first_step("The answer is", "budget", ended=False, closing=closing) == Step(
        "The answer is", bounded=False
    )
    assert first_step("The answer is 5", "line", ended=True, closing=closing).ends
    patterns = ("^So 5", r"5\.\s*$", "[Ss]o 5", "So 5")
    for pattern in patterns:  # sentence by sentence, whether or not the pattern is plain text
        step = first_step("Add 3. So 5. Now", "tokens", ended=False, closing=pattern)
        assert (step.text, step.ends) == ("Add 3. So 5. ", True)
    assert first_step("The answer is 5.\nNext: 7", "tokens", ended=False, closing=closing) == Step(
        "The answer is 5.\n", ends=True
    )
