"""The files and batches endpoints of a provider, as OpenAI defines them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

import aiohttp

from pipelines.batching.lines import URL
from pipelines.errors import BackendError, TransientError
from pipelines.wire.address import address_of
from pipelines.wire.fault import fault, read_error
from pipelines.wire.reply import read_json
from pipelines.wire.secrets import LONGEST_MESSAGE, Secrets

SILENCE_S = 60.0
"""Longest wait for anything to come, in seconds; a file as a whole may take longer."""
CHUNK = 2**20
PAGE = 100
"""Batches that are listed at once."""
OVER = frozenset({"completed", "failed", "expired", "cancelled"})
"""States that a batch never leaves."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A job as its provider tells of it."""

    id: str
    status: str
    input_file_id: str
    created_at: int
    """Unix time, by the provider's clock; 0 where it does not tell."""
    files: tuple[str, ...]
    """Files with result lines: of requests that were answered, then of those that failed."""
    answered: int
    total: int
    errors: tuple[tuple[str, str], ...]
    """Why the whole of it failed: code and message of each error."""

    @property
    def is_over(self) -> bool:
        """Whether it has ended, well or not."""
        return self.status in OVER

    @property
    def is_ending(self) -> bool:
        """Whether it is over or being cancelled."""
        return self.is_over or self.status == "cancelling"

    @property
    def state(self) -> str:
        """Its state in words.

        >>> Batch("b", "in_progress", "f", 0, (), 12, 5000, ()).state
        'in progress 12/5,000'
        """
        words = self.status.replace("_", " ")
        return f"{words} {self.answered:,}/{self.total:,}" if self.total else words


def read_batch(given: Any) -> Batch:
    """A batch object. Raises TransientError for what is none.

    >>> read_batch({"id": "b", "status": "failed", "errors": {"data": [{"message": "no"}]}}).errors
    (('', 'no'),)
    """
    if not isinstance(given, dict) or not isinstance(given.get("id"), str):
        raise TransientError("the answer is no batch object")
    counts = _table(given.get("request_counts"))
    errors = _table(given.get("errors")).get("data")
    files = given.get("output_file_id"), given.get("error_file_id")
    return Batch(
        id=given["id"],
        status=str(given.get("status")),
        input_file_id=str(given.get("input_file_id")),
        created_at=_number(given.get("created_at")),
        files=tuple(file for file in files if file),
        answered=_number(counts.get("completed")) + _number(counts.get("failed")),
        total=_number(counts.get("total")),
        errors=tuple(map(_read_error, errors if isinstance(errors, list) else ())),
    )


def _read_error(given: Any) -> tuple[str, str]:
    if not isinstance(given, dict):
        return "", str(given)
    return str(given.get("code") or ""), str(given.get("message"))


def _table(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}


def _number(given: Any) -> int:
    return int(given) if isinstance(given, int | float) else 0


class Provider:
    """The endpoints of one server, for one key. Every method raises BackendError."""

    def __init__(
        self, base_url: str, headers: Mapping[str, str], proxy: str | None, secrets: Secrets
    ) -> None:
        """`headers` go with every request, and hold the key."""
        self._base_url, self._secrets = base_url, secrets
        self._session = aiohttp.ClientSession(
            headers=headers,
            proxy=proxy,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=SILENCE_S, sock_read=SILENCE_S),
        )

    async def close(self) -> None:
        """Closes the connections."""
        await self._session.close()

    async def upload(self, name: str, lines: BinaryIO) -> str:
        """Sends a file of requests, which is closed; its id."""
        form = aiohttp.FormData()
        form.add_field("purpose", "batch")
        form.add_field("file", lines, filename=name, content_type="application/jsonl")
        with lines:
            answer = await self._json("POST", "/files", data=form)
        if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
            raise TransientError("the answer is no file object")
        return str(answer["id"])

    async def create(self, file_id: str, window: str, name: str) -> Batch:
        """Starts a batch. `window` is how long it may take, `name` what people see of it."""
        wanted = {"input_file_id": file_id, "endpoint": URL, "completion_window": window}
        return read_batch(
            await self._json("POST", "/batches", json=wanted | {"metadata": {"pairwright": name}})
        )

    async def retrieve(self, batch_id: str) -> Batch | None:
        """A batch as it is now; None where there is none of this id."""
        answer = await self._json("GET", f"/batches/{batch_id}", may_lack=True)
        return None if answer is None else read_batch(answer)

    async def batches(self) -> AsyncIterator[Batch]:
        """All batches, the newest first."""
        after: dict[str, str] = {}
        while True:
            page = await self._json("GET", "/batches", params={"limit": str(PAGE), **after})
            if not isinstance(page, dict) or not isinstance(page.get("data", ""), list | None):
                raise TransientError("the answer is no list of batches")
            found = [read_batch(one) for one in page["data"] or ()]
            for batch in found:
                yield batch
            if not found or not page.get("has_more"):
                return
            after = {"after": found[-1].id}

    async def cancel(self, batch_id: str) -> Batch:
        """Stops a batch; what is answered by then is there, and is to be paid."""
        return read_batch(await self._json("POST", f"/batches/{batch_id}/cancel"))

    async def download(self, file_id: str, into: BinaryIO) -> bool:
        """Appends the content of a file to `into`; False where there is none of this id."""
        start = into.tell()
        try:
            found = await self._ask("GET", f"/files/{file_id}/content", into, may_lack=True)
        except BackendError:
            into.seek(start)
            into.truncate()
            raise
        return found is not None

    async def delete(self, file_id: str) -> None:
        """Deletes a file, if it is still there."""
        await self._ask("DELETE", f"/files/{file_id}", may_lack=True)

    async def _json(self, method: str, path: str, *, may_lack: bool = False, **options: Any) -> Any:
        raw = await self._ask(method, path, may_lack=may_lack, **options)
        return None if raw is None else read_json(raw)

    async def _ask(
        self,
        method: str,
        path: str,
        into: BinaryIO | None = None,
        *,
        may_lack: bool = False,
        **options: Any,
    ) -> bytes | None:
        """The body of an answer, or its bytes `into` a file. None for a 404 that `may_lack`."""
        address = address_of(self._base_url, path)
        options |= {"allow_redirects": False}  # one would carry the key to another host
        try:
            async with self._session.request(method, address.url, **options) as answer:
                if answer.ok and into is not None:
                    async for chunk in answer.content.iter_chunked(CHUNK):
                        await asyncio.to_thread(into.write, chunk)
                    return b""
                raw, status, headers = await answer.read(), answer.status, answer.headers
            if 200 <= status < 300:
                return self._secrets.disclosable(raw)
            if status == 404 and may_lack:
                return None
            failure = fault(status, headers, read_error(raw), datetime.now(UTC))
        except TimeoutError:
            failure = TransientError(f"no answer within {SILENCE_S:g} s", broke_off=True)
        except aiohttp.ClientConnectorError as error:
            failure = TransientError(f"{type(error).__name__}: {error}", unsent=True)
        except (aiohttp.ClientError, ConnectionError) as error:
            failure = TransientError(f"{type(error).__name__}: {error}", broke_off=True)
        # raised out here: the error it stems from holds the request's headers, so the key
        place = f"{method} {address.place}"
        failure.args = (self._secrets.shown(f"{place}: {failure}", 2 * LONGEST_MESSAGE),)
        raise failure
