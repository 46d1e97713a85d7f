"""A recipe's model that a vLLM server of the build's own runs; a stand-in speaks for vLLM here."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.backend import REWARDING, Request, Sampling
from pipelines.backends.vllm_server import VllmServer
from pipelines.calls.dispatch import Dispatcher
from pipelines.calls.meter import Meter
from pipelines.errors import FatalError, RecipeError
from pipelines.part import Where, load_part
from schemas.rows import Message
from tests.pipelines.serving.conftest import Fake

SEEN = "a3f9c1" + "0" * 34


def load(root: Path, **fields: Any) -> VllmServer:
    table = {"kind": "vllm_server", "name": "policy", "model": "tiny"} | fields
    made = load_part("backends", table, Where("r.toml", "models.policy", root))
    assert isinstance(made, VllmServer)
    return made


def ask(text: str, n: int = 1, seed: int | None = 7) -> Request:
    return Request((Message("user", text),), None, Sampling(), n, seed)


def write_python(root: Path, version: str) -> Path:
    """A Python that has this vLLM."""
    path = root / f"python-{version}"
    path.write_text(f"#!/bin/sh\necho vllm {version}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def served(tmp_path: Path, fake: Fake, model_folder: Path) -> VllmServer:
    """A model behind the stand-in."""
    return load(tmp_path, command=fake.command, identity="fake", engine={"max_num_seqs": 4})


async def test_samples_of_a_prompt_are_one_request(
    served: VllmServer, fake: Fake, ended: Callable[[list[int]], bool]
) -> None:
    meter = Meter()
    async with Dispatcher({"policy": served}, meter, folder=Path()) as dispatcher:
        assert not fake.starts, "the first call starts the server"
        replies = await asyncio.gather(
            *(dispatcher.call(served, ask(text, n=3)) for text in ("a", "b"))
        )
    assert [one.text for one in replies[0].completions] == ["a 7 0", "a 7 1", "a 7 2"]
    assert [(request["n"], request["model"]) for request in fake.requests] == [(3, "tiny")] * 2
    assert len(fake.starts) == 1
    assert ended(fake.pids())
    assert list(meter.engines) == [served.endpoint()]
    [words] = meter.engines.values()
    assert "prefix cache 75 % of 200 prompt tokens; 2 preemptions" in words
    assert not meter.jobs


async def test_a_reward_model_is_asked_at_the_endpoint_that_it_names(
    tmp_path: Path, fake: Fake, model_folder: Path
) -> None:
    asked = Request((Message("user", "Q"), Message("assistant", "1234")), None, REWARDING, 1, 7)
    table = {"command": fake.command, "identity": "fake"}
    models = {way: load(tmp_path, **table, reward=way, name=way) for way in ("pooling", "score")}
    async with Dispatcher(models, Meter(), folder=Path()) as dispatcher:
        replies = [await dispatcher.call(model, asked) for model in models.values()]
    assert [reply.completions[0].text for reply in replies] == ["4.0", "-4.0"]
    assert len(fake.starts) == 1, "they are one engine"
    assert [request["model"] for request in fake.requests] == ["tiny", "tiny"]


async def test_a_build_that_calls_nothing_starts_nothing(served: VllmServer, fake: Fake) -> None:
    async with Dispatcher({"policy": served}, Meter()):
        pass
    assert not fake.starts


async def test_two_models_of_one_engine_share_a_server_and_a_window(
    tmp_path: Path, fake: Fake, model_folder: Path
) -> None:
    table = {"command": fake.command, "identity": "fake"}
    policy, judge = load(tmp_path, **table), load(tmp_path, **table, name="judge")
    other = load(tmp_path, **table, env={"CUDA_VISIBLE_DEVICES": "1"}, name="other")
    assert policy.endpoint() == judge.endpoint() != other.endpoint()
    models = {"policy": policy, "judge": judge, "other": other}
    async with Dispatcher(models, Meter()) as dispatcher:
        await asyncio.gather(*(dispatcher.call(model, ask("x")) for model in models.values()))
    assert sorted(str(start["cuda"]) for start in fake.starts) == ["1", "None"]


async def test_a_server_that_dies_stops_the_build_and_says_why(
    served: VllmServer, fake: Fake, ended: Callable[[list[int]], bool]
) -> None:
    fake.behave("fail")
    async with Dispatcher({"policy": served}, Meter(), backoff_s=0.2) as dispatcher:
        with pytest.raises(FatalError, match=r"server ended .*: RuntimeError: no such head"):
            await dispatcher.call(served, ask("x"))
    assert ended(fake.pids())


async def test_what_cannot_start_is_not_tried_again(served: VllmServer, fake: Fake) -> None:
    fake.behave("die")
    async with Dispatcher({"policy": served}, Meter()) as dispatcher:
        calls = [dispatcher.call(served, ask(text)) for text in "abc"]
        failures = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(failure) for failure in failures} == {FatalError}
    assert "unrecognized arguments: --no-such-thing" in str(failures[0])


async def test_a_cancelled_build_ends_the_server(
    served: VllmServer, fake: Fake, ended: Callable[[list[int]], bool]
) -> None:
    fake.behave("never")

    async def build() -> None:
        async with Dispatcher({"policy": served}, Meter()) as dispatcher:
            await dispatcher.call(served, ask("x"))

    building = asyncio.ensure_future(build())
    await fake.started()
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    assert ended(fake.pids())


def test_the_window_keeps_the_engine_full(tmp_path: Path, model_folder: Path) -> None:
    assert load(tmp_path, engine={"max_num_seqs": 64}).window == 80
    assert load(tmp_path).window == 1280
    assert load(tmp_path, window=3).window == 3


def test_who_answers_is_the_weights_the_engine_and_the_version(
    tmp_path: Path, model_folder: Path
) -> None:
    pythons = {version: str(write_python(tmp_path, version)) for version in ("0.32.0", "0.33.0")}
    plain = load(tmp_path, python=pythons["0.32.0"])
    identity = plain.model_identity()
    assert identity.startswith("vllm 0.32.0 sha256:")
    same = {"python": pythons["0.32.0"]}
    (tmp_path / "elsewhere").mkdir()
    where_it_lies = load(tmp_path / "elsewhere", model="../tiny", **same)
    faster = load(tmp_path, engine={"tensor_parallel_size": 2}, env={"A": "b"}, window=2, **same)
    assert (where_it_lies.model_identity(), where_it_lies.model) == (identity, "tiny")
    assert faster.model_identity() == identity
    (tmp_path / "t.jinja").write_text("{{ messages }}")
    others = [
        load(tmp_path, python=pythons["0.33.0"]),
        load(tmp_path, engine={"dtype": "float16"}, **same),
        load(tmp_path, engine={"chat_template": "t.jinja"}, **same),
        load(tmp_path, system_role="user", **same),
        load(tmp_path, omit=("seed",), **same),
    ]
    assert len({identity, *(other.model_identity() for other in others)}) == 6
    (model_folder / "model.safetensors").write_bytes(b"abd")
    assert load(tmp_path, **same).model_identity() != identity


def test_a_model_of_the_hub_is_known_by_its_commit(tmp_path: Path) -> None:
    python = str(write_python(tmp_path, "0.32.0"))
    made = load(tmp_path, model="Qwen/Qwen3-8B", revision=SEEN, python=python)
    assert made.model_identity() == f"vllm 0.32.0 Qwen/Qwen3-8B@{SEEN}"
    assert made.launch.command[1:7] == (
        *("-m", "vllm.entrypoints.openai.api_server"),
        *("--model", "Qwen/Qwen3-8B", "--revision", SEEN),
    )


def test_a_declared_identity_needs_neither_weights_nor_vllm_at_hand(
    tmp_path: Path, model_folder: Path
) -> None:
    made = load(tmp_path, identity="who", python="/no/such/python")
    assert made.model_identity() == "who"
    assert made.endpoint().startswith("vllm:tiny#")


def test_a_missing_vllm_is_told_with_the_command_that_makes_it(
    tmp_path: Path, model_folder: Path
) -> None:
    with pytest.raises(RecipeError, match=r"\[models.policy\]: /no.*sh tools/vllm_env.sh"):
        load(tmp_path, python="/no/such/python").model_identity()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": "./tinny"}, "model: .*tinny: no such folder"),
        ({"model": "org/name"}, "revision: .*name its commit"),
        ({"model": "org/name", "revision": "main"}, "revision: .*a branch or tag would move"),
        ({"revision": SEEN}, "revision: .* is a folder, which has no commits"),
        ({"model": "nobody"}, "revision: .*nobody is no folder"),
        ({"engine": {"chat_template": "no.jinja"}}, "engine.chat_template: .*no such file"),
        ({"command": ("docker",)}, "identity: a command of your own says nothing"),
        ({"engine": {"dtyp": "x"}}, 'engine.dtyp: no such key "dtyp"; did you mean "dtype"'),
    ],
)
def test_a_table_that_cannot_be_right_is_refused(
    tmp_path: Path, model_folder: Path, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        load(tmp_path, **fields)
