"""A recipe's model that vLLM runs on whole files; a stand-in speaks for vLLM here."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from pipelines.backend import Reply, Request, Sampling
from pipelines.backends.vllm_batch import VllmBatch
from pipelines.calls.dispatch import Dispatcher
from pipelines.calls.meter import Meter
from pipelines.errors import FatalError, RequestRefused
from pipelines.part import Where, load_part
from pipelines.serving.offline import tidy
from schemas.rows import Message
from tests.pipelines.serving.conftest import Fake


def load(root: Path, fake: Fake, kind: str = "vllm_batch", **fields: Any) -> Any:
    table = {"kind": kind, "name": "policy", "model": "tiny", "command": fake.command}
    table |= {"identity": "fake"} | fields
    if kind == "vllm_batch":
        table.setdefault("collect_s", 0.2)
    return load_part("backends", table, Where("r.toml", "models.policy", root))


def ask(text: str, n: int = 1) -> Request:
    return Request((Message("user", text),), None, Sampling(), n, 7)


@asynccontextmanager
async def opened(model: VllmBatch, folder: Path, meter: Meter) -> AsyncIterator[Dispatcher]:
    async with Dispatcher({"policy": model}, meter, folder=folder, backoff_s=0.1) as dispatcher:
        yield dispatcher


async def answers(model: VllmBatch, folder: Path, *texts: str) -> list[Reply]:
    """What is answered to `texts`, asked at once; nothing is kept in any ledger."""
    async with opened(model, folder, Meter()) as dispatcher:
        return await asyncio.gather(*(dispatcher.call(model, ask(text)) for text in texts))


def files(folder: Path) -> set[str]:
    return {file.suffix for file in left(folder)}


def left(folder: Path) -> list[Path]:
    return list(folder.glob("batches/*"))


async def test_what_is_asked_together_is_one_run(
    tmp_path: Path, fake: Fake, model_folder: Path
) -> None:
    model, meter = load(tmp_path, fake), Meter()
    async with opened(model, tmp_path, meter) as dispatcher:
        asked = [ask("a", n=2), ask("b")]
        replies = await asyncio.gather(*(dispatcher.call(model, one) for one in asked))
        assert [one.text for one in replies[0].completions] == ["a 7 0", "a 7 1"]
        assert [one.text for one in replies[1].completions] == ["b 7 0"]
        assert not replies[0].usage.batch, "nobody halves the price of one's own machine"
        assert len(fake.starts) == 1
        await dispatcher.call(model, ask("c"))
        for one in (*asked, ask("c")):
            model.kept(one)
    assert len(fake.starts) == 2
    assert [request["model"] for request in fake.requests] == ["tiny"] * 3
    assert next(iter(meter.engines.values())).startswith("2 batch jobs in ")
    assert files(tmp_path) == set()


async def test_a_job_takes_so_many_requests_and_jobs_take_turns(
    tmp_path: Path, fake: Fake, model_folder: Path
) -> None:
    model = load(tmp_path, fake, job_requests=2)
    replies = await answers(model, tmp_path, "a", "b", "c", "d", "e")
    assert [reply.completions[0].text for reply in replies] == [f"{one} 7 0" for one in "abcde"]
    assert len(fake.starts) == 3


async def test_results_that_no_ledger_has_are_not_computed_again(
    tmp_path: Path, fake: Fake, model_folder: Path
) -> None:
    await answers(load(tmp_path, fake), tmp_path, "a", "b")
    assert files(tmp_path) == {".jsonl", ".results"}
    model = load(tmp_path, fake)
    [reply] = await answers(model, tmp_path, "b")
    assert reply.completions[0].text == "b 7 0"
    assert len(fake.starts) == 1


async def test_a_stopped_run_is_ended_and_asked_anew(
    tmp_path: Path, fake: Fake, model_folder: Path, ended: Callable[[list[int]], bool]
) -> None:
    fake.behave("never")
    running = asyncio.ensure_future(answers(load(tmp_path, fake), tmp_path, "a"))
    await fake.started()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended(fake.pids())
    fake.behave("serve")
    [reply] = await answers(load(tmp_path, fake), tmp_path, "a")
    assert reply.completions[0].text == "a 7 0"


@pytest.mark.parametrize(
    ("how", "why"),
    [("die", "error: unrecognized arguments: --no-such"), ("fail", "RuntimeError: no such head")],
)
async def test_a_run_that_answers_nothing_stops_the_build_and_says_why(
    tmp_path: Path, fake: Fake, model_folder: Path, how: str, why: str
) -> None:
    fake.behave(how)
    with pytest.raises(FatalError, match=f"vLLM ran no batch .*{why}") as caught:
        await answers(load(tmp_path, fake), tmp_path, "a", "b")
    (log,) = left(tmp_path)
    assert f"the last lines of {log}:" in str(caught.value)
    assert why in log.read_text()
    tidy(log.parent)
    assert log.exists()
    os.utime(log, (0, 0))
    tidy(log.parent)
    assert not log.exists()


async def test_a_refused_request_leaves_its_neighbours(
    tmp_path: Path, fake: Fake, model_folder: Path
) -> None:
    model = load(tmp_path, fake)
    async with opened(model, tmp_path, Meter()) as dispatcher:
        calls = [dispatcher.call(model, ask(text)) for text in ("too long", "b")]
        refused, reply = await asyncio.gather(*calls, return_exceptions=True)
    assert isinstance(refused, RequestRefused)
    assert "the context is 512 tokens" in str(refused)
    assert isinstance(reply, Reply)


def test_a_server_and_a_batch_are_the_same_model(
    tmp_path: Path, fake: Fake, model_folder: Path
) -> None:
    batch, server = load(tmp_path, fake), load(tmp_path, fake, "vllm_server")
    assert batch.qualified_model == server.qualified_model
    assert batch.identity() == server.identity()
