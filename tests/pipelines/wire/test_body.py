import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolUnionParam
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter, ValidationError

from pipelines.backend import SCORING, Request, Sampling
from pipelines.wire.body import Dialect, request_body
from schemas.canonical import canonical_json
from schemas.rows import Message, ToolCall

HELLO = (Message("user", "Hello"),)
WEATHER = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
calls = st.builds(ToolCall, id=texts, name=texts, arguments=texts)
messages = st.one_of(
    st.builds(Message, st.sampled_from(["system", "user"]), texts, name=st.none() | texts),
    st.builds(
        Message,
        st.just("assistant"),
        texts,
        reasoning=st.none() | texts,
        tool_calls=st.lists(calls, max_size=2).map(tuple),
    ),
    st.builds(Message, st.just("tool"), texts, tool_call_id=texts),
)
conversations = st.lists(messages, min_size=1, max_size=6).map(tuple)


def sent(request: Request, dialect: Dialect | None = None) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(request_body(request, "m", dialect or Dialect()))
    return body


def asking(sampling: Sampling | None = None, n: int = 1, seed: int | None = None) -> Request:
    return Request(HELLO, None, sampling or Sampling(), n, seed)


BODY: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsNonStreaming)
MESSAGES: TypeAdapter[Any] = TypeAdapter(list[ChatCompletionMessageParam])
TOOLS: TypeAdapter[Any] = TypeAdapter(list[ChatCompletionToolUnionParam])


def validated_by_openai(body: dict[str, Any]) -> None:
    """Raises where OpenAI's own types do not know a field, or want another type."""
    known = CompletionCreateParamsNonStreaming
    assert set(body) <= known.__required_keys__ | known.__optional_keys__
    BODY.validate_python(body)
    MESSAGES.validate_python(body["messages"])  # BODY takes any iterable for these, unread
    TOOLS.validate_python(body.get("tools", []))


@given(conversations)
def test_texts_reach_the_wire_byte_for_byte(conversation: tuple[Message, ...]) -> None:
    body = sent(Request(conversation, None, Sampling(), 1, None))
    assert len(body["messages"]) == len(conversation)
    for message, wire in zip(conversation, body["messages"], strict=True):
        assert (wire["role"], wire["content"]) == (message.role, message.content)
        assert wire.get("name") == message.name
        assert wire.get("tool_call_id") == message.tool_call_id
        called = [(c["id"], c["function"]) for c in wire.get("tool_calls", [])]
        assert called == [
            (c.id, {"name": c.name, "arguments": c.arguments}) for c in message.tool_calls
        ]


@given(conversations)
def test_openai_accepts_every_conversation(conversation: tuple[Message, ...]) -> None:
    validated_by_openai(sent(Request(conversation, None, Sampling(), 1, None)))


@pytest.mark.parametrize("system_role", ["system", "developer", "user"])
@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_openai_accepts_every_parameter(system_role: Any, limit: Any) -> None:
    sampling = Sampling(
        temperature=0.7,
        top_p=0.9,
        max_tokens=100,
        stop=("END", "\n\n"),
        seed=3,
        presence_penalty=0.1,
        frequency_penalty=-0.1,
        top_logprobs=5,
        json_schema={"title": "Verdict of B", "type": "object", "properties": {}},
    )
    tools = canonical_json(WEATHER).decode()
    conversation = (Message("system", "Be brief."), *HELLO)
    body = sent(Request(conversation, tools, sampling, 4, 11), Dialect(system_role, limit))
    validated_by_openai(body)
    assert body["tools"] == WEATHER
    assert body[limit] == 100
    assert body["seed"] == 3
    assert body["logprobs"] is True
    assert body["response_format"]["json_schema"]["name"] == "Verdict_of_B"
    assert body["response_format"]["json_schema"]["strict"] is True


def test_openai_would_notice_a_wrong_body() -> None:
    with pytest.raises(ValidationError):
        validated_by_openai({"model": "m", "messages": [{"role": "user"}]})


def test_nothing_is_sent_that_was_not_given() -> None:
    assert sent(asking()) == {"model": "m", "messages": [{"role": "user", "content": "Hello"}]}


def test_n_is_sent_only_when_several_choices_are_asked_for() -> None:
    assert "n" not in sent(asking(n=1))
    assert sent(asking(n=2))["n"] == 2


def test_a_fixed_seed_wins_over_the_derived_one() -> None:
    assert sent(asking(seed=7))["seed"] == 7
    assert sent(asking(Sampling(seed=3), seed=7))["seed"] == 3


def test_zero_and_false_are_sent() -> None:
    body = sent(asking(Sampling(temperature=0.0, logprobs=False)))
    assert body["temperature"] == 0
    assert body["logprobs"] is False


def test_extra_body_stands_beside_the_rest() -> None:
    body = sent(asking(Sampling(extra_body={"min_p": 0.05, "guided": {"a": [1]}})))
    assert body["min_p"] == 0.05
    assert body["guided"] == {"a": [1]}


@pytest.mark.parametrize("key", ["model", "messages", "n", "stream"])
def test_extra_body_cannot_replace_the_request(key: str) -> None:
    with pytest.raises(ValidationError, match=f"{key} cannot be set here"):
        Sampling(extra_body={key: 1})


def test_reasoning_is_not_sent() -> None:
    conversation = (*HELLO, Message("assistant", "Hi", reasoning="secret thought"), *HELLO)
    body = request_body(Request(conversation, None, Sampling(), 1, None), "m")
    assert b"secret thought" not in body


@pytest.mark.parametrize("role", ["system", "developer"])
def test_system_texts_take_the_role_that_the_server_knows(role: Any) -> None:
    request = Request((Message(role, "Be brief."), *HELLO), None, Sampling(), 1, None)
    for wanted in ("system", "developer"):
        assert sent(request, Dialect(wanted))["messages"][0]["role"] == wanted


def fold(*conversation: Message) -> list[tuple[str, str]]:
    body = sent(Request(conversation, None, Sampling(), 1, None), Dialect("user"))
    return [(message["role"], message["content"]) for message in body["messages"]]


def test_leading_system_texts_open_the_first_user_message() -> None:
    folded = fold(Message("system", "A"), Message("developer", "B"), Message("user", "C"))
    assert folded == [("user", "A\n\nB\n\nC")]


def test_a_system_text_before_an_assistant_becomes_a_user_message() -> None:
    folded = fold(Message("system", "A"), Message("assistant", "B"), Message("user", "C"))
    assert folded == [("user", "A"), ("assistant", "B"), ("user", "C")]


def test_a_later_system_text_stays_in_its_place() -> None:
    folded = fold(Message("user", "A"), Message("system", "B"), Message("assistant", "C"))
    assert folded == [("user", "A"), ("user", "B"), ("assistant", "C")]


def test_a_request_leaves_alone_what_its_key_is_made_of():
    sampling = Sampling(
        max_tokens=5,
        top_logprobs=2,
        json_schema={"type": "object"},
        extra_body={"min_p": 0.1},
    )
    before = dict(sampling.given)
    sent(asking(sampling), Dialect(max_tokens_field="max_completion_tokens"))
    scores = dict(SCORING.given)
    sent(asking(SCORING))
    assert (sampling.given, SCORING.given) == (before, scores)
