import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion

from pipelines.backend import Completion, Reply, TokenLogprob
from pipelines.calls.prices import Usage
from pipelines.errors import TransientError
from pipelines.wire.reply import read_reply
from schemas.rows import ToolCall


def reply_of(*choices: Any, **fields: Any) -> bytes:
    return json.dumps({"choices": choices, **fields}).encode()


def choice(content: Any = "Hi", index: int | None = 0, **message: Any) -> dict[str, Any]:
    whole = {"message": {"role": "assistant", "content": content, **message}}
    return whole if index is None else {"index": index, **whole}


def only(raw: bytes) -> Completion:
    (completion,) = read_reply(raw, 1).completions
    return completion


def texts(raw: bytes, asked: int = 9) -> list[str | None]:
    return [completion.text for completion in read_reply(raw, asked).completions]


def test_choices_stand_in_the_order_of_their_index() -> None:
    assert texts(reply_of(choice("c", 2), choice("a", 0), choice("b", 1))) == ["a", "b", "c"]


def test_choices_without_an_index_stay_where_they_are() -> None:
    assert texts(reply_of(choice("a", None), choice("b", None))) == ["a", "b"]


def test_more_choices_than_asked_are_ignored() -> None:
    assert texts(reply_of(choice("a", 0), choice("b", 1), choice("c", 2)), asked=2) == ["a", "b"]


def test_a_choice_that_cannot_be_read_takes_no_neighbour_with_it() -> None:
    failed = {"index": 1, "message": {"content": ""}, "finish_reason": "error"}
    assert texts(reply_of(choice("a", 0), failed, None, choice("b", 3))) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("", ""),
        (None, None),
        ([], None),
        ([{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}], "ab"),
    ],
)
def test_content_is_a_text_or_null_or_a_list_of_parts(content: Any, text: str | None) -> None:
    assert only(reply_of(choice(content))).text == text


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_has_a_field_of_its_own(field: str) -> None:
    completion = only(reply_of(choice("<think>is text here", **{field: "hm"})))
    assert (completion.text, completion.reasoning) == ("<think>is text here", "hm")


def test_a_leading_think_block_is_split_off_and_kept() -> None:
    completion = only(reply_of(choice("<think>\nhm\n</think>\n\n  4")))
    assert (completion.text, completion.reasoning) == ("  4", "hm")


def test_an_empty_think_block_is_no_reasoning() -> None:
    completion = only(reply_of(choice("<think>\n\n</think>\n\n4")))
    assert (completion.text, completion.reasoning) == ("4", None)


def test_a_think_block_that_was_cut_off_leaves_no_text() -> None:
    completion = only(reply_of({**choice("<think>hm"), "finish_reason": "length"}))
    assert (completion.text, completion.reasoning) == ("", "hm")
    assert completion.finish_reason == "length"


def test_a_refusal_is_kept_in_its_own_words() -> None:
    assert only(reply_of(choice(None, refusal="I can't help."))).refusal == "I can't help."


@pytest.mark.parametrize("message", [{}, {"message": {"content": None}}, {"message": None}])
def test_a_content_filter_is_a_refusal(message: dict[str, Any]) -> None:
    completion = only(reply_of({"index": 0, "finish_reason": "content_filter", **message}))
    assert (completion.text, completion.refusal) == (None, "content_filter")


def test_tool_calls_keep_the_arguments_as_they_were_written() -> None:
    written = '{"city" :"Ulm"}'
    calls = [
        {"id": "1", "type": "function", "function": {"name": "weather", "arguments": written}},
        {"id": "2", "type": "function", "function": {"name": "time", "arguments": {"zone": "é"}}},
    ]
    assert only(reply_of(choice(None, tool_calls=calls))).tool_calls == (
        ToolCall("1", "weather", written),
        ToolCall("2", "time", '{"zone":"é"}'),
    )


def test_logprobs_are_read_with_their_alternatives() -> None:
    top = [{"token": "A", "logprob": -0.1}, {"token": "B", "logprob": -2}]
    content = [{"token": "A", "logprob": -0.1, "bytes": None, "top_logprobs": top}]
    completion = only(reply_of({**choice("A"), "logprobs": {"content": content}}))
    assert completion.logprobs == (TokenLogprob("A", -0.1, (("A", -0.1), ("B", -2.0))),)


def test_a_logprob_that_is_no_number_makes_all_unknown() -> None:
    content = [{"token": "A", "logprob": -0.1}, {"token": "B", "logprob": float("-inf")}]
    assert only(reply_of({**choice("AB"), "logprobs": {"content": content}})).logprobs is None


USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 20,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 5},
}


