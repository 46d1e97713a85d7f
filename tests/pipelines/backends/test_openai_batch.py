import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.backend import Reply, Request, Sampling
from pipelines.backends.openai_batch import OpenaiBatch
from pipelines.batching.remote import TRIES
from pipelines.calls.budget import worst_case
from pipelines.calls.meter import Meter
from pipelines.calls.prices import Prices
from pipelines.errors import FatalError, RecipeError, RequestRefused, TransientError
from pipelines.part import Where, load_part
from schemas.rows import Message
from tests.batch_server import BatchServer, until

KEY = "sk-test-5f0c1b7d9e3a2468ace0"
WHERE = Where("r.toml", "[models.m]", Path())


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer() as server:
        yield server


def backend_of(kind: str = "openai_batch", **fields: Any) -> OpenaiBatch:
    table = {"kind": kind, "base_url": "https://a.b/v1", "model": "m", "identity": "test"}
    return load_part("backends", table | fields, WHERE)  # type: ignore[return-value]


@asynccontextmanager
async def opened(
    server: BatchServer, folder: Path, meter: Meter | None = None, **fields: Any
) -> AsyncIterator[OpenaiBatch]:
    quick: dict[str, Any] = {"base_url": server.url, "collect_s": 0.05, "poll_s": 0.02}
    backend = backend_of(**quick | fields)
    backend.equip(folder, meter or Meter())
    await backend.open()
    try:
        yield backend
    finally:
        await backend.close()


def asking(text: str = "Hello", n: int = 1, first: int = 0) -> Request:
    return Request((Message("user", text),), None, Sampling(), n, seed=1, first=first)


QUESTIONS = [f"Question {number}." for number in range(10)]


async def bought(backend: OpenaiBatch, requests: list[Request]) -> list[Any]:
    """Replies or errors; the replies are noted as kept."""
    calls = (backend.complete(request) for request in requests)
    replies = await asyncio.gather(*calls, return_exceptions=True)
    for request, reply in zip(requests, replies, strict=True):
        if isinstance(reply, Reply):
            backend.kept(request)
    return replies


def texts(replies: list[Any]) -> list[str | None]:
    return [reply.completions[0].text for reply in replies]


def expected(server: BatchServer, requests: list[Request]) -> list[str]:
    """What the server would answer online."""
    bodies = [backend_of()._body(request) for request in requests]
    return [server._answer(body)["choices"][0]["message"]["content"] for body in bodies]


ASKED = [asking(question) for question in QUESTIONS]


# --- the recipe


def test_it_is_the_online_route_in_all_that_decides_content() -> None:
    batch, online = backend_of(name="a"), backend_of("openai_api", name="a")
    assert batch.identity() == online.identity()
    assert batch.qualified_model == online.qualified_model


def test_it_shares_no_window_with_calls_to_the_same_address() -> None:
    assert backend_of().endpoint() == "https://a.b/v1/batches"


async def test_without_a_key_nothing_is_begun(tmp_path: Path) -> None:
    backend = backend_of(base_url="https://api.openai.com/v1", identity="")
    backend.equip(tmp_path, Meter())
    with pytest.raises(RecipeError, match="OPENAI_API_KEY"):
        await backend.open()


# --- prices


async def test_a_reply_of_a_job_costs_half(server: BatchServer, tmp_path: Path) -> None:
    async with opened(server, tmp_path) as backend:
        (reply,) = await bought(backend, [asking()])
    usage = reply.usage
    full = (usage.prompt_tokens * 2 + usage.completion_tokens * 8) / 1e6
    assert Prices(input=2, output=8).money(usage) == pytest.approx(full / 2)
    assert Prices(input=2, output=8, batch=0.8).money(usage) == pytest.approx(full * 0.8)


def test_the_worst_case_is_the_batch_price_unless_small_jobs_go_online() -> None:
    prices = {"prices": {"input": 2, "output": 8}}
    costs = [
        worst_case(backend_of(**fields), asking()).money
        for fields in (prices, prices | {"online_below": 5}, prices | {"kind": "openai_batch"})
    ]
    assert costs[0] == costs[2] == pytest.approx(costs[1] / 2)


