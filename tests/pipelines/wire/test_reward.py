import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.backend import REWARDING, Request
from pipelines.errors import TransientError
from pipelines.intake.cells import number_of
from pipelines.wire.body import Dialect
from pipelines.wire.reward import (
    FORMS,
    Form,
    FormError,
    check_body,
    check_pointer,
    read_reward,
    reward_body,
)
from schemas.rows import Message

TALK = (
    Message("system", "Solve."),
    Message("user", "One?"),
    Message("assistant", "Two"),
    Message("user", "Three?"),
)
TOOLS = '[{"function":{"name":"add"},"type":"function"}]'


def asking(*messages: Message, tools: str | None = None) -> Request:
    return Request(messages, tools, REWARDING, 1, 7)


def filled(body: dict[str, Any], *messages: Message, tools: str | None = None) -> Any:
    made = reward_body(asking(*messages, tools=tools), "rm", Form("", body, ""))
    return json.loads(made)


def test_pooling_asks_with_the_conversation_and_for_the_number_itself() -> None:
    asked = asking(*TALK, Message("assistant", "Four"))
    assert reward_body(asked, "rm", FORMS["pooling"]).decode() == (
        '{"model":"rm","messages":[{"role":"system","content":"Solve."},'
        '{"role":"user","content":"One?"},{"role":"assistant","content":"Two"},'
        '{"role":"user","content":"Three?"},{"role":"assistant","content":"Four"}],'
        '"use_activation":false}'
    )


def test_pooling_hands_the_tools_to_the_chat_template() -> None:
    asked = asking(*TALK[:2], Message("assistant", "Four"), tools=TOOLS)
    body = json.loads(reward_body(asked, "rm", FORMS["pooling"]))
    assert body["chat_template_kwargs"] == {"tools": json.loads(TOOLS)}


def test_score_asks_with_two_texts() -> None:
    asked = asking(*TALK, Message("assistant", "Four"))
    assert reward_body(asked, "rm", FORMS["score"]).decode() == (
        '{"model":"rm","text_1":"system: Solve.\\n\\nuser: One?\\n\\nassistant: Two\\n\\n'
        'user: Three?","text_2":"Four","use_activation":false}'
    )


def test_a_model_without_a_system_role_reads_the_text_in_the_first_users() -> None:
    asked = asking(*TALK[:2], Message("assistant", "Four"))
    body = json.loads(reward_body(asked, "rm", FORMS["pooling"], Dialect(system_role="user")))
    assert [message["content"] for message in body["messages"]] == ["Solve.\n\nOne?", "Four"]


def test_a_declared_body_is_filled_wherever_a_mark_stands() -> None:
    body = {
        "inputs": ["<q>$prompt</q><a>$response</a>", "$messages"],
        "parameters": {"who": "$model", "price": "$$5", "deep": {"tools": "$tools"}, "top": 1},
    }
    answer = Message("assistant", "Four")
    assert filled(body, *TALK, answer) == {
        "inputs": [
            "<q>Three?</q><a>Four</a>",
            [{"role": one.role, "content": one.content} for one in (*TALK, answer)],
        ],
        "parameters": {"who": "rm", "price": "$5", "top": 1},
    }


@given(st.text())
def test_a_response_reaches_the_server_as_it_is_and_is_no_form(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    for response in (text, f"$prompt {text} $messages $$"):
        body = {"a": "$response", "b": "-$response-"}
        got = filled(body, Message("user", "$response"), Message("assistant", response))
        assert got == {"a": response, "b": f"-{response}-"}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"text": "$respons"}, r'"\$respons" stands for nothing. Valid: .*\$response'),
        ({"text": "$prompt"}, "what would be judged"),
        ({}, "what would be judged"),
        ({"chat": "so: $messages"}, "it stands alone"),
        ({"text": ["$response", "$1"]}, r'"\$1" stands for nothing'),
    ],
)
def test_a_body_that_cannot_be_right_is_refused(body: dict[str, Any], wrong: str) -> None:
    with pytest.raises(FormError, match=wrong):
        check_body(body)


