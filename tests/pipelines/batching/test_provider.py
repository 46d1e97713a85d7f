import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import orjson
import pytest
from openai import AsyncOpenAI

from pipelines.batching.journal import Journal
from pipelines.batching.lines import request_line
from pipelines.batching.provider import Batch, Provider, read_batch
from pipelines.batching.remote import Remote
from pipelines.errors import FatalError, RequestRefused, TransientError
from pipelines.wire.secrets import Secrets
from tests.batch_server import BatchServer

KEY = "sk-test-5f0c1b7d9e3a2468ace0"
BODY = b'{"model":"m","messages":[{"role":"user","content":"Hello"}]}'
LINES = request_line("a", BODY) + request_line("b", BODY)


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer() as server:
        yield server


@pytest.fixture
async def provider(server: BatchServer) -> AsyncIterator[Provider]:
    provider = Provider(server.url, {"Authorization": f"Bearer {KEY}"}, None, Secrets([KEY]))
    yield provider
    await provider.close()


async def ended(provider: Provider, batch: Batch) -> Batch:
    while not batch.is_over:
        found = await provider.retrieve(batch.id)
        assert found is not None
        batch = found
    return batch


async def test_openais_client_finds_the_test_server_to_be_as_it_expects(
    server: BatchServer, tmp_path: Path
) -> None:
    (tmp_path / "lines.jsonl").write_bytes(LINES)
    async with AsyncOpenAI(base_url=server.url, api_key="none", max_retries=0) as client:
        file = await client.files.create(file=tmp_path / "lines.jsonl", purpose="batch")
        assert (file.object, file.purpose, file.bytes) == ("file", "batch", len(LINES))
        batch = await client.batches.create(
            input_file_id=file.id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            metadata={"a": "b"},
        )
        while batch.status not in ("completed", "failed"):
            batch = await client.batches.retrieve(batch.id)
        assert batch.request_counts is not None
        assert (batch.request_counts.total, batch.request_counts.completed) == (2, 2)
        assert [one.id async for one in client.batches.list(limit=1)] == [batch.id]
        assert batch.output_file_id is not None
        content = await client.files.content(batch.output_file_id)
        assert {orjson.loads(line)["custom_id"] for line in content.text.splitlines()} == {"a", "b"}
        assert (await client.batches.cancel(batch.id)).status == "completed"
        assert (await client.files.delete(file.id)).deleted


async def test_a_file_goes_up_a_batch_runs_and_its_results_come_down(
    server: BatchServer, provider: Provider
) -> None:
    file_id = await provider.upload("lines.jsonl", io.BytesIO(LINES))
    assert server.files[file_id] == LINES
    batch = await ended(provider, await provider.create(file_id, "24h", "mine"))
    assert server.batches[batch.id].metadata == {"pairwright": "mine"}
    assert server.batches[batch.id].window == "24h"
    assert (batch.status, batch.answered, batch.total) == ("completed", 2, 2)
    assert batch.input_file_id == file_id
    into = io.BytesIO()
    assert await provider.download(batch.files[0], into)
    assert into.getvalue() == server.files[batch.files[0]]
    await provider.delete(file_id)
    assert file_id not in server.files
    await provider.delete(file_id)


