import pytest

from pipelines.errors import RecipeError
from tests.pipelines.tables import part, reasons


def leaks(*texts, **fields):
    found = reasons(part("filters", "leak", **fields), [{} for _ in texts], {"text": list(texts)})
    return [why == {"leak"} for why in found]


@pytest.mark.parametrize(
    "text",
    [
        "What does the author advise?",
        "Why is the text's narrator cross?",
        "According to this, what is yeast?",
        "What is the above article about?",
        "Which steps are MENTIONED above?",
        "What, in the original\npost, helped?",
        "What do the reviewers dislike?",
    ],
)
def test_a_question_that_tells_of_its_source_is_dropped(text):
    assert leaks(text) == [True]


@pytest.mark.parametrize(
    "text",
    ["How do I keep a starter alive?", "Which authors won twice?", "What is in a textbook?",
     "How is a blog set up?", "Where is the postage paid?", None],
)  # fmt: skip
def test_a_question_that_stands_alone_is_kept(text):
    assert leaks("Why?", text) == [False, False]


def test_further_words_are_whole_words():
    assert leaks("Is it OP?", "Is it open?", phrases=("op",)) == [True, False]


def test_words_may_be_allowed():
    allow = ("the story of",)
    assert leaks("What is the story of Ruth?", "What does the story say?", allow=allow) == [
        False, True,
    ]  # fmt: skip


def test_a_blank_phrase_is_refused():
    with pytest.raises(RecipeError, match="a phrase is blank"):
        part("filters", "leak", phrases=(" ",))
