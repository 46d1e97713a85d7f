"""A provider of batch jobs for tests: files and batches as OpenAI has them, and faults on request.

A line is answered as `tools/chat_server.py` answers its body, so a build by either route gives the
same. It runs in a thread of the test, which may look at its state and change it at any time.
"""

import argparse
import asyncio
import hashlib
import os
import signal
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import orjson
from aiohttp import web

from tools.chat_server import OPTIONS, Faker

Line = dict[str, Any]


@dataclass
class Stored:
    """A batch at the provider."""

    id: str
    input_file_id: str
    lines: list[Line]
    window: str
    metadata: dict[str, str]
    created_at: int
    status: str = "validating"
    errors: list[dict[str, Any]] = field(default_factory=list)
    answered: list[bytes] = field(default_factory=list)
    failed: list[bytes] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The batch object, as OpenAI has it."""
        counts = {"completed": len(self.answered), "failed": len(self.failed)}
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "completion_window": self.window,
            "created_at": self.created_at,
            "input_file_id": self.input_file_id,
            "status": self.status,
            "metadata": self.metadata,
            "errors": {"object": "list", "data": self.errors} if self.errors else None,
            "output_file_id": self.files.get("output"),
            "error_file_id": self.files.get("error"),
            "request_counts": {"total": len(self.lines), **counts},
        }


class BatchServer:
    """`with BatchServer() as server:` serves at `server.url` until the block ends."""

    def __init__(self, **options: Any) -> None:
        """`options` are those of the chat server."""
        self.faker = Faker(argparse.Namespace(**{**OPTIONS, **options}))
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, Stored] = {}
        self.calls: Counter[str] = Counter()
        """Requests by their kind: "upload", "create", "retrieve", "list", "download", "cancel"..."""
        self.sent: Counter[str] = Counter()
        """How often each custom_id was in a batch that ran."""
        self.faults: dict[str, deque[str]] = defaultdict(deque)
        """Kind of request -> what happens to the next ones: a status, "lost" (done, but answered
        with 502), "broken" (the connection closes) or "kill" and "killed" (`victim`, before and
        after it is done)."""
        self.victim: int | None = None
        """The process that "kill" kills."""
        self.verdicts: deque[list[dict[str, Any]]] = deque()
        """The errors that the validation of the next batches finds."""
        self.endings: deque[tuple[str, int]] = deque()
        """How the next batches end, and after how many answered lines."""
        self.arrange: Callable[[list[bytes]], list[bytes]] = list
        """What becomes of the lines of a result file."""
        self.line_errors: dict[str, tuple[int, Any]] = {}
        """Part of a body -> status and body of its result line; once each."""
        self.most_lines = 10**9
        """Lines that may be enqueued at once."""
        self.step_s = 0.0
        """Seconds between two states of a batch."""
        self.held = False
        """Whether batches stay in progress."""
        self.url = ""

    # --- life

    def __enter__(self) -> Self:
        self._start(0)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def restart(self) -> None:
        """Stops answering for a moment; files and batches are still there."""
        port = int(self.url.split(":")[2].split("/")[0])
        self._stop()
        time.sleep(0.2)
        self._start(port)

    def _start(self, port: int) -> None:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(port, ready), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def _serve(self, port: int, ready: threading.Event) -> None:
        asyncio.run(self._main(port, ready))

    async def _main(self, port: int, ready: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=2**30)
        app.add_routes(
            [
                web.post("/v1/files", self._on("upload", self._upload)),
                web.get("/v1/files/{id}", self._on("file", self._file)),
                web.delete("/v1/files/{id}", self._on("delete", self._delete)),
                web.get("/v1/files/{id}/content", self._on("download", self._download)),
                web.post("/v1/batches", self._on("create", self._create)),
                web.get("/v1/batches", self._on("list", self._list)),
                web.get("/v1/batches/{id}", self._on("retrieve", self._retrieve)),
                web.post("/v1/batches/{id}/cancel", self._on("cancel", self._cancel)),
                web.post("/v1/chat/completions", self._on("chat", self._chat)),
            ]
        )
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True)
        await site.start()
        assert site._server is not None
        bound = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{bound}/v1"
        self._tasks = {asyncio.create_task(self._run(one)) for one in self.batches.values()}
        ready.set()
        await self._over.wait()
        for task in self._tasks:
            task.cancel()
        await runner.cleanup()

    # --- faults

    def _on(self, kind: str, answer: Any) -> Any:
        async def handler(request: web.Request) -> web.StreamResponse:
            self.calls[kind] += 1
            fault = self.faults[kind].popleft() if self.faults[kind] else ""
            if fault == "kill":
                self._kill()
            if fault == "broken" and request.transport is not None:
                request.transport.abort()
            if fault.isdigit():
                return error(int(fault), "as the test wants it")
            answered: web.StreamResponse = await answer(request)
            if fault == "killed":
                self._kill()
            return error(502, "lost on the way") if fault == "lost" else answered

        return handler

    def _kill(self) -> None:
        assert self.victim is not None
        os.kill(self.victim, signal.SIGKILL)

    # --- files

    async def _upload(self, request: web.Request) -> web.Response:
        form = await request.post()
        file = form.get("file")
        if form.get("purpose") != "batch" or not isinstance(file, web.FileField):
            return error(400, "a file with the purpose batch is wanted")
        return web.json_response(self._store(file.file.read(), "batch"))

    def _store(self, content: bytes, purpose: str) -> dict[str, Any]:
        file_id = f"file-{len(self.calls)}{time.monotonic_ns()}"
        self.files[file_id] = content
        return self._file_json(file_id, purpose)

    def _file_json(self, file_id: str, purpose: str = "batch") -> dict[str, Any]:
        known = {"object": "file", "filename": "lines.jsonl", "status": "processed"}
        return known | {
            "id": file_id,
            "bytes": len(self.files[file_id]),
            "created_at": int(time.time()),
            "purpose": purpose,
        }

    async def _file(self, request: web.Request) -> web.Response:
        file_id = request.match_info["id"]
        known = file_id in self.files
        return web.json_response(self._file_json(file_id)) if known else error(404, "no such file")

    async def _delete(self, request: web.Request) -> web.Response:
        file_id = request.match_info["id"]
        if self.files.pop(file_id, None) is None:
            return error(404, "no such file")
        return web.json_response({"id": file_id, "object": "file", "deleted": True})

    async def _download(self, request: web.Request) -> web.Response:
        content = self.files.get(request.match_info["id"])
        return error(404, "no such file") if content is None else web.Response(body=content)

    # --- batches

    async def _create(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        content = self.files.get(wanted["input_file_id"])
        if content is None:
            return error(400, f"Invalid file: {wanted['input_file_id']}")
        made = Stored(
            id=f"batch_{len(self.batches)}",
            input_file_id=wanted["input_file_id"],
            lines=[orjson.loads(line) for line in content.splitlines()],
            window=wanted["completion_window"],
            metadata=wanted.get("metadata") or {},
            created_at=int(time.time()),
        )
        self.batches[made.id] = made
        self._tasks.add(asyncio.create_task(self._run(made)))
        return web.json_response(made.to_json())

    async def _list(self, request: web.Request) -> web.Response:
        newest = [one.to_json() for one in reversed(self.batches.values())]
        ids = [one["id"] for one in newest]
        start = ids.index(request.query["after"]) + 1 if "after" in request.query else 0
        page = newest[start : start + int(request.query.get("limit", 20))]
        more = {"has_more": len(newest) > start + len(page)}
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
        return web.json_response({"object": "list", "data": page, **ends, **more})

    async def _retrieve(self, request: web.Request) -> web.Response:
        found = self.batches.get(request.match_info["id"])
        return error(404, "no such batch") if found is None else web.json_response(found.to_json())

    async def _cancel(self, request: web.Request) -> web.Response:
        found = self.batches[request.match_info["id"]]
        if found.status not in ("completed", "failed", "expired", "cancelled"):
            found.status = "cancelling"
        return web.json_response(found.to_json())

    async def _chat(self, request: web.Request) -> web.Response:
        return web.json_response(self._answer(await request.read()))

    # --- work

    def _answer(self, body: bytes) -> dict[str, Any]:
        return self.faker.reply(body, hashlib.blake2b(body, digest_size=16).digest(), "")

    async def _run(self, batch: Stored) -> None:
        if batch.status == "validating":
            await asyncio.sleep(self.step_s)
            enqueued = sum(
                len(one.lines)
                for one in self.batches.values()
                if one.status in ("in_progress", "finalizing")
            )
            if errors := self._faults_of(batch, enqueued):
                batch.status, batch.errors = "failed", errors
                return
            batch.status = "in_progress"
            self.sent.update(line["custom_id"] for line in batch.lines)
        if batch.status == "in_progress":
            ending, count = self.endings.popleft() if self.endings else ("completed", 10**9)
            if not batch.answered and not batch.failed:  # else it did so before a restart
                self._work(batch, count)
            await until(
                lambda: batch.status != "in_progress" or not (self.held or ending == "held")
            )
            await asyncio.sleep(self.step_s)
            if batch.status == "cancelling":
                ending = "cancelled"
            self._finish(batch, ending)

    def _faults_of(self, batch: Stored, enqueued: int) -> list[dict[str, Any]]:
        if self.verdicts:
            return self.verdicts.popleft()
        if len(batch.lines) + enqueued > self.most_lines:
            said = f"Enqueued token limit reached. Limit: {self.most_lines} enqueued tokens."
            return [{"code": "token_limit_exceeded", "message": said, "line": None}]
        ids = Counter(line["custom_id"] for line in batch.lines)
        doubled = [custom_id for custom_id, count in ids.items() if count > 1]
        models = {line["body"]["model"] for line in batch.lines}
        if doubled or len(models) > 1:
            return [
                {"code": "invalid", "message": f"doubled {doubled}, models {models}", "line": 1}
            ]
        return []

    def _work(self, batch: Stored, count: int) -> None:
        for line in batch.lines[:count]:
            body = orjson.dumps(line["body"])
            part = next((part for part in self.line_errors if part.encode() in body), None)
            if part is not None:
                status, said = self.line_errors.pop(part)
                batch.failed.append(result_line(line["custom_id"], status, said))
            elif self.faker.outcome(hashlib.blake2b(body).digest()) == "400":
                said = {"error": {"message": "refused", "type": "invalid_request_error"}}
                batch.failed.append(result_line(line["custom_id"], 400, said))
            else:
                batch.answered.append(result_line(line["custom_id"], 200, self._answer(body)))

    def _finish(self, batch: Stored, ending: str) -> None:
        ended = {orjson.loads(line)["custom_id"] for line in (*batch.answered, *batch.failed)}
        for line in batch.lines:
            if line["custom_id"] not in ended:
                code = f"batch_{ending}"
                said = {"code": code, "message": "This request could not be executed."}
                batch.failed.append(
                    orjson.dumps(
                        {"id": "b", "custom_id": line["custom_id"], "response": None, "error": said}
                    )
                )
        for name, lines in (("output", batch.answered), ("error", batch.failed)):
            if lines:
                content = b"\n".join(self.arrange(lines))
                batch.files[name] = self._store(content, "batch_output")["id"]
        batch.status = ending


async def until(happened: Callable[[], bool]) -> None:
    """Returns once it has: what another thread changes sets no event."""
    while not happened():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def result_line(custom_id: str, status: int, body: Any) -> bytes:
    """A line of a result file."""
    response = {"status_code": status, "request_id": "r", "body": body}
    line = {"id": f"batch_req_{custom_id}", "custom_id": custom_id, "response": response}
    return orjson.dumps(line | {"error": None})


def error(status: int, message: str) -> web.Response:
    """An error as OpenAI has it."""
    said = {"error": {"message": message, "type": "test", "param": None, "code": None}}
    return web.json_response(said, status=status)