# --- jobs


async def test_requests_are_answered_as_online(server: BatchServer, tmp_path: Path) -> None:
    server.arrange = lambda lines: random.Random(1).sample(lines, len(lines))
    async with opened(server, tmp_path) as backend:
        assert texts(await bought(backend, ASKED)) == expected(server, ASKED)
    assert len(server.batches) == 1
    assert not (list((tmp_path / "batches").iterdir()))


async def test_several_samples_come_in_one_line(server: BatchServer, tmp_path: Path) -> None:
    async with opened(server, tmp_path) as backend:
        (reply,) = await bought(backend, [asking(n=4)])
    assert len({one.text for one in reply.completions}) == 4
    assert server.faker.paid == 4


async def test_equal_requests_for_other_samples_are_lines_of_their_own(
    server: BatchServer, tmp_path: Path
) -> None:
    async with opened(server, tmp_path) as backend:
        await bought(backend, [asking(first=first) for first in range(3)])
    assert sorted(server.sent.values()) == [1, 1, 1]


async def test_a_line_that_comes_twice_counts_once(server: BatchServer, tmp_path: Path) -> None:
    server.arrange = lambda lines: [*lines, *lines, b"{}", b'{"custom_id": "']
    async with opened(server, tmp_path) as backend:
        assert texts(await bought(backend, ASKED)) == expected(server, ASKED)


async def test_the_file_that_was_uploaded_is_deleted_when_its_job_is_over(
    server: BatchServer, tmp_path: Path
) -> None:
    async with opened(server, tmp_path) as backend:
        await bought(backend, ASKED)
    (batch,) = server.batches.values()
    assert list(server.files) == [batch.files["output"]]


async def test_an_error_of_one_line_is_that_lines_alone(
    server: BatchServer, tmp_path: Path
) -> None:
    said = {"error": {"message": "too long", "type": "invalid_request_error"}}
    server.line_errors = {"Question 3.": (400, said), "Question 7.": (500, said)}
    async with opened(server, tmp_path) as backend:
        replies = await bought(backend, ASKED)
        kinds = [type(one) for one in replies]
        assert kinds.count(Reply) == 8
        assert (kinds[3], kinds[7]) == (RequestRefused, TransientError)
        assert "too long" in str(replies[3])
        again = await bought(backend, [ASKED[7]])
    assert texts(again) == expected(server, [ASKED[7]])
    assert sorted(server.sent.values()) == [1] * 9 + [2]


async def test_what_expired_is_asked_again_and_nothing_else(
    server: BatchServer, tmp_path: Path
) -> None:
    server.endings.append(("expired", 6))
    async with opened(server, tmp_path) as backend:
        replies = await bought(backend, ASKED)
        expired = [one for one in replies if isinstance(one, TransientError)]
        assert len(expired) == 4
        assert all(one.retry_after is None for one in expired)
        missing = [asked for asked, one in zip(ASKED, replies, strict=True) if one in expired]
        assert texts(await bought(backend, missing)) == expected(server, missing)
    assert sorted(server.sent.values()) == [1] * 6 + [2] * 4


async def test_who_cancels_a_job_does_not_find_it_sent_again(
    server: BatchServer, tmp_path: Path
) -> None:
    server.endings.append(("held", 2))
    async with opened(server, tmp_path) as backend:
        waiting = asyncio.create_task(bought(backend, ASKED))
        await until(lambda: [one.status for one in server.batches.values()] == ["in_progress"])
        server.batches["batch_0"].status = "cancelling"
        replies = await waiting
    owed = [one for one in replies if isinstance(one, TransientError)]
    assert len(owed) == 8
    assert all((one.retry_after or 0) > 1e9 for one in owed)
    assert len(server.batches) == 1


async def test_a_job_that_is_not_accepted_stops_the_build_and_says_why(
    server: BatchServer, tmp_path: Path
) -> None:
    message = "Mismatched model. All requests must use the same model."
    server.verdicts.append([{"code": "mismatched_model", "message": message, "line": 2}])
    async with opened(server, tmp_path) as backend:
        replies = await bought(backend, ASKED)
    assert {type(one) for one in replies} == {FatalError}
    assert "batch_0 was not accepted: mismatched_model: Mismatched model." in str(replies[0])