async def test_all_batches_are_listed_newest_first_page_by_page(
    server: BatchServer, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.batching.provider.PAGE", 2)
    file_id = await provider.upload("lines.jsonl", io.BytesIO(LINES))
    made = [(await provider.create(file_id, "24h", "mine")).id for _ in range(5)]
    assert [one.id async for one in provider.batches()] == made[::-1]
    assert server.calls["list"] == 3


async def test_no_batch_at_all_is_an_empty_list(provider: Provider) -> None:
    assert [one async for one in provider.batches()] == []


async def test_what_is_not_there_is_none_where_it_may_be_missing(provider: Provider) -> None:
    assert await provider.retrieve("batch_x") is None
    into = io.BytesIO(b"before")
    into.seek(6)
    assert not await provider.download("file-x", into)
    assert into.getvalue() == b"before"


async def test_a_batch_can_be_cancelled(server: BatchServer, provider: Provider) -> None:
    server.held = True
    file_id = await provider.upload("lines.jsonl", io.BytesIO(LINES))
    batch = await provider.create(file_id, "24h", "mine")
    while batch.status != "in_progress":
        batch = await provider.retrieve(batch.id) or batch
    assert (await provider.cancel(batch.id)).status == "cancelling"


@pytest.mark.parametrize(
    ("fault", "wanted"),
    [
        ("500", TransientError),
        ("429", TransientError),
        ("broken", TransientError),
        ("401", FatalError),
        ("400", RequestRefused),
    ],
)
async def test_a_failed_request_raises_what_it_would_for_a_call(
    server: BatchServer, provider: Provider, fault: str, wanted: type[Exception]
) -> None:
    server.faults["create"].append(fault)
    with pytest.raises(wanted) as raised:
        await provider.create("file-x", "24h", "mine")
    assert f"POST {server.url}/batches: " in str(raised.value)
    assert KEY not in str(raised.value)


async def test_a_server_that_is_away_is_told_apart_from_one_that_broke_off(
    server: BatchServer, provider: Provider
) -> None:
    server.faults["retrieve"] += ["broken"] * 2  # aiohttp repeats a GET once by itself
    with pytest.raises(TransientError) as broken:
        await provider.retrieve("batch_x")
    server.__exit__()
    with pytest.raises(TransientError) as away:
        await provider.retrieve("batch_x")
    server.__enter__()
    assert (broken.value.broke_off, broken.value.unsent) == (True, False)
    assert (away.value.broke_off, away.value.unsent) == (False, True)


async def test_a_broken_download_leaves_nothing_behind(
    server: BatchServer, provider: Provider
) -> None:
    server.files["file-y"] = b"content"
    server.faults["download"] += ["broken"] * 2
    into = io.BytesIO(b"before")
    into.seek(6)
    with pytest.raises(TransientError):
        await provider.download("file-y", into)
    assert into.getvalue() == b"before"
    assert await provider.download("file-y", into)
    assert into.getvalue() == b"beforecontent"


@pytest.mark.parametrize("given", [None, [], {}, {"id": 7}])
def test_what_is_no_batch_object_may_pass(given: object) -> None:
    with pytest.raises(TransientError, match="no batch object"):
        read_batch(given)


@pytest.mark.parametrize("made", [0, None, "2026-11-22T04:00:00Z"])
async def test_where_a_provider_tells_no_time_of_its_batches_all_of_them_are_looked_at(
    server: BatchServer, provider: Provider, tmp_path: Path, made: object
) -> None:
    files = [await provider.upload("lines.jsonl", io.BytesIO(LINES)) for _ in range(2)]
    own, newer = [await provider.create(file_id, "24h", "mine") for file_id in files]
    for batch in (own, newer):
        server.batches[batch.id].created_at = made  # type: ignore[assignment]
    entry = Journal(tmp_path, "there m").new()
    entry.note({"file_id": files[0]})
    found = await Remote(provider, "24h", 0.01).find(entry, tries=1)
    assert found is not None
    assert found.id == own.id


@pytest.mark.parametrize(
    ("odd", "errors"),
    [
        ({"request_counts": [2, 2]}, ()),
        ({"request_counts": {"total": "2"}}, ()),
        ({"errors": "no"}, ()),
        ({"errors": {"data": ["no"]}}, (("", "no"),)),
    ],
)
def test_what_is_odd_about_a_batch_object_hides_nothing_else(
    odd: dict[str, object], errors: tuple[tuple[str, str], ...]
) -> None:
    batch = read_batch({"id": "b", "status": "completed", "input_file_id": "f", **odd})
    assert (batch.id, batch.status, batch.total, batch.errors) == ("b", "completed", 0, errors)


@pytest.mark.parametrize("page", [[], {}, {"data": 7}, None])
async def test_what_is_no_list_of_batches_is_not_an_empty_one(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, page: object
) -> None:
    async def answer(*_: object, **__: object) -> object:
        return page

    monkeypatch.setattr(provider, "_json", answer)
    with pytest.raises(TransientError, match="no list of batches"):
        [one async for one in provider.batches()]
