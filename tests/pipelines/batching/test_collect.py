import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, ClassVar, cast

import pytest

from pipelines.batching.collect import Bounds, Collector
from pipelines.batching.ended import Ended
from pipelines.batching.job import Job
from pipelines.batching.journal import Journal
from pipelines.batching.lines import request_line
from pipelines.calls.meter import Meter
from pipelines.errors import BackendError, FatalError, StoreError, TransientError

QUIET = 0.05


def results_of(ids: list[str]) -> BinaryIO:
    file = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - the job closes it
    for one in ids:
        file.write(json.dumps({"custom_id": one}).encode() + b"\n")
    return file


@dataclass
class Noting:
    """A route that notes every job, and ends it as it is told, when it is told."""

    goes_on: ClassVar[bool] = True
    end: Callable[[list[str]], Ended] = lambda ids: Ended(results_of(ids))
    jobs: list[list[str]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    at_once: int = 0
    most_at_once: int = 0

    async def run(self, job: Job) -> Ended:
        ids = list(job.entry.ids)
        if job.spool is not None:
            with job.spool.open() as lines:
                assert [json.loads(line)["custom_id"] for line in lines] == ids
            job.entry.note({"started": "yes"})
        self.jobs.append(ids)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            job.show("running")
            await self.gate.wait()
            return self.end(ids)
        finally:
            self.at_once -= 1


@asynccontextmanager
async def collecting(
    folder: Path,
    route: Noting,
    *,
    requests: int = 50_000,
    size: int = 10**6,
    fewest: int = 1,
    meter: Meter | None = None,
) -> AsyncIterator[Collector]:
    bounds = Bounds(requests, size, QUIET, fewest)
    collector = Collector(route, Journal(folder, "here m"), bounds, meter or Meter())
    try:
        yield collector
    finally:
        await collector.close()


async def ask(collector: Collector, custom_id: str) -> bytes | None:
    return await collector.result(custom_id, lambda: request_line(custom_id, b"{}"))


def asking(collector: Collector, ids: str) -> list["asyncio.Task[bytes | None]"]:
    return [asyncio.create_task(ask(collector, one)) for one in ids]


def ids_of(found: list[bytes | None]) -> str:
    return "".join(json.loads(one or b"")["custom_id"] for one in found)


def opened() -> Noting:
    route = Noting()
    route.gate.set()
    return route


async def test_requests_that_come_together_make_one_job(tmp_path: Path) -> None:
    route = opened()
    async with collecting(tmp_path, route) as collector:
        assert ids_of(await asyncio.gather(*asking(collector, "abcdef"))) == "abcdef"
    assert route.jobs == [list("abcdef")]


async def test_a_job_goes_when_nobody_comes_any_more_and_not_before(tmp_path: Path) -> None:
    route = opened()
    async with collecting(tmp_path, route) as collector:
        waiting = []
        for one in "abcdef":
            waiting += asking(collector, one)
            await asyncio.sleep(QUIET / 3)
        assert route.jobs == []
        await asyncio.gather(*waiting)
        await ask(collector, "g")
    assert route.jobs == [list("abcdef"), ["g"]]


async def test_a_full_job_goes_at_once(tmp_path: Path) -> None:
    route = opened()
    async with collecting(tmp_path, route, requests=4) as collector:
        await asyncio.gather(*asking(collector, "abcdefghij"))
    assert route.jobs == [list("abcd"), list("efgh"), list("ij")]


async def test_no_file_grows_beyond_its_bytes(tmp_path: Path) -> None:
    route, one = opened(), len(request_line("a", b"{}"))
    async with collecting(tmp_path, route, size=3 * one + 1) as collector:
        await asyncio.gather(*asking(collector, "abcdefg"))
    assert route.jobs == [list("abc"), list("def"), ["g"]]


async def test_a_job_that_is_too_large_goes_in_halves_one_at_a_time(tmp_path: Path) -> None:
    route = opened()
    route.end = lambda ids: Ended(too_large=True) if len(ids) > 3 else Ended(results_of(ids))
    async with collecting(tmp_path, route) as collector:
        found = await asyncio.gather(*asking(collector, "abcdefghijklmnop"))
    assert ids_of(found) == "abcdefghijklmnop"
    sizes = [len(ids) for ids in route.jobs]
    assert sizes[:3] == [16, 8, 8]
    assert sum(size for size in sizes if size <= 3) == 16
    assert len(sizes) <= 3 + 4 + 8
    assert route.most_at_once == 1


async def test_a_request_that_does_not_fit_alone_is_owed(tmp_path: Path) -> None:
    route = opened()
    route.end = lambda _ids: Ended(too_large=True)
    async with collecting(tmp_path, route) as collector:
        with pytest.raises(TransientError, match="not even one"):
            await ask(collector, "a")


async def test_too_few_for_a_job_are_told_so(tmp_path: Path) -> None:
    route = opened()
    async with collecting(tmp_path, route, fewest=3) as collector:
        assert await asyncio.gather(*asking(collector, "ab")) == [None, None]
        assert None not in await asyncio.gather(*asking(collector, "abc"))
    assert route.jobs == [list("abc")]


async def test_what_a_job_has_no_result_for_meets_what_the_route_says(tmp_path: Path) -> None:
    route = opened()
    route.end = lambda _ids: Ended(results_of(["a"]), lambda: TransientError("expired"))
    async with collecting(tmp_path, route) as collector:
        first, *rest = await asyncio.gather(*asking(collector, "abc"), return_exceptions=True)
        assert isinstance(first, bytes)
        assert [str(one) for one in rest] == ["expired", "expired"]
        assert rest[0] is not rest[1]
        route.end = lambda ids: Ended(results_of(ids))
        assert ids_of(await asyncio.gather(*asking(collector, "bc"))) == "bc"
    assert route.jobs == [list("abc"), list("bc")]


@pytest.mark.parametrize(
    "error", [TransientError("no way", retry_after=7.0, unsent=True), FatalError("wrong key")]
)
async def test_all_callers_of_a_job_that_was_not_run_meet_the_same_error(
    tmp_path: Path, error: BackendError
) -> None:
    def fail(_: list[str]) -> Ended:
        raise error

    route = opened()
    route.end = fail
    async with collecting(tmp_path, route) as collector:
        found = await asyncio.gather(*asking(collector, "abc"), return_exceptions=True)
    assert {(type(one), str(one)) for one in found} == {(type(error), str(error))}
    assert len({id(one) for one in found}) == 3
    assert all(vars(one) == vars(error) for one in found)


async def test_a_job_that_may_be_under_way_is_run_again_by_whoever_asks_next(
    tmp_path: Path,
) -> None:
    def fail(_: list[str]) -> Ended:
        raise TransientError("no way")

    route = opened()
    route.end = fail
    async with collecting(tmp_path, route) as collector:
        found = await asyncio.gather(*asking(collector, "abc"), return_exceptions=True)
        assert {str(one) for one in found} == {"no way"}
        with pytest.raises(TransientError):  # at once: it starts again, and nobody waits in vain
            await asyncio.wait_for(ask(collector, "a"), 5)
        route.end = lambda ids: Ended(results_of(ids))
        assert ids_of(await asyncio.gather(*asking(collector, "abc"))) == "abc"
    assert route.jobs == [list("abc")] * 3


async def test_who_asks_again_at_once_is_answered(tmp_path: Path) -> None:
    def fail(_: list[str]) -> Ended:
        route.end = lambda ids: Ended(results_of(ids))
        raise TransientError("no way")

    async def ask_twice(custom_id: str) -> bytes | None:
        with pytest.raises(TransientError):
            await ask(collector, custom_id)
        return await ask(collector, custom_id)

    route = opened()
    route.end = fail
    async with collecting(tmp_path, route) as collector:
        found = await asyncio.wait_for(asyncio.gather(*map(ask_twice, "abc")), 5)
    assert ids_of(found) == "abc"
    assert route.jobs == [list("abc")] * 2


async def test_a_store_that_fails_stops_the_build(tmp_path: Path) -> None:
    def fail(_: list[str]) -> Ended:
        raise StoreError("the disk is full")

    route = opened()
    route.end = fail
    async with collecting(tmp_path, route) as collector:
        with pytest.raises(StoreError, match="full"):
            await ask(collector, "a")


async def test_a_result_is_handed_out_until_nobody_needs_it(tmp_path: Path) -> None:
    route = opened()
    async with collecting(tmp_path, route) as collector:
        await asyncio.gather(*asking(collector, "ab"))
        assert ids_of([await ask(collector, "a")]) == "a"
        collector.done("a")
        assert ids_of([await ask(collector, "a")]) == "a"
    assert route.jobs == [["a", "b"], ["a"]]


async def test_when_all_of_a_job_is_done_nothing_is_left_of_it(tmp_path: Path) -> None:
    async with collecting(tmp_path, opened()) as collector:
        await asyncio.gather(*asking(collector, "ab"))
        collector.done("a")
        await asyncio.sleep(0)
        (file,) = (tmp_path / "batches").iterdir()
        assert b'"done":["a"]' in file.read_bytes()
        collector.done("b")
    assert list((tmp_path / "batches").iterdir()) == []


async def test_the_next_run_joins_the_job_of_the_one_before(tmp_path: Path) -> None:
    route = Noting()
    async with collecting(tmp_path, route) as collector:
        waiting = asking(collector, "abc")
        await asyncio.sleep(4 * QUIET)
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert route.jobs == [list("abc")]
    route.gate.set()
    async with collecting(tmp_path, route) as collector:
        assert ids_of(await asyncio.gather(*asking(collector, "bad"))) == "bad"
    assert route.jobs == [list("abc"), list("abc"), ["d"]]


async def test_what_was_done_before_a_stop_is_asked_anew(tmp_path: Path) -> None:
    route = opened()
    async with collecting(tmp_path, route) as collector:
        await asyncio.gather(*asking(collector, "ab"))
        collector.done("a")
    async with collecting(tmp_path, route) as collector:
        await asyncio.gather(*asking(collector, "ab"))
    assert route.jobs == [["a", "b"], ["a", "b"], ["a"]]


async def test_of_two_jobs_with_one_request_the_newer_counts(tmp_path: Path) -> None:
    for ids in ("ab", "bc"):  # two processes at once may have sent such jobs
        entry = Journal(tmp_path, "here m").new()
        for one in ids:
            entry.add(one)
        entry.note({"started": "yes"})
    route = opened()
    async with collecting(tmp_path, route) as collector:
        await ask(collector, "b")
        assert route.jobs == [["b", "c"]]
        await asyncio.gather(*asking(collector, "abc"))
        assert route.jobs == [["b", "c"], ["a", "b"]]
        for one in "abc":
            collector.done(one)
    assert list((tmp_path / "batches").iterdir()) == []


async def test_a_caller_who_leaves_leaves_his_line_to_whoever_comes_back(tmp_path: Path) -> None:
    route = Noting()
    async with collecting(tmp_path, route) as collector:
        (early,) = asking(collector, "a")
        (other,) = asking(collector, "b")
        await asyncio.sleep(4 * QUIET)
        early.cancel()
        await asyncio.gather(early, return_exceptions=True)
        (again,) = asking(collector, "a")
        route.gate.set()
        assert ids_of([await again, await other]) == "ab"
    assert route.jobs == [["a", "b"]]


async def test_a_stop_while_a_job_is_collected_leaves_nothing(tmp_path: Path) -> None:
    route = Noting()
    async with collecting(tmp_path, route) as collector:
        (waiting,) = asking(collector, "a")
        await asyncio.sleep(QUIET / 5)
        waiting.cancel()
    assert route.jobs == []
    assert list((tmp_path / "batches").iterdir()) == []


async def test_the_meter_shows_the_jobs_under_way(tmp_path: Path) -> None:
    route, meter = Noting(), Meter()
    async with collecting(tmp_path, route, meter=meter) as collector:
        (waiting,) = asking(collector, "a")
        await asyncio.sleep(4 * QUIET)
        assert list(meter.jobs.values()) == ["running"]
        route.gate.set()
        await waiting
        await asyncio.sleep(QUIET)
        assert meter.jobs == {}


async def test_thousands_wait_and_others_may_run_meanwhile(tmp_path: Path) -> None:
    route = Noting()
    async with collecting(tmp_path, route) as collector:
        waiting = [asyncio.create_task(ask(collector, f"{one}")) for one in range(3000)]
        await asyncio.sleep(4 * QUIET)
        turns: list[int] = []

        async def onlooker() -> None:
            while not waiting[-1].done():
                turns.append(sum(one.done() for one in waiting))
                await asyncio.sleep(0)

        route.gate.set()
        await asyncio.gather(onlooker(), *waiting)
    assert any(0 < turn < 3000 for turn in turns)
