import polars as pl
import pytest

from pipelines.judging.refusal import is_refusal


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't assist with that.",
        "Sorry, but I can’t assist with that.",
        "I cannot help with that request.",
        "I can't help you build this.",
        "I'm unable to participate in that.",
        "I apologize, but I cannot provide instructions for this.",
        "As an AI language model, I cannot provide medical advice.",
        "I’m sorry, I’m not allowed to share that kind of information.",
        "**I can't help with that.**",
    ],
)
def test_a_refusal_is_seen(text):
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "Sure! I'm sorry, but I can't assist with that is what a model says.",
        "I'm sorry to hear that. How can I help?",
        "I can't help but smile.",
        "I cannot stress enough how useful this is.",
        "I can't answer this without knowing x. Take x = 2.",
        "I'm sorry, but I can't draw a chart. However, I can describe it.",
        "As an AI, I don't have personal opinions.",
        "Unfortunately, it is raining.",
        "Je suis désolé, mais je ne peux pas.",
    ],
)
def test_what_is_no_plain_refusal_passes(text):
    assert not is_refusal(text)


def test_none_of_10560_solutions_of_word_problems_is_a_refusal(shared_data):
    table = pl.read_parquet(shared_data / "zeroeval_gsm8k_16models.parquet", columns=["raw_output"])
    assert not any(map(is_refusal, table["raw_output"]))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("repeated", ["sorry,;", "*", " ", ",;", "i'm really ", "I'm sorry "])
def test_a_hostile_text_is_read_in_linear_time(repeated):
    assert not is_refusal("I'm sorry" + repeated * (300_000 // len(repeated)))