async def test_a_job_beyond_the_accounts_limit_goes_in_smaller_ones(
    server: BatchServer, tmp_path: Path
) -> None:
    server.most_lines = 3
    async with opened(server, tmp_path) as backend:
        assert texts(await bought(backend, ASKED)) == expected(server, ASKED)
    assert set(server.sent.values()) == {1}


@pytest.mark.parametrize("kind", ["upload", "create", "retrieve", "download"])
@pytest.mark.parametrize("fault", ["500", "429", "lost", "broken"])
async def test_an_endpoint_that_fails_is_asked_again_and_no_line_runs_twice(
    server: BatchServer, tmp_path: Path, kind: str, fault: str
) -> None:
    server.faults[kind] += [fault] * 2
    async with opened(server, tmp_path) as backend:
        assert texts(await bought(backend, ASKED)) == expected(server, ASKED)
    assert set(server.sent.values()) == {1}
    assert len(server.batches) == 1


@pytest.mark.parametrize("kind", ["upload", "create"])
async def test_an_endpoint_that_keeps_failing_leaves_the_requests_owed(
    server: BatchServer, tmp_path: Path, kind: str
) -> None:
    server.faults[kind] += ["503"] * 6
    async with opened(server, tmp_path) as backend:
        replies = await bought(backend, ASKED[:2])
        assert {type(one) for one in replies} == {TransientError}
        assert texts(await bought(backend, ASKED)) == expected(server, ASKED)
    assert set(server.sent.values()) == {1}


@pytest.mark.parametrize("kind", ["upload", "create"])
@pytest.mark.parametrize("status", ["400", "401", "413"])
async def test_a_refused_file_stops_the_build(
    server: BatchServer, tmp_path: Path, kind: str, status: str
) -> None:
    server.faults[kind].append(status)
    async with opened(server, tmp_path) as backend:
        replies = await bought(backend, ASKED[:2])
    assert {type(one) for one in replies} == {FatalError}
    assert f"HTTP {status}" in str(replies[0])


async def test_a_provider_that_restarts_is_waited_for(server: BatchServer, tmp_path: Path) -> None:
    server.held = True
    async with opened(server, tmp_path) as backend:
        waiting = asyncio.create_task(bought(backend, ASKED))
        await until(lambda: bool(server.batches))
        await asyncio.to_thread(server.restart)
        server.held = False
        assert texts(await waiting) == expected(server, ASKED)
    assert set(server.sent.values()) == {1}


async def test_results_that_are_gone_are_asked_again(server: BatchServer, tmp_path: Path) -> None:
    server.faults["download"] += ["404"] * TRIES
    async with opened(server, tmp_path) as backend:
        replies = await bought(backend, ASKED[:3])
    assert {type(one) for one in replies} == {TransientError}
    assert "no result for this request" in str(replies[0])


async def test_results_that_are_not_there_at_once_are_not_bought_again(
    server: BatchServer, tmp_path: Path
) -> None:
    server.faults["download"] += ["404"] * (TRIES - 1)
    async with opened(server, tmp_path) as backend:
        assert texts(await bought(backend, ASKED)) == expected(server, ASKED)
    assert set(server.sent.values()) == {1}


@pytest.mark.parametrize("status", ["400", "401", "402", "403"])
@pytest.mark.parametrize("kind", ["retrieve", "download", "list"])
async def test_a_job_that_the_provider_does_not_talk_about_for_a_while_is_not_sent_again(
    server: BatchServer, tmp_path: Path, kind: str, status: str
) -> None:
    if kind == "list":
        server.faults["create"].append("lost")
    server.faults[kind].append(status)
    async with opened(server, tmp_path) as backend:
        replies = await bought(backend, ASKED)
    assert {type(one) for one in replies} == {FatalError}
    assert f"HTTP {status}" in str(replies[0])
    assert b"file_id" in journal_of(tmp_path)
    async with opened(server, tmp_path) as backend:
        assert texts(await bought(backend, ASKED)) == expected(server, ASKED)
    assert len(server.batches) == 1
    assert set(server.sent.values()) == {1}
    assert not list((tmp_path / "batches").iterdir())


