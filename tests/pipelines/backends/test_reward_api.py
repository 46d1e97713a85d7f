"""Reward models behind real HTTP servers on loopback: what they are asked, and what comes back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pipelines.backend import AS_THE_MODEL, REWARDING, SCORING, Backend, Request
from pipelines.backends.reward_api import RewardApi
from pipelines.calls.budget import Budget, worst_case
from pipelines.errors import FatalError, RecipeError, RequestRefused, TransientError
from pipelines.health.endpoint import check_model
from pipelines.part import Where, load_part
from schemas.rows import Message
from tests.reward_server import RewardServer

WHERE = Where("r.toml", "[models.rm]", Path())
ASKED = Request((Message("user", "2+2?"), Message("assistant", "4")), None, REWARDING, 1, 7)


def load(kind: str = "reward_api", **fields: Any) -> Backend:
    table = {"kind": kind, "name": "rm", "base_url": "http://127.0.0.1:1", "identity": "rm@1"}
    backend = load_part("backends", table | fields, WHERE)
    assert isinstance(backend, Backend)
    return backend


@asynccontextmanager
async def opened(server: RewardServer, **fields: Any) -> AsyncIterator[Backend]:
    backend = load(base_url=server.url, **fields)
    await backend.open()
    try:
        yield backend
    finally:
        await backend.close()


async def test_vllm_is_asked_at_pooling_byte_for_byte() -> None:
    with RewardServer() as server:
        async with opened(server, model="org/rm") as backend:
            reply = await backend.complete(ASKED)
    [(path, body)] = server.asked
    assert path == "/pooling"
    assert body == (
        b'{"model":"org/rm","messages":[{"role":"user","content":"2+2?"},'
        b'{"role":"assistant","content":"4"}],"use_activation":false}'
    )
    [completion] = reply.completions
    assert (completion.text, completion.prompt_tokens) == ("0.125", 2)
    assert reply.usage is not None


async def test_vllm_is_asked_at_score_byte_for_byte() -> None:
    with RewardServer(lambda body: {"data": [{"index": 0, "score": -0.1}]}) as server:
        async with opened(server, protocol="score") as backend:
            [completion] = (await backend.complete(ASKED)).completions
    assert server.asked == [
        ("/score", b'{"model":"rm","text_1":"2+2?","text_2":"4","use_activation":false}')
    ]
    assert completion.text == "-0.1"


async def test_any_json_endpoint_is_told_by_its_body_and_where_the_number_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RM_KEY", "sk-a-very-secret-key")
    told = {
        "protocol": "json",
        "path": "/v2/predict",
        "body": {"inputs": {"question": "$prompt", "answer": "$response"}, "version": 3},
        "number": "/outputs/0/reward",
        "api_key_env": "RM_KEY",
    }
    with RewardServer(lambda body: {"outputs": [{"reward": 1e-7}]}) as server:
        async with opened(server, **told) as backend:
            [completion] = (await backend.complete(ASKED)).completions
    body = b'{"inputs":{"question":"2+2?","answer":"4"},"version":3}'
    assert server.asked == [("/v2/predict", body)]
    assert completion.text == "1e-07"


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, RequestRefused), (404, FatalError), (401, FatalError), (503, TransientError)],
)
async def test_a_failure_means_what_it_means_elsewhere(status: int, error: type[Exception]) -> None:
    with RewardServer(lambda body: (status, {"error": {"message": "no"}})) as server:
        async with opened(server) as backend:
            with pytest.raises(error, match=f"rm at {server.url}/pooling: HTTP {status}: no"):
                await backend.complete(ASKED)


def test_the_form_of_the_request_is_part_of_who_answers() -> None:
    asked = {"body": {"x": "$response"}, "number": "/y"}
    made = [
        load(),
        load(protocol="score"),
        load(protocol="json", **asked),
        load(protocol="json", **asked | {"number": "/z"}),
        load(protocol="json", **asked | {"body": {"z": "$response"}}),
        load(number="/data/0/data/-1"),
        load(system_role="user"),
    ]
    assert len({one.model_identity() for one in made}) == len(made)
    assert load().model_identity() == 'rm@1 {"reward":"pooling"}'
    elsewhere = load(base_url="http://127.0.0.1:2", window=2)
    assert elsewhere.model_identity() == load().model_identity()
    assert elsewhere.identity() == load().identity()


def test_an_address_is_who_answers_where_nothing_else_is_said() -> None:
    far = load(base_url="https://rm.example.com", identity="")
    assert far.model_identity() == 'https://rm.example.com/pooling {"reward":"pooling"}'


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"identity": ""}, "identity: .*says nothing about what serves there"),
        ({"protocol": "json", "number": "/a"}, 'body: protocol = "json" needs it'),
        ({"protocol": "json", "body": {"a": "$response"}}, 'number: protocol = "json" needs it'),
        ({"body": {"a": "$prompt"}}, "body: .*what would be judged"),
        ({"body": {"a": "$answer"}}, r'body: "\$answer" stands for nothing'),
        ({"number": "data.0"}, "number: a JSON pointer is wanted"),
        ({"protocol": "chat"}, "protocol: "),
        ({"base_url": "rm.example.com"}, "base_url: "),
        ({"base_url": "http://127.0.0.1:1/v1/"}, "base_url: .*lies beside /v1"),
    ],
)
def test_a_table_that_cannot_be_right_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        load(**fields)


def test_a_reward_model_is_asked_for_rewards_alone_and_nobody_else_is() -> None:
    load().check_sampling(REWARDING, WHERE)
    for sampling in (AS_THE_MODEL, SCORING):
        with pytest.raises(RecipeError, match=r"models.rm is a reward model: .*writes nothing"):
            load().check_sampling(sampling, WHERE)
    for kind, fields in (
        ("openai_api", {}),
        ("openai_api", {"scoring": "vllm"}),
        ("openai_batch", {}),
    ):
        with pytest.raises(RecipeError, match=r"models.rm is no reward model: .*reward_api"):
            load(kind, **fields).check_sampling(REWARDING, WHERE)


@pytest.mark.parametrize("kind", ["embedded", "vllm_server", "vllm_batch"])
def test_a_model_that_writes_gives_no_reward(kind: str) -> None:
    table = {"kind": kind, "name": "rm", "model": "policy"}
    backend = load_part("backends", table, WHERE)
    assert isinstance(backend, Backend)
    with pytest.raises(RecipeError, match=r"models.rm is no reward model"):
        backend.check_sampling(REWARDING, WHERE)


def test_a_vllm_server_may_serve_a_reward_model() -> None:
    table = {"kind": "vllm_server", "name": "rm", "model": "policy", "identity": "x"}
    made = {
        reward: load_part("backends", table | {"reward": reward}, WHERE)
        for reward in ("pooling", "score")
    }
    for reward, backend in made.items():
        assert isinstance(backend, Backend)
        backend.check_sampling(REWARDING, WHERE)
        with pytest.raises(RecipeError, match="is a reward model"):
            backend.check_sampling(AS_THE_MODEL, WHERE)
        assert backend.model_identity() == f'x {{"reward":"{reward}"}}'


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({}, "/v1/models"),
        ({"base_url": "http://127.0.0.1:1/v1/", "protocol": "score"}, "/v1/models"),
        ({"protocol": "json", "path": "/p", "body": {"x": "$response"}, "number": "/y"}, "/p"),
    ],
)
def test_the_doctor_looks_where_nothing_is_paid(fields: dict[str, Any], path: str) -> None:
    backend = load(**fields)
    assert isinstance(backend, RewardApi)
    assert backend.listing().place == f"http://127.0.0.1:1{path}"
    (found,) = check_model(backend)
    assert (found.status, found.help) == ("fault", "is the server running?")


async def test_the_doctor_is_content_with_an_endpoint_that_knows_post_alone() -> None:
    with RewardServer() as server:
        told = {"protocol": "json", "body": {"x": "$response"}, "number": "/y"}
        (found,) = check_model(load(base_url=server.url, **told))
    assert found.status == "ok"
    assert not server.asked, "no body was sent"


def test_a_budget_reserves_nothing_for_an_answer() -> None:
    worst = worst_case(load(prices={"input": 1.0, "output": 1000.0}), ASKED)
    assert worst.money == pytest.approx(worst.tokens / 1e6)
    Budget(tokens=10_000).check_model(load(), REWARDING, WHERE)
