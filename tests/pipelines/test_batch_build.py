"""Whole builds by batch jobs: the same as online, and nothing is paid twice whatever stops them."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterator
from itertools import count
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from pipelines.build import Outcome
from pipelines.calls.ledger import Ledger
from pipelines.planning.plan import make_plan
from pipelines.publishing.store import Store
from tests.batch_server import BatchServer
from tests.builds import OVER_HTTP, published, read, run, write_questions, write_recipe
from tools.chat_server import ChatServer

BY_BATCH = OVER_HTTP.replace("window = 8", "").replace(
    'kind = "openai_api"', 'kind = "openai_batch"\npoll_s = 0.02\ncollect_s = 0.2'
)
SAMPLING, JUDGING = 20, 80
"""Lines of the job with all samples, and of the one with all ratings."""
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.builds", "pipelines.backends.openai_batch"])


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, server: BatchServer) -> Path:
    """A recipe whose build takes a job of samples, and one of ratings."""
    write_questions(tmp_path, range(20))
    write_recipe(tmp_path, BY_BATCH.format(url=server.url))
    return tmp_path


@pytest.fixture(scope="module")
def digest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of the same build online."""
    folder = tmp_path_factory.mktemp("online")
    write_questions(folder, range(20))
    with ChatServer() as chat:
        write_recipe(folder, OVER_HTTP.format(url=chat.url))
        return digest_of(run(folder)[0])


def digest_of(outcome: Outcome) -> str:
    assert outcome.manifest is not None
    return outcome.manifest.content_digest


def sizes(server: BatchServer) -> list[int]:
    return [len(batch.lines) for batch in server.batches.values()]


def start(folder: Path, server: BatchServer) -> BaseProcess:
    """A build in a process that the server may kill, as its faults say."""
    child = FORKS.Process(target=run, args=(folder,))
    child.start()
    server.victim = child.pid  # long before the first request, which waits for `collect_s`
    return child


def started_and_killed(folder: Path, server: BatchServer) -> None:
    child = start(folder, server)
    child.join(60)
    assert child.exitcode == -signal.SIGKILL


def test_a_build_is_the_same_by_jobs_as_online(
    folder: Path, server: BatchServer, digest: str
) -> None:
    outcome, meter = run(folder)
    assert digest_of(outcome) == digest
    assert sizes(server) == [SAMPLING, JUDGING]
    assert meter.samples_paid == SAMPLING * 4 + JUDGING
    calls = server.calls.total()
    again, replayed = run(folder)
    assert not again.published
    assert replayed.samples_paid == 0
    assert server.calls.total() == calls


def test_what_one_route_has_bought_the_other_does_not_buy_again(
    folder: Path, server: BatchServer, digest: str
) -> None:
    run(folder)
    write_recipe(folder, OVER_HTTP.format(url=server.url))
    outcome, meter = run(folder)
    assert (digest_of(outcome), outcome.published, meter.samples_paid) == (digest, False, 0)
    assert server.calls["chat"] == 0


def test_results_in_another_order_change_nothing(
    folder: Path, server: BatchServer, digest: str
) -> None:
    server.arrange = lambda lines: random.Random(2).sample(lines, len(lines))
    assert digest_of(run(folder)[0]) == digest


def test_equal_requests_for_several_samples_are_lines_of_their_own(
    folder: Path, server: BatchServer
) -> None:
    one_by_one = ("models.policy.max_n=1", 'models.policy.omit=["seed"]')
    _, meter = run(folder, *one_by_one)
    assert sizes(server)[0] == SAMPLING * 4
    assert meter.samples_paid >= SAMPLING * 4
    assert set(server.sent.values()) == {1}


MOMENTS = [
    ("upload", "kill"),  # before the file is there
    ("upload", "killed"),  # it is there, and nobody knows
    ("create", "kill"),  # the file is noted, and there is no batch
    ("create", "killed"),  # the batch is there, and not noted
    ("retrieve", "kill"),  # it is noted
    ("download", "kill"),  # it is over
    ("download", "killed"),
]
OF_THE_SECOND_JOB = [("create", "killed"), ("download", "killed")]


@pytest.mark.parametrize(
    ("kind", "fault", "jobs_before"),
    [*[(*moment, 0) for moment in MOMENTS], *[(*moment, 1) for moment in OF_THE_SECOND_JOB]],
)
def test_a_kill_at_any_moment_of_a_job_costs_nothing(
    folder: Path, server: BatchServer, digest: str, kind: str, fault: str, jobs_before: int
) -> None:
    server.step_s = 0.05  # so that a job is looked at more than once
    server.faults[kind] += [""] * jobs_before + [fault]
    started_and_killed(folder, server)
    outcome, _ = run(folder)
    assert digest_of(outcome) == digest
    assert sizes(server) == [SAMPLING, JUDGING]
    assert server.faker.paid_twice == 0
    assert list((folder / "store" / "ledger" / "batches").iterdir()) == []


def run_until(folder: Path, puts: int) -> None:
    """A build that kills itself when so many replies are in the ledger."""
    put, so_far = Ledger.put, count(1)

    def last(*arguments: Any) -> None:
        put(*arguments)
        if next(so_far) == puts:
            os.kill(os.getpid(), signal.SIGKILL)

    Ledger.put = last  # type: ignore[method-assign, assignment]
    run(folder)


