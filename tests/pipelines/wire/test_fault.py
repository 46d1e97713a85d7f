import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from pipelines.errors import BackendError, FatalError, RequestRefused, TransientError
from pipelines.wire.fault import Said, fault, read_error, retry_after

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
SAID = Said("no")


def fault_of(status: int, said: Said = SAID) -> BackendError:
    return fault(status, {}, said, NOON)


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 520, 529, 599])
def test_what_may_pass_is_transient(status: int) -> None:
    error = fault_of(status)
    assert isinstance(error, TransientError)
    assert error.overload == (status in (429, 503, 529))
    assert error.broke_off == (status in (502, 504))


@pytest.mark.parametrize("status", [301, 307, 401, 402, 403, 404, 405, 407, 410])
def test_what_is_about_the_endpoint_is_fatal(status: int) -> None:
    assert isinstance(fault_of(status), FatalError)


@pytest.mark.parametrize("status", [400, 406, 413, 414, 415, 422, 451])
def test_any_other_4xx_refuses_this_request_alone(status: int) -> None:
    error = fault_of(status)
    assert isinstance(error, RequestRefused)
    assert error.status == status
    assert "no" in str(error)


def test_an_exhausted_quota_is_fatal() -> None:
    body = {
        "error": {"message": "You exceeded your quota", "type": "insufficient_quota", "code": None}
    }
    error = fault_of(429, read_error(json.dumps(body).encode()))
    assert isinstance(error, FatalError)
    assert "balance" in str(error)


@pytest.mark.parametrize(
    ("param", "remedy"),
    [
        ("max_tokens", 'max_tokens_field = "max_completion_tokens"'),
        ("messages[0].role", 'system_role = "user"'),
        ("n", "max_n = 1"),
        ("temperature", 'omit = ["temperature"]'),
        ("surprise", "omit = [...]"),
    ],
)
def test_a_parameter_that_the_model_does_not_take_is_fatal_and_says_what_helps(
    param: str, remedy: str
) -> None:
    error = fault_of(400, Said("Unsupported", "unsupported_parameter", param))
    assert isinstance(error, FatalError)
    assert remedy in str(error)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"error": {"message": "bad"}}', "bad"),
        (b'{"error": "bad"}', "bad"),
        (b'{"object": "error", "message": "bad"}', "bad"),
        (b'{"detail": "bad"}', "bad"),
        (b"bad gateway", "bad gateway"),
        (b"\xff", "\ufffd"),
        (b"", ""),
        (b"[]", "[]"),
    ],
)
def test_the_servers_message_is_found_in_the_usual_shapes(raw: bytes, message: str) -> None:
    assert read_error(raw).message == message


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "2"}, 2.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "7", "retry-after-ms": "1500"}, 1.5),
        ({"Retry-After": format_datetime(NOON + timedelta(seconds=90), usegmt=True)}, 90.0),
        ({"Retry-After": format_datetime(NOON - timedelta(seconds=90), usegmt=True)}, 0.0),
        ({"Retry-After": "inf"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "tomorrow"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
)
def test_retry_after_is_seconds_a_date_or_unknown(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, NOON) == seconds


def test_the_wait_that_the_server_asks_for_is_passed_on() -> None:
    error = fault(503, {"Retry-After": "4"}, Said("busy"), NOON)
    assert isinstance(error, TransientError)
    assert error.retry_after == 4.0