@pytest.mark.parametrize("status", ["401", "404"])
async def test_a_wrong_key_on_the_way_back_loses_no_job(
    server: BatchServer, tmp_path: Path, status: str
) -> None:
    server.step_s = 0.1
    await left_behind(server, tmp_path, "in_progress")
    await asyncio.sleep(ON_ITS_WAY_S)
    server.faults["retrieve"].append(status)
    async with opened(server, tmp_path) as backend:
        replies = await bought(backend, ASKED)
    assert {type(one) for one in replies} == {FatalError}
    if status == "404":
        assert "batch batch_0 is not visible to this key" in str(replies[0])
    async with opened(server, tmp_path) as backend:
        assert texts(await bought(backend, ASKED)) == expected(server, ASKED)
    assert set(server.sent.values()) == {1}


async def test_a_batch_that_vanishes_while_it_is_watched_is_looked_for_again(
    server: BatchServer, tmp_path: Path
) -> None:
    server.faults["retrieve"].append("404")
    async with opened(server, tmp_path) as backend:
        replies = await bought(backend, ASKED)
        assert {type(one) for one in replies} == {TransientError}
        assert texts(await bought(backend, ASKED)) == expected(server, ASKED)
    assert set(server.sent.values()) == {1}


async def test_a_batch_that_is_not_there_after_its_time_is_asked_anew(
    server: BatchServer, tmp_path: Path
) -> None:
    server.step_s = 0.1
    await left_behind(server, tmp_path, "in_progress")
    (file,) = (tmp_path / "batches").iterdir()
    past = datetime.now(UTC) - timedelta(days=31)
    file.rename(file.with_name(f"{past:%Y%m%dT%H%M%S.%fZ}-00000000.jsonl"))
    await asyncio.sleep(ON_ITS_WAY_S)
    server.faults["retrieve"].append("404")
    async with opened(server, tmp_path) as backend:
        assert texts(await bought(backend, ASKED)) == expected(server, ASKED)
    assert len(server.batches) == 2


async def test_a_job_that_was_not_accepted_is_forgotten(
    server: BatchServer, tmp_path: Path
) -> None:
    server.verdicts.append([{"code": "mismatched_model", "message": "no", "line": 2}])
    async with opened(server, tmp_path) as backend:
        await bought(backend, ASKED)
    assert not list((tmp_path / "batches").iterdir())


async def test_a_look_at_the_jobs_of_a_provider_that_is_away_comes_to_an_end(
    server: BatchServer, tmp_path: Path
) -> None:
    server.step_s = 0.1
    await left_behind(server, tmp_path, "in_progress")
    await asyncio.sleep(ON_ITS_WAY_S)
    server.faults["retrieve"] += ["503"] * 100
    async with asyncio.timeout(20):
        with pytest.raises(TransientError, match="503"):
            await backend_of(base_url=server.url, poll_s=0.02).states(tmp_path)
    assert len(server.faults["retrieve"]) == 100 - TRIES


async def test_a_job_of_another_projects_key_hides_no_other(
    server: BatchServer, tmp_path: Path
) -> None:
    server.step_s = 0.1
    await left_behind(server, tmp_path, "in_progress")
    await asyncio.sleep(ON_ITS_WAY_S)
    server.faults["retrieve"].append("404")
    ((_, state),) = await backend_of(base_url=server.url, poll_s=0.02).states(tmp_path)
    assert state == "not visible to this key"


ON_ITS_WAY_S = 0.2
"""Until a request of a run that stopped has come in, and takes no fault meant for a later one."""


async def left_behind(server: BatchServer, folder: Path, status: str) -> None:
    """A run that stops when its job has this status."""
    before = len(server.batches)
    async with opened(server, folder) as backend:
        waiting = asyncio.create_task(bought(backend, ASKED))
        await until(lambda: [one.status for one in server.batches.values()][before:] == [status])
        await until(lambda: b"batch_id" in journal_of(folder))
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