@pytest.mark.parametrize("puts", [7, SAMPLING, SAMPLING + 33])
def test_a_kill_while_results_go_into_the_ledger_costs_nothing(
    folder: Path, server: BatchServer, digest: str, puts: int
) -> None:
    child = FORKS.Process(target=run_until, args=(folder, puts))
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL
    assert server.faker.paid > 0
    outcome, meter = run(folder)
    assert meter.samples_replayed > 0
    assert digest_of(outcome) == digest
    assert sizes(server) == [SAMPLING, JUDGING]
    assert server.faker.paid_twice == 0


def test_kills_at_random_moments_cost_nothing(
    folder: Path, server: BatchServer, digest: str
) -> None:
    server.step_s = 0.1
    moments, kills = random.Random(11), 0
    for _ in range(5):
        before, child = server.calls.total(), start(folder, server)
        while server.calls.total() == before and child.is_alive():
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.4))
        child.kill()
        child.join(30)
        kills += child.exitcode == -signal.SIGKILL
    outcome, _ = run(folder)
    assert kills > 1
    assert digest_of(outcome) == digest
    assert set(server.sent.values()) == {1}
    assert server.faker.paid_twice == 0


def test_a_job_that_ended_while_nobody_looked_is_collected(
    folder: Path, server: BatchServer, digest: str
) -> None:
    server.held = True
    server.faults["retrieve"] += ["", "kill"]
    started_and_killed(folder, server)
    server.held = False
    while server.batches["batch_0"].status != "completed":
        time.sleep(0.01)
    outcome, _ = run(folder)
    assert digest_of(outcome) == digest
    assert sizes(server) == [SAMPLING, JUDGING]


@pytest.mark.parametrize("ending", ["expired", "cancelled"])
def test_what_a_job_lacks_that_broke_off_while_nobody_looked_is_asked_anew(
    folder: Path, server: BatchServer, digest: str, ending: str
) -> None:
    server.endings.append((ending, 15))
    server.step_s = 0.1
    server.faults["retrieve"].append("kill")
    started_and_killed(folder, server)
    while server.batches["batch_0"].status != ending:
        time.sleep(0.01)
    outcome, _ = run(folder)
    assert digest_of(outcome) == digest
    # the prompts that have their samples are judged while the others wait for theirs
    assert sorted(sizes(server)) == [5, 20, SAMPLING, JUDGING - 20]
    assert server.faker.paid_twice == 0


def test_a_job_that_is_cancelled_leaves_its_prompts_owed_until_the_next_build(
    folder: Path, server: BatchServer, digest: str
) -> None:
    server.endings.append(("cancelled", 15))
    outcome, meter = run(folder)
    assert (outcome.owed, meter.units_owed) == (5, 5)
    assert "was cancelled" in outcome.failures[0]
    outcome, _ = run(folder)
    assert digest_of(outcome) == digest
    assert server.faker.paid_twice == 0


def test_refused_lines_are_kept_and_asked_anew_once_they_are_forgotten(
    folder: Path, server: BatchServer
) -> None:
    server.faker.options.e400 = 0.3
    gates = ("gates.min_read_share=0", "gates.allow_incomplete=1")
    outcome, meter = run(folder, *gates)
    assert meter.refused_requests > 0
    failed = [row for row in published(outcome, "responses") if row["error"] is not None]
    assert failed
    calls = server.calls.total()
    run(folder, *gates)
    assert server.calls.total() == calls
    server.faker.options.e400 = 0.0
    forget = ["retry", str(folder / "recipe.toml"), "--failed", "--store", str(folder / "store")]
    assert main(forget) == 0
    outcome, meter = run(folder, *gates)
    assert meter.refused_requests == 0
    assert all(row["error"] is None for row in published(outcome, "responses"))


def test_a_plan_shows_half_the_price(folder: Path, server: BatchServer) -> None:
    prices = [f"models.{name}.prices={{input=2, output=8}}" for name in ("policy", "critic")]
    online = [f"models.{name}.kind=openai_api" for name in ("policy", "critic")]
    text = (folder / "recipe.toml").read_text()
    by_batch = make_plan(read(folder, *prices), Store(folder / "store")).money()
    lines = [line for line in text.splitlines() if not line.startswith(("poll_s", "collect_s"))]
    write_recipe(folder, "\n".join(lines))
    full = make_plan(read(folder, *prices, *online), Store(folder / "store")).money()
    assert by_batch is not None
    assert full is not None
    assert by_batch.value == pytest.approx(full.value / 2)
    assert server.calls.total() == 0


def test_money_is_spent_at_the_batch_price_and_a_budget_holds_it(
    folder: Path, server: BatchServer
) -> None:
    prices = [f"models.{name}.prices={{input=2, output=8}}" for name in ("policy", "critic")]
    limit = "models.critic.sampling.max_tokens=64"
    _, meter = run(folder, *prices, limit)
    spent = sum(one.money for one in meter.spend.values())
    full = sum(2 * one.prompt_tokens + 8 * one.completion_tokens for one in meter.spend.values())
    assert spent == pytest.approx(full / 1e6 / 2)
    outcome, meter = run(folder, *prices, limit, f"budget.money={spent / 2}", store="bounded")
    assert outcome.budget_reached
    assert sum(one.money for one in meter.spend.values()) <= spent / 2


def test_the_last_few_requests_may_go_online(
    folder: Path, server: BatchServer, digest: str
) -> None:
    server.endings.append(("expired", 15))
    online = [f"models.{name}.online_below=10" for name in ("policy", "critic")]
    outcome, _ = run(folder, *online)
    assert digest_of(outcome) == digest
    assert server.calls["chat"] >= 5
    assert server.calls["chat"] + sum(sizes(server)) == SAMPLING + 5 + JUDGING
    assert all(size >= 10 for size in sizes(server))