def test_a_pointer_begins_with_a_slash() -> None:
    for pointer in ("", "/", "/data/0/score", "/a~1b/-1"):
        check_pointer(pointer)
    with pytest.raises(FormError, match=r'not "data\.score"'):
        check_pointer("data.score")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_no_bit_of_a_number_is_lost(number: float) -> None:
    [completion] = read_reward(json.dumps({"score": number}).encode(), "/score").completions
    assert float(str(completion.text)) == number


@pytest.mark.parametrize(
    ("reply", "pointer", "text"),
    [
        ('{"data": [{"data": [-1.25]}]}', "/data/0/data", "-1.25"),
        ('{"data": [{"score": 3}]}', "/data/0/score", "3.0"),
        ('{"data": [{"data": [[1.5], [2.5]]}]}', "/data/0/data/-1", "2.5"),
        ('{"data": [{"data": [[1.5], [2.5]]}]}', "/data/0/data", "no number at /data/0/data: [[1.5],[2.5]]"),
        ('{"a/b": {"~": 4}}', "/a~1b/~0", "4.0"),
        ("7.5", "", "7.5"),
        ("[0.5]", "", "0.5"),
        ('{"score": NaN}', "/score", "nan"),
        ('{"score": -Infinity}', "/score", "-inf"),
        ('{"score": 1' + "0" * 400 + "}", "/score", "inf"),
        ('{"score": true}', "/score", "no number at /score: true"),
        ('{"score": "9"}', "/score", 'no number at /score: "9"'),
        ('{"score": null}', "/score", "no number at /score: null"),
        ('{"score": []}', "/score", "no number at /score: []"),
        ("[" * 1000 + "]" * 1000, "/score", "nothing at /score: lists within lists, too deep to show"),
        ("9", "/score", "nothing at /score: 9"),
        ('{"data": []}', "/data/0/score", 'nothing at /data/0/score: {"data":[]}'),
        ('{"data": [1]}', "/data/x", 'nothing at /data/x: {"data":[1]}'),
    ],
)  # fmt: skip
def test_a_reply_is_a_number_or_words_about_what_is_there(
    reply: str, pointer: str, text: str
) -> None:
    [completion] = read_reward(reply.encode(), pointer).completions
    assert completion.text == text


@given(st.recursive(st.none() | st.booleans() | st.text() | st.floats() | st.integers(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
       st.sampled_from(["", "/score", "/0", "/data/0/score", "/-1"]))  # fmt: skip
def test_only_a_json_number_where_it_is_wanted_can_be_read_as_one(reply: Any, pointer: str) -> None:
    """Whatever else a server says, and wherever: its words are no number."""
    raw = json.dumps(reply).encode()
    if isinstance(reply, dict) and reply.get("error"):
        return
    [completion] = read_reward(raw, pointer).completions
    if number_of(completion.text) is not None:
        found = reply
        for step in pointer.split("/")[1:]:
            found = found[step] if isinstance(found, dict) else found[int(step)]
        while isinstance(found, list):
            [found] = found
        assert type(found) in (int, float)
        assert float(found) == float(str(completion.text))


def test_the_usage_is_the_servers() -> None:
    usage = {"prompt_tokens": 12, "total_tokens": 12, "completion_tokens": 0}
    reply = read_reward(json.dumps({"score": 1, "usage": usage}).encode(), "/score")
    assert reply.usage is not None
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (12, 0)
    assert read_reward(b'{"score": 1}', "/score").usage is None


@pytest.mark.parametrize("raw", [b"", b"<html>", b'{"error": {"message": "busy"}}'])
def test_what_is_no_reply_may_pass(raw: bytes) -> None:
    with pytest.raises(TransientError):
        read_reward(raw, "/score")