def test_usage_is_read_with_cached_and_reasoning_tokens() -> None:
    reply = read_reply(reply_of(choice(), usage=USAGE), 1)
    assert reply.usage == Usage(10, 4, 20, 5)
    assert (reply.completions[0].prompt_tokens, reply.completions[0].completion_tokens) == (10, 20)


def test_tokens_of_one_of_several_choices_are_unknown() -> None:
    raw = reply_of(choice("a", 0), choice("b", 1), usage=USAGE)
    for asked in (1, 2):  # a choice that is ignored was paid for all the same
        reply = read_reply(raw, asked)
        assert reply.usage == Usage(10, 4, 20, 5)
        assert {completion.completion_tokens for completion in reply.completions} == {None}


@pytest.mark.parametrize("usage", [None, {}, [], {"prompt_tokens": "10"}, {"prompt_tokens": -1}])
def test_missing_usage_is_none_and_not_zero(usage: Any) -> None:
    reply = read_reply(reply_of(choice(), usage=usage), 1)
    assert reply.usage is None
    assert reply.completions[0].completion_tokens is None


def test_bytes_that_are_no_utf8_become_replacement_characters() -> None:
    assert texts(b'{"choices": [{"message": {"content": "caf\xe9 \xf0\x9f\x98\x80"}}]}') == [
        "caf\ufffd \U0001f600"
    ]


def test_lone_surrogates_become_replacement_characters() -> None:
    raw = rb'{"choices": [{"message": {"content": "a\ud800b\ud83d\ude00\udc00"}}]}'
    assert texts(raw) == ["a\ufffdb\U0001f600\ufffd"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b"[]",
        b"<html>Bad gateway</html>",
        b'{"choices": [{"message": {"content": "cut of',
        b'{"choices": []}',
        b'{"choices": null}',
        b'{"choices": [{"text": "legacy"}]}',
        b'{"error": {"message": "upstream is down", "code": 502}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_chat_completion_may_pass(raw: bytes) -> None:
    with pytest.raises(TransientError):
        read_reply(raw, 1)


def test_an_error_inside_a_200_is_told() -> None:
    with pytest.raises(TransientError, match="upstream is down"):
        read_reply(b'{"error": {"message": "upstream is down"}}', 1)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = ["content", "reasoning", "refusal", "tool_calls", "function", "arguments", "logprob"]
FIELDS += ["logprobs", "message", "index", "finish_reason", "usage", "token", "top_logprobs"]
near_misses = st.recursive(
    json_values,
    lambda inner: (
        st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5) | st.lists(inner, max_size=3)
    ),
    max_leaves=20,
)


@given(st.lists(near_misses, max_size=3), near_misses)
def test_any_json_is_a_reply_or_may_pass(choices: list[Any], usage: Any) -> None:
    raw = json.dumps({"choices": choices, "usage": usage}).encode()
    try:
        reply = read_reply(raw, 2)
    except TransientError:
        return
    assert isinstance(reply, Reply)
    assert 1 <= len(reply.completions) <= 2
    for completion in reply.completions:
        (completion.text or "").encode()
        (completion.reasoning or "").encode()


@given(st.binary(max_size=60))
def test_any_bytes_are_a_reply_or_may_pass(raw: bytes) -> None:
    with pytest.raises(TransientError):
        read_reply(raw, 1)


any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(
    st.lists(any_text.filter(lambda text: "<think>" not in text), min_size=1, max_size=4),
    st.sampled_from(["stop", "length", "content_filter"]),
    st.none() | any_text,
)
def test_openai_reads_the_same_reply(
    contents: list[str], finish_reason: Any, refusal: str | None
) -> None:
    choices = [
        {
            **choice(content, index, refusal=refusal),
            "finish_reason": finish_reason,
            "logprobs": None,
        }
        for index, content in enumerate(contents)
    ]
    usage = {**USAGE, "total_tokens": 30}
    head = {"id": "1", "object": "chat.completion", "created": 0, "model": "m"}
    raw = reply_of(*choices, usage=usage, **head)
    theirs = ChatCompletion.model_validate_json(raw)
    ours = read_reply(raw, len(contents))
    for mine, other in zip(ours.completions, theirs.choices, strict=True):
        assert mine.text == other.message.content
        assert mine.finish_reason == other.finish_reason
        if finish_reason != "content_filter":
            assert (mine.refusal or "") == (other.message.refusal or "")
    assert ours.usage is not None
    assert theirs.usage is not None
    assert ours.usage.prompt_tokens == theirs.usage.prompt_tokens
    assert theirs.usage.completion_tokens_details is not None
    assert ours.usage.reasoning_tokens == theirs.usage.completion_tokens_details.reasoning_tokens
