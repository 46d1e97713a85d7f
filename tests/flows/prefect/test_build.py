"""The flow, deployed to a real Prefect server and run by a real worker, over HTTP."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.options.shipped_recipes import find_recipe
from pipelines.publishing.store import Store
from tests import builds
from tests.flows.prefect.conftest import POOL, Prefect, until
from tests.listing_server import listing
from tools.chat_server import ChatServer

ROOT = Path(__file__).parents[3]

CALLS = 1 + 4
"""Of one prompt: four answers in one reply, and a judgment of each."""

IN_THIS_PROCESS = """
import sys
from flows.sharding import shards as prefect_shards
from flows.build import build_dataset

prefect_shards.shard_task = prefect_shards.shard_task.with_options(retry_delay_seconds=0)
state = build_dataset("recipe.toml", "store", sys.argv[2:], int(sys.argv[1]), return_state=True)
print(state.type.value, state.message)
"""
"""The flow without a worker, and without waiting before it tries again."""


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


@pytest.fixture
def trial(tmp_path: Path, server: ChatServer) -> Path:
    builds.write_questions(tmp_path, range(30))
    builds.write_recipe(tmp_path, builds.OVER_HTTP.format(url=server.url))
    return tmp_path


def deploy(prefect: Prefect, folder: Path, name: str) -> str:
    """Deploys the recipe in `folder`, named by relative paths."""
    where = ["recipe.toml", "--store", "store", "--pool", POOL, "--name", name, "--shards", "3"]
    prefect.python("-m", "flows.schedule", *where, "--cron", "0 2 * * *", cwd=folder)
    return name


def digests(folder: Path) -> list[str]:
    return [one.manifest.content_digest for one in Store(folder / "store").versions("trial")]


def test_a_deployed_recipe_is_published_and_only_what_is_new_costs_anything(
    worker: Prefect, trial: Path, server: ChatServer
) -> None:
    plain, _ = builds.run(trial, store="plain")
    sums = deploy(worker, trial, "sums")
    schedules = worker.ask(f"deployments/name/build-dataset/{sums}")["schedules"]
    assert [one["schedule"]["cron"] for one in schedules] == ["0 2 * * *"]

    server.reset()
    server.set(latency_ms=[10, 40])
    run = worker.start(sums)
    state = worker.ended(run)
    assert (state["type"], state["message"][:20]) == ("COMPLETED", "published trial@v000")
    assert plain.manifest is not None
    assert digests(trial) == [plain.manifest.content_digest]
    served = server.stats()
    assert served["requests"] == 30 * CALLS
    assert served["max_in_flight"] <= 8  # the window of one build, in three shards
    shown = worker.artifacts(run)
    assert shown.keys() == {"markdown", "table", "progress"}
    assert "prompts.1" in shown["markdown"]  # the funnel
    assert str(trial / "store" / "datasets" / "trial" / "v0001") in shown["markdown"]
    assert "policy" in shown["table"] and "critic" in shown["table"]
    assert float(shown["progress"]) == 100

    server.reset()
    state = worker.ended(worker.start(sums))
    assert (state["type"], state["message"]) == ("COMPLETED", "nothing new: equal to trial@v0001")
    assert server.stats()["requests"] == 0
    assert len(digests(trial)) == 1

    builds.write_questions(trial, range(80))
    state = worker.ended(worker.start(sums))
    assert state["type"] == "COMPLETED", state["message"]
    assert server.stats()["requests"] == 50 * CALLS
    assert len(digests(trial)) == 2


def cancel(prefect: Prefect, run: str, folder: Path) -> None:
    prefect.cancel(run)


def kill(prefect: Prefect, run: str, folder: Path) -> None:
    (staging,) = (folder / "store" / "tmp").iterdir()
    os.kill(int(staging.name.split("-")[-2]), signal.SIGKILL)


@pytest.mark.parametrize(
    ("end", "state", "lost"), [(cancel, "CANCELLED", 0), (kill, "CRASHED", 8 * 4)]
)
def test_a_run_that_is_stopped_resumes_and_pays_only_the_rest(
    worker: Prefect,
    trial: Path,
    server: ChatServer,
    end: Callable[[Prefect, str, Path], None],
    state: str,
    lost: int,
) -> None:
    stopped = deploy(worker, trial, state.lower())
    server.set(latency_ms=[200, 300])
    run = worker.start(stopped)
    until(lambda: server.stats()["completions"] > 40 or worker.last_state(run), 60)
    assert worker.last_state(run) is None
    end(worker, run, trial)
    assert worker.ended(run)["type"] == state
    until(lambda: server.stats()["in_flight"] == 0, 10)
    assert server.stats()["completions"] < 30 * 8

    server.set(latency_ms=[0, 0])
    last = worker.ended(worker.start(stopped))
    assert last["type"] == "COMPLETED", last["message"]
    served = server.stats()
    assert served["completions"] - served["paid_twice"] == 30 * 8
    assert served["paid_twice"] <= lost  # what was in flight when it was killed
    assert not list((trial / "store" / "tmp").iterdir())


def in_this_process(prefect: Prefect, folder: Path, shards: int, *overrides: str) -> str:
    """The last state of the flow, and its message."""
    return prefect.python("-c", IN_THIS_PROCESS, str(shards), *overrides, cwd=folder)


def test_a_gate_that_fails_fails_the_run_with_its_reasons(prefect: Prefect, trial: Path) -> None:
    said = in_this_process(prefect, trial, 2, "gates.min_pairs=1000")
    assert said.startswith("FAILED not published: ")
    assert "min_pairs is 1000" in said
    (refused,) = (trial / "store" / "refused" / "trial").iterdir()
    assert f"evidence: {refused}" in said


def test_a_judge_that_was_never_checked_fails_the_run_before_anything_is_paid(
    prefect: Prefect, trial: Path, server: ChatServer
) -> None:
    said = in_this_process(prefect, trial, 2, "gates.judge_accuracy='>= 0.7'")
    assert said.startswith("FAILED not published: judge rating: was never checked")
    (refused,) = (trial / "store" / "refused" / "trial").iterdir()
    assert f"evidence: {refused}" in said
    assert server.stats()["requests"] == 0


ONE_TRY = ("models.policy.max_tries=1", "models.critic.max_tries=1")


def test_a_shard_with_owed_calls_is_run_again(
    prefect: Prefect, trial: Path, server: ChatServer
) -> None:
    server.set(drop=0.05)
    assert in_this_process(prefect, trial, 3, *ONE_TRY).startswith("COMPLETED published")
    served = server.stats()
    assert served["statuses"]["drop"] > 0
    assert served["completions"] == 30 * 8
    assert served["paid_twice"] == 0


def test_calls_that_stay_owed_fail_the_run_and_say_how_many(
    prefect: Prefect, trial: Path, server: ChatServer
) -> None:
    server.set(drop=1)
    said = in_this_process(prefect, trial, 2, *ONE_TRY)
    assert said.startswith("FAILED not published: 30 prompts owe calls")
    assert "Run it again to go on." in said


def test_shards_share_one_budget_and_what_one_leaves_the_others_spend(
    prefect: Prefect, trial: Path, server: ChatServer
) -> None:
    said = in_this_process(prefect, trial, 3, "budget.calls=100")
    assert said.startswith("FAILED not published")
    assert server.stats()["requests"] == 100
    said = in_this_process(prefect, trial, 3, "budget.calls=100")
    assert said.startswith("COMPLETED published")
    assert server.stats()["requests"] == 30 * CALLS


def test_rounds_of_shards_draw_what_the_rounds_of_a_plain_build_draw(
    prefect: Prefect, trial: Path, server: ChatServer
) -> None:
    wanted = ("exactly.pairs=6", "exactly.prompts_per_round=8")
    plain, _ = builds.run(trial, *wanted, store="plain")
    calls = server.stats()["requests"]
    assert 0 < calls < 30 * CALLS
    server.reset()
    said = in_this_process(prefect, trial, 3, *wanted, f"budget.calls={calls}")
    assert said.startswith("COMPLETED published trial@v0001: 6 pairs")
    assert server.stats()["requests"] == calls
    assert plain.manifest is not None
    assert digests(trial) == [plain.manifest.content_digest]
    short = in_this_process(prefect, trial, 2, "exactly.pairs=1000")
    assert short.startswith("FAILED not published: 1,000 pairs are wanted, and 30 prompts")


def test_a_key_is_wanted_where_something_is_to_be_paid_and_only_there(
    prefect: Prefect, trial: Path, server: ChatServer
) -> None:
    keyed = "models.critic.api_key_env=NOBODYS_KEY"
    told = "[models.critic]: api_key_env: the environment variable NOBODYS_KEY is not set"
    said = in_this_process(prefect, trial, 3, keyed)
    assert said.startswith("FAILED")
    assert told in said
    assert server.stats()["requests"] == 0
    builds.run(trial)
    server.reset()
    assert in_this_process(prefect, trial, 3, keyed, "seed=4").startswith("COMPLETED published")
    assert server.stats()["requests"] == 0


def test_a_model_that_its_server_does_not_list_is_told_in_the_log_of_the_run(
    prefect: Prefect, trial: Path
) -> None:
    with listing() as server:
        there = f"models.policy.base_url={server.url}"
        said = in_this_process(prefect, trial, 1, there, "models.policy.model=small-instrct")
        assert said.startswith("FAILED not published")
        told = f"GET {server.url}/models: small-instrct is not listed -> did you mean"
    warned = prefect.ask("logs/filter", {"logs": {"level": {"ge_": 30}}})
    assert [one["level"] for one in warned if told in one["message"]] == [30]


def test_a_wrong_recipe_is_not_deployed(prefect: Prefect, trial: Path) -> None:
    builds.write_recipe(trial, "name = 'no sources'\n")
    with pytest.raises(AssertionError, match=r"error: .*recipe\.toml"):
        deploy(prefect, trial, "wrong")


def test_the_deployment_of_prefect_yaml_can_be_made(prefect: Prefect, tmp_path: Path) -> None:
    shutil.copy(ROOT / "prefect.yaml", tmp_path)
    (tmp_path / "flows").symlink_to(ROOT / "flows")
    prefect.ask("work_pools/", {"name": "pairwright", "type": "process"})
    prefect.python("-m", "prefect", "--no-prompt", "deploy", "--name", "nightly", cwd=tmp_path)
    made = prefect.ask("deployments/name/build-dataset/nightly")
    assert made["schedules"][0]["schedule"]["cron"] == "0 2 * * *"
    assert made["pull_steps"][0]["prefect.deployments.steps.set_working_directory"] == {
        "directory": str(tmp_path)
    }
    assert find_recipe(made["parameters"]["recipe"]).is_file()


def test_a_plain_build_imports_no_prefect(prefect: Any, trial: Path) -> None:
    build = "main(['build', 'recipe.toml', '--store', 'store', '--yes'])"
    code = f"import sys; from flows.cli import main; {build}; print('prefect' in sys.modules)"
    assert prefect.python("-c", code, cwd=trial).splitlines()[-1] == "False"
