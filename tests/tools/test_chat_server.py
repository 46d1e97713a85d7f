import http.client
import json
import re
import socket
import struct
import urllib.error
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from openai.types.chat import ChatCompletion

from tools.chat_server import OPTIONS, ChatServer


@pytest.fixture(scope="module")
def running() -> Iterator[ChatServer]:
    with ChatServer(seed=3) as server:
        yield server


@pytest.fixture
def server(running: ChatServer) -> ChatServer:
    """The server as it was started."""
    running.set(
        **{name: value for name, value in OPTIONS.items() if name != "latency_ms"} | {"seed": 3}
    )
    running.set(latency_ms=[0])
    running.reset()
    return running


def body_of(text: str = "Hello", n: int = 1) -> bytes:
    messages = [{"role": "user", "content": text}]
    return json.dumps({"model": "m", "messages": messages, "n": n}).encode()


def post(server: ChatServer, body: bytes, **headers: str) -> tuple[int, Any]:
    """Status and reply; None where the answer is broken off or missing."""
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    try:
        connection.request("POST", "/v1/chat/completions", body, headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (http.client.HTTPException, ConnectionError):
        return 0, None
    finally:
        connection.close()


def texts(reply: dict[str, Any]) -> list[str]:
    return [choice["message"]["content"] for choice in reply["choices"]]


def test_an_answer_is_a_chat_completion_and_depends_on_seed_and_body_alone(
    server: ChatServer,
) -> None:
    first = post(server, body_of(n=4))
    ChatCompletion.model_validate(first[1])
    post(server, body_of("Something else"))
    assert post(server, body_of(n=4)) == first
    with ChatServer(seed=3) as twin, ChatServer(seed=4) as other:
        assert post(twin, body_of(n=4)) == first
        assert post(other, body_of(n=4)) != first


def test_choices_differ_in_content_and_length(server: ChatServer) -> None:
    answers = texts(post(server, body_of(n=8))[1])
    assert len({len(answer) for answer in answers}) > 4


@pytest.mark.parametrize("key", ["max_tokens", "max_completion_tokens"])
def test_an_answer_keeps_to_its_longest_length(server: ChatServer, key: str) -> None:
    asked = json.loads(body_of(n=30)) | {key: 100}
    _, reply = post(server, json.dumps(asked).encode())
    ends = {
        (len(one["message"]["content"]) >= 400, one["finish_reason"]) for one in reply["choices"]
    }
    assert ends == {(True, "length"), (False, "stop")}
    assert max(map(len, texts(reply))) == 400
    assert reply["usage"]["completion_tokens"] <= 30 * 100


def test_judgments_end_in_a_rating_or_a_verdict(server: ChatServer) -> None:
    rated = texts(post(server, body_of("End with the line `Rating: N`", n=100))[1])
    compared = texts(post(server, body_of("End with the line `Verdict: A`", n=100))[1])
    ratings = {int(re.search(r"\n\nRating: (\d+)\Z", text)[1]) for text in rated}  # type: ignore[index]
    verdicts = {re.search(r"\n\nVerdict: (\w+)\Z", text)[1] for text in compared}  # type: ignore[index]
    assert ratings == set(range(1, 11))
    assert verdicts == {"A", "B", "tie"}


def test_a_bad_judge_says_nothing_readable(server: ChatServer) -> None:
    server.set(bad_judge=0.3)
    rated = texts(post(server, body_of("Rating:", n=128))[1])
    assert 20 <= sum("Rating:" not in text for text in rated) <= 58
    server.set(bad_judge=1)
    assert not any("Rating:" in text for text in texts(post(server, body_of("Rating:", n=50))[1]))


def statuses(server: ChatServer, attempts: int) -> list[int]:
    return [post(server, body_of())[0] for _ in range(attempts)]


def test_failures_depend_on_seed_body_and_attempt(server: ChatServer) -> None:
    server.set(e500=0.2, e429=0.2, drop=0.1, truncate=0.1)
    first = statuses(server, 40)
    assert set(first) == {0, 200, 429, 500}
    server.reset()
    assert statuses(server, 40) == first


def test_a_400_depends_on_the_body_and_never_passes(server: ChatServer) -> None:
    server.set(e400=0.5)
    bodies = [body_of(str(number)) for number in range(20)]
    once = [post(server, body)[0] for body in bodies]
    assert set(once) == {200, 400}
    assert [post(server, body)[0] for body in bodies] == once


def test_stats_count_attempts_bodies_and_what_was_paid_twice(server: ChatServer) -> None:
    for body in (body_of("a", n=3), body_of("b"), body_of("a", n=3), body_of("a", n=3)):
        post(server, body)
    server.set(e500=1)
    post(server, body_of("b"))
    stats = server.stats()
    span = stats.pop("span_s")
    assert 0 < stats.pop("waited_s") <= span + 1e-9
    assert stats == {
        "requests": 5,
        "unique_bodies": 2,
        "duplicate_bodies": 3,
        "statuses": {"200": 4, "500": 1},
        "completions": 10,
        "paid_twice": 6,
        "in_flight": 0,
        "max_in_flight": 1,
        "prompt_characters": 0,
        "cached_characters": 0,
    }
    server.reset()
    assert server.stats()["requests"] == 0


def test_prompts_that_begin_alike_are_counted_by_blocks(server: ChatServer) -> None:
    server.set(prefixes=True)
    post(server, body_of("x" * 100))
    post(server, body_of("x" * 130))
    stats = server.stats()
    assert stats["prompt_characters"] == 2 * len("user: ") + 230
    assert stats["cached_characters"] == 64


def test_a_letter_is_answered_to_a_body_that_asks_for_one(server: ChatServer) -> None:
    _, reply = post(server, body_of("(A) or (B)? Reply with the letter alone.", n=8))
    assert set(texts(reply)) <= {"A", "B"}


def test_a_hanging_attempt_is_closed_unpaid(server: ChatServer) -> None:
    server.set(hang=1, hang_s=0.05)
    assert post(server, body_of()) == (0, None)
    assert server.stats()["completions"] == 0
    assert server.stats()["statuses"] == {"hang": 1}


def test_options_shape_the_reply(server: ChatServer) -> None:
    server.set(max_n=2, no_usage=True, echo_key=True)
    _, reply = post(server, body_of(n=5), Authorization="Bearer sk-1")
    assert len(reply["choices"]) == 2
    assert "usage" not in reply
    assert all(text.startswith("sk-1 ") for text in texts(reply))


def test_too_many_requests_in_a_second_are_refused(server: ChatServer) -> None:
    server.set(rps=5)
    assert 429 in statuses(server, 40)


def test_bodies_may_come_in_chunks_and_pieces(server: ChatServer) -> None:
    whole = post(server, body_of("Hello " * 99))
    half = len(body_of("Hello " * 99)) // 2
    body = body_of("Hello " * 99)
    chunks = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (
        half,
        body[:half],
        len(body) - half,
        body[half:],
    )
    request = b"POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        for at in range(0, len(request), 97):
            connection.sendall(request[at : at + 97])
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert json.loads(answer.read()) == whole[1]


def test_a_connection_is_kept_for_the_next_request(server: ChatServer) -> None:
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    connection.connect()
    socket_before = connection.sock
    for number in range(3):
        connection.request("POST", "/v1/chat/completions", body_of(str(number)))
        assert connection.getresponse().read()
    assert connection.sock is socket_before
    connection.close()


@pytest.mark.parametrize("reset", [False, True])
def test_clients_that_leave_are_no_error(reset: bool, capfd: pytest.CaptureFixture[str]) -> None:
    body = body_of()
    request = b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b"
    with ChatServer(latency_ms=(100,)) as server:
        address = urlsplit(server.url)
        for outcome in ("", "truncate", "e429"):
            if outcome:
                server.set(**{outcome: 1})
            with socket.create_connection((address.hostname, address.port)) as connection:
                connection.sendall(request % (len(body), body))
                while not server.stats()["in_flight"]:
                    pass
                if reset:
                    at_once = struct.pack("ii", 1, 0)
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            while server.stats()["in_flight"]:
                pass
        assert server.stats()["statuses"] == {"200": 1, "truncate": 1, "429": 1}
    assert capfd.readouterr().err == ""


def test_a_body_that_is_no_chat_request_is_400(server: ChatServer) -> None:
    assert post(server, b"{no json")[0] == 400
    assert post(server, b"{}")[0] == 400


def test_an_unknown_path_is_404(server: ChatServer) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404") as refused:
        server.get("/nothing")
    refused.value.close()


def test_a_server_that_cannot_start_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="did not start"), ChatServer(no_such_option=1):
        pass
    assert "no-such-option" in capfd.readouterr().err
