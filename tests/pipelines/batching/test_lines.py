import json
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from pipelines.backend import Request, Sampling
from pipelines.batching.lines import id_of, make_custom_id, read_line, request_line
from pipelines.errors import BackendError, FatalError, RequestRefused, TransientError
from pipelines.wire.body import request_body
from schemas.rows import Message

REPLY = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 0,
    "model": "m",
    "choices": [
        {"index": index, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        for index, text in enumerate(["Four.", "Five."])
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
}
ASKING = Request((Message("user", 'How "much"?\n'),), None, Sampling(max_tokens=5), 2, 7)


def line(status: int, body: Any, error: Any = None, custom_id: str = "a1") -> bytes:
    response = {"status_code": status, "request_id": "r", "body": body}
    return json.dumps({"custom_id": custom_id, "response": response, "error": error}).encode()


def refusal(message: str, **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", **fields}}


def test_a_line_holds_the_body_that_would_be_sent_online() -> None:
    body = request_body(ASKING, "m")
    asked = json.loads(request_line("a1", body))
    assert asked.pop("body") == json.loads(body)
    assert asked == {"custom_id": "a1", "method": "POST", "url": "/v1/chat/completions"}
    assert request_line("a1", body).count(b"\n") == 1


def test_an_id_tells_apart_who_answers_what_is_asked_and_which_sample_it_is() -> None:
    ids = {
        make_custom_id(identity, first, body)
        for identity in ("one", "two")
        for first in (0, 4)
        for body in (b"{}", b'{"n":2}')
    }
    assert len(ids) == 8
    assert make_custom_id("one", 0, b"{}") in ids
    assert all(len(one) == 32 for one in ids)


def test_a_result_is_read_as_its_reply_would_be_at_the_batch_price() -> None:
    ChatCompletion.model_validate(REPLY)
    reply = read_line(line(200, REPLY), asked=2)
    assert [one.text for one in reply.completions] == ["Four.", "Five."]
    assert reply.usage is not None
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (9, 4)
    assert reply.usage.batch
    assert len(read_line(line(200, REPLY), asked=1).completions) == 1


def test_a_reply_without_usage_is_read_without() -> None:
    assert read_line(line(200, {**REPLY, "usage": None}), asked=2).usage is None


@pytest.mark.parametrize(
    ("result", "wanted", "said"),
    [
        (line(400, refusal("too long")), RequestRefused, "HTTP 400: too long"),
        (line(429, refusal("slow down")), TransientError, "slow down"),
        (line(500, refusal("sorry")), TransientError, "sorry"),
        (line(0, None), TransientError, "status 0"),
        (line(200, "no object"), TransientError, "status 200"),
        (line(200, {"choices": []}), TransientError, "no choices"),
        (line(404, refusal("no such model")), FatalError, "no such model"),
        (line(401, refusal("wrong key")), FatalError, "wrong key"),
        (
            line(400, refusal("not taken", code="unsupported_value", param="temperature")),
            FatalError,
            'omit = ["temperature"]',
        ),
        (
            b'{"custom_id":"a","response":null,"error":{"code":"lost","message":"sorry"}}',
            TransientError,
            "sorry",
        ),
        (b'{"custom_id":"a","response":null,"error":null}', TransientError, "no response"),
        (b"[]", TransientError, "no response"),
        (b'{"custom_id": "a", "resp', TransientError, "not JSON"),
    ],
)
def test_a_line_without_a_reply_raises_what_the_answer_would_online(
    result: bytes, wanted: type[BackendError], said: str
) -> None:
    with pytest.raises(wanted) as raised:
        read_line(result, asked=1)
    assert type(raised.value) is wanted
    assert said in str(raised.value)


@pytest.mark.parametrize("nested", [True, False])
def test_an_error_of_vllm_stands_beside_a_response_without_a_body(nested: bool) -> None:
    said: Any = {"object": "error", "message": "too long", "type": "BadRequestError", "code": 400}
    with pytest.raises(RequestRefused, match="HTTP 400: too long") as raised:
        read_line(line(400, None, {"error": said} if nested else said), asked=1)
    assert raised.value.status == 400


def test_an_overload_of_the_providers_workers_does_not_shrink_the_window() -> None:
    with pytest.raises(TransientError) as raised:
        read_line(line(429, refusal("slow down")), asked=1)
    assert not raised.value.overload


@pytest.mark.parametrize(
    ("result", "found"),
    [
        (line(200, REPLY), "a1"),
        (b'{"custom_id": "a1", "response": "\xff"}', "a1"),
        (b'{"custom_id": 7}', None),
        (b"[]", None),
        (b"", None),
        (b"\n", None),
        (line(200, REPLY)[:-9], None),
        (b'{"custom_id": "a1", "response": null, "error": {"code": "lost"}}', "a1"),
        (b'{"custom_id": "a1", "response": null, "error": {"code": "batch_expired"}}', None),
        (b'{"custom_id": "a1", "response": null, "error": {"code": "batch_cancelled"}}', None),
    ],
)
def test_the_id_of_a_result_is_found_whatever_else_is_wrong(
    result: bytes, found: str | None
) -> None:
    assert id_of(result) == found
