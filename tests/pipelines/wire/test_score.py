import json
from typing import Any

import pytest

from pipelines.backend import SCORING, Request, Sampling, TokenLogprob
from pipelines.errors import FatalError, RequestRefused, TransientError
from pipelines.wire.body import request_body
from pipelines.wire.score import last_tokens, read_score, scored_text
from schemas.rows import Message

ASKED = (Message("user", "Q"), Message("assistant", "17+25"))


def reply(tokens: list[tuple[str, float]], **changed: Any) -> bytes:
    """What vLLM says of a prompt of these tokens, whose first has no log-probability."""
    listed = [
        {str(number): {"logprob": logprob, "rank": 1, "decoded_token": token}}
        for number, (token, logprob) in enumerate(tokens)
    ]
    body = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}}],
        "usage": {"prompt_tokens": len(tokens) + 1, "completion_tokens": 1},
        "prompt_logprobs": [None, *listed],
    }
    return json.dumps(body | changed).encode()


TOKENS = [("user\n", -3.0), ("Q", -2.5), ("\n", -0.1), ("17", -0.5), ("+", -0.25), ("25", -4.0)]


def test_the_body_asks_to_go_on_with_the_last_message_and_for_the_prompts_log_probabilities() -> (
    None
):
    body = json.loads(request_body(Request(ASKED, None, SCORING, 1, None), "m"))
    assert body == {
        "model": "m",
        "messages": [
            {"role": "user", "content": "Q"},
            {"role": "assistant", "content": "17+25"},
        ],
        "max_tokens": 1,
        "prompt_logprobs": 0,
        "add_generation_prompt": False,
        "continue_final_message": True,
    }


def test_only_a_request_for_a_score_has_a_text_that_is_scored() -> None:
    assert scored_text(Request(ASKED, None, SCORING, 1, None)) == "17+25"
    assert scored_text(Request(ASKED, None, Sampling(), 1, None)) is None


def test_a_score_has_the_tokens_of_the_last_message_alone() -> None:
    [scored] = read_score(reply(TOKENS), "17+25").completions
    assert scored.text == "17+25"
    assert scored.logprobs == (
        TokenLogprob("17", -0.5),
        TokenLogprob("+", -0.25),
        TokenLogprob("25", -4.0),
    )
    assert (scored.prompt_tokens, scored.completion_tokens) == (7, 1)


def test_the_text_counts_where_it_stands_last() -> None:
    tokens = [TokenLogprob(token, -1.0) for token in ("17", "+", "25", "Q", "17", "+", "25")]
    assert len(last_tokens(tokens, "17+25")) == 3


@pytest.mark.parametrize("text", [" 17+25", "17+25\n", "\t17+25 "])
def test_a_template_may_trim_the_text(text: str) -> None:
    [scored] = read_score(reply(TOKENS), text).completions
    assert scored.text == text
    assert scored.logprobs is not None
    assert len(scored.logprobs) == 3


@pytest.mark.parametrize("text", ["17+26", "7+25", "\n17+25?", " "])
def test_tokens_that_are_not_the_texts_are_refused(text: str) -> None:
    with pytest.raises(RequestRefused, match="changes the text that is scored"):
        read_score(reply(TOKENS), text)


@pytest.mark.parametrize("changed", [{"prompt_logprobs": None}, {"prompt_logprobs": "no"}])
def test_a_server_that_does_not_score_ends_the_build(changed: dict[str, Any]) -> None:
    with pytest.raises(FatalError, match="has no prompt_logprobs"):
        read_score(reply(TOKENS, **changed), "17+25")


@pytest.mark.parametrize("entry", [None, {}, {"5": {}}, {"5": {"decoded_token": "a"}}])
def test_an_entry_that_cannot_be_read_may_pass(entry: Any) -> None:
    with pytest.raises(TransientError, match="cannot be read"):
        read_score(reply(TOKENS, prompt_logprobs=[None, entry]), "17+25")