def journal_of(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in (folder / "batches").glob("*.jsonl"))


async def test_a_job_of_an_earlier_run_that_proves_too_large_is_collected_anew(
    server: BatchServer, tmp_path: Path
) -> None:
    server.step_s = 0.2
    await left_behind(server, tmp_path, "validating")
    server.most_lines = 3
    async with opened(server, tmp_path) as backend:
        assert texts(await bought(backend, ASKED)) == expected(server, ASKED)
    assert set(server.sent.values()) == {1}
    sizes = [len(batch.lines) for batch in server.batches.values()]
    assert sizes[:2] == [10, 10]
    assert max(sizes[2:]) == 5
    assert not set(server.files) & {batch.input_file_id for batch in server.batches.values()}


async def test_what_was_cancelled_before_this_run_is_asked_anew(
    server: BatchServer, tmp_path: Path
) -> None:
    server.held = True
    server.endings.append(("held", 4))
    await left_behind(server, tmp_path, "in_progress")
    server.step_s, server.batches["batch_0"].status = 0.1, "cancelling"
    server.held = False
    async with opened(server, tmp_path) as backend:
        assert texts(await bought(backend, ASKED)) == expected(server, ASKED)
    assert sorted(server.sent.values()) == [1] * 4 + [2] * 6


async def test_two_tables_of_one_model_leave_nothing_behind(
    server: BatchServer, tmp_path: Path
) -> None:
    async with opened(server, tmp_path) as one, opened(server, tmp_path) as two:
        await asyncio.gather(bought(one, ASKED[:5]), bought(two, ASKED[5:]))
        assert len(server.batches) == 2
    assert list((tmp_path / "batches").iterdir()) == []
    await left_behind(server, tmp_path, "completed")
    async with opened(server, tmp_path) as one, opened(server, tmp_path) as two:
        await asyncio.gather(bought(one, ASKED[:5]), bought(two, ASKED[5:]))
    async with opened(server, tmp_path):
        assert list((tmp_path / "batches").iterdir()) == []


async def test_few_requests_go_online_at_the_full_price(
    server: BatchServer, tmp_path: Path
) -> None:
    async with opened(server, tmp_path, online_below=3) as backend:
        replies = await bought(backend, ASKED[:2])
        assert server.calls["chat"] == 2
        assert not server.batches
        assert texts(replies) == expected(server, ASKED[:2])
        assert not any(one.usage.batch for one in replies)
        assert all(one.usage.batch for one in await bought(backend, ASKED[:3]))
    assert server.calls["chat"] == 2


async def test_the_meter_tells_the_state_of_a_job(server: BatchServer, tmp_path: Path) -> None:
    server.held, meter = True, Meter()
    async with opened(server, tmp_path, meter) as backend:
        waiting = asyncio.create_task(bought(backend, ASKED))
        await until(lambda: list(meter.jobs.values()) == ["in progress 10/10"])
        server.held = False
        await waiting
        await asyncio.sleep(0.05)
        assert meter.jobs == {}


# --- keys


async def test_no_key_is_in_files_answers_or_errors(
    server: BatchServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)
    said = {"error": {"message": f"the key {KEY} may not ask this", "type": "x"}}
    server.line_errors = {"Question 0.": (400, said)}
    echo = json.dumps(KEY)[1:-1].encode()
    server.arrange = lambda lines: [line.replace(b'"content":"', b'"content":"' + echo)
                                    for line in lines]  # fmt: skip
    server.held = True
    async with opened(server, tmp_path, api_key_env="TEST_KEY") as backend:
        waiting = asyncio.create_task(bought(backend, ASKED))
        await until(lambda: any((tmp_path / "batches").glob("*.jsonl")))
        journal = journal_of(tmp_path)
        server.held = False
        replies = await waiting
    assert KEY.encode() not in journal
    assert "the key [key] may not" in str(replies[0])
    assert all(str(text).startswith("[key]") for text in texts(replies[1:]))
    assert not any(KEY.encode() in content for name, content in server.files.items()
                   if name not in server.batches["batch_0"].files.values())  # fmt: skip
