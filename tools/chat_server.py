"""A chat-completions server for tests and benchmarks: fast, deterministic, and faulty on request.

    python tools/chat_server.py --port 0 --latency-ms 5 50 --e500 0.05 --e429 0.05

It prints `listening on http://127.0.0.1:PORT/v1` once it is ready. An answer is a pure function of
(seed, body, choice); whether an attempt fails, of (seed, body, number of the attempt), and a 400
of (seed, body). A body that asks for `Rating:`, `Verdict:` or a letter is judged. A token is 4
characters, and `max_tokens` is kept to. `GET /stats` counts, `GET /reset` forgets, `GET
/set?e500=0.2` changes an option. In tests: `with ChatServer(e500=0.05)`.
"""

import argparse
import asyncio
import hashlib
import http
import json
import re
import selectors
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections import Counter
from typing import Any, Self

import orjson
import uvloop

OPTIONS: dict[str, Any] = {
    "port": 0,  # 0: any free port
    "seed": 0,  # another seed gives other answers and other failures
    "latency_ms": (0.0,),  # one number, or two: drawn from the body between them
    "e500": 0.0,  # share of attempts answered with 500
    "e429": 0.0,  # share of attempts answered with 429
    "retry_after": 0.2,  # seconds in the Retry-After of a 429
    "e400": 0.0,  # share of bodies that are always answered with 400
    "hang": 0.0,  # share of attempts that get no answer, and a closed connection...
    "hang_s": 3.0,  # ...after so many seconds
    "drop": 0.0,  # share of attempts whose connection is closed unanswered
    "truncate": 0.0,  # share of attempts whose answer breaks off
    "bad_judge": 0.0,  # share of judgments without a rating or verdict
    "rps": 0.0,  # requests a second beyond which 429 is answered; 0: any
    "max_n": 0,  # most choices in a reply; 0: as many as asked
    "no_usage": False,  # leave out the usage
    "prefixes": False,  # count the characters of prompts that began an earlier one too
    "echo_key": False,  # repeat the key in errors and answers
}
FAULTS = {"e500": "500", "e429": "429", "hang": "hang", "drop": "drop", "truncate": "truncate"}
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
KEY = re.compile(rb"\r\n(?:authorization|api-key): *(?:bearer )?([^\r]*)", re.IGNORECASE)
TOKEN = 4  # characters
BLOCK = 16 * TOKEN  # characters that a prefix cache keeps together
WORDS = [a + b + c for a in "bdfglmnprst" for b in "aeiou" for c in "kln"]


def draw(*path: Any) -> float:
    """A number in [0, 1) that depends on `path` alone."""
    digest = hashlib.blake2b(repr(path).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


class Faker:
    """What the server answers, and what it has counted."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.in_flight = options, 0
        drawn = hashlib.shake_128(b"%d" % options.seed).digest(256 * 16)
        lines = [" ".join(WORDS[byte % len(WORDS)] for byte in drawn[at::256]) for at in range(256)]
        self.sentences = [line.capitalize() + "." for line in lines]
        self.reset()

    def reset(self) -> None:
        """Forgets counts and attempts; what is in flight stays so."""
        self.attempts: Counter[bytes] = Counter()
        self.served: set[bytes] = set()
        self.statuses: Counter[str] = Counter()
        self.paid = self.paid_twice = 0
        self.max_in_flight = self.in_flight
        self.second, self.in_second = 0.0, 0
        self.first = self.last = self.waited = 0.0
        self.blocks: set[int] = set()
        self.read = self.read_before = 0

    def stats(self) -> dict[str, Any]:
        """Counts; `paid_twice` are completions whose body had been answered with 200 before.

        `span_s` are the seconds from the first request to the last answer, `waited_s` the sum over
        requests of those that each was in flight.
        """
        requests, unique = self.attempts.total(), len(self.attempts)
        counts = {"requests": requests, "unique_bodies": unique, "statuses": self.statuses}
        counts |= {"duplicate_bodies": requests - unique, "completions": self.paid}
        counts |= {"paid_twice": self.paid_twice, "in_flight": self.in_flight}
        counts |= {"prompt_characters": self.read, "cached_characters": self.read_before}
        counts |= {"span_s": self.last - self.first, "waited_s": self.waited}
        return counts | {"max_in_flight": self.max_in_flight}

    def count(self, by: int) -> None:
        """One request more, or one less, is in flight from now on."""
        now = time.monotonic()
        self.waited += self.in_flight * (now - self.last) if self.first else 0.0
        self.first, self.last = self.first or now, now
        self.in_flight += by
        self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def change(self, query: str) -> dict[str, Any]:
        """Sets options, as in "e500=0.2&latency_ms=[5, 50]"; all options."""
        for name, text in urllib.parse.parse_qsl(query):
            setattr(self.options, name, type(OPTIONS[name])(json.loads(text.lower())))
        return vars(self.options)

    def outcome(self, body: bytes) -> str:
        """What happens to this attempt: a status, or the name of a fault without one."""
        options, attempt = self.options, self.attempts[body]
        self.attempts[body] += 1
        if options.rps and self._too_fast():
            return "429"
        if options.e400 and draw(options.seed, body, "400") < options.e400:
            return "400"
        shares = [(outcome, getattr(options, name)) for name, outcome in FAULTS.items()]
        drawn = draw(options.seed, body, attempt) if any(share for _, share in shares) else 1.0
        for outcome, share in shares:
            if drawn < share:
                return outcome
            drawn -= share
        return "200"

    def _too_fast(self) -> bool:
        now = time.monotonic()
        if now - self.second >= 1:
            self.second, self.in_second = now, 0
        self.in_second += 1
        return bool(self.in_second > self.options.rps)

    def latency(self, body: bytes) -> float:
        """Seconds until the answer."""
        low, high = float(self.options.latency_ms[0]), float(self.options.latency_ms[-1])
        return (low + (high - low) * draw(body, "latency")) / 1000 if high else 0.0

    def reply(self, raw: bytes, body: bytes, echo: str) -> dict[str, Any]:
        """The reply to `raw`, whose digest is `body`; counted as paid."""
        asked = orjson.loads(raw)
        if self.options.prefixes:
            self._read(asked["messages"])
        count = min(asked.get("n") or 1, self.options.max_n or 128)
        self.paid += count
        self.paid_twice += count if body in self.served else 0
        self.served.add(body)
        limit = TOKEN * (asked.get("max_completion_tokens") or asked.get("max_tokens") or 2**20)
        choices = [self._choice(raw, body, index, echo, limit) for index in range(count)]
        reply = {"id": f"chatcmpl-{body.hex()}", "object": "chat.completion", "created": 0}
        reply |= {"model": asked["model"], "choices": choices}
        if not self.options.no_usage:
            written = sum(len(one["message"]["content"]) for one in choices) // TOKEN
            usage = {"prompt_tokens": len(raw) // TOKEN, "completion_tokens": written}
            reply["usage"] = usage | {"total_tokens": len(raw) // TOKEN + written}
        return reply

    def _read(self, messages: list[dict[str, Any]]) -> None:
        """Counts a prompt as a prefix cache does: by blocks, each with all that is before it."""
        text = "".join(f"{one['role']}: {one['content']}\n" for one in messages)[:-1]
        self.read += len(text)
        chain, cached = 0, True
        for start in range(0, len(text) - BLOCK + 1, BLOCK):
            chain = hash((chain, text[start : start + BLOCK]))
            cached = cached and chain in self.blocks
            self.read_before += BLOCK if cached else 0
            self.blocks.add(chain)

    def _choice(self, raw: bytes, body: bytes, index: int, echo: str, limit: int) -> dict[str, Any]:
        drawn = hashlib.shake_128(b"%d %d %b" % (self.options.seed, index, body)).digest(64)
        ends = (f"Rating: {1 + drawn[3] % 10}", f"Verdict: {('A', 'B', 'tie')[drawn[3] % 3]}")
        asked = [end for end in ends if end.partition(" ")[0].encode() in raw]
        length = 2 if asked else 3 + drawn[0] % 58
        text = echo + " ".join([self.sentences[byte] for byte in drawn[4 : 4 + length]])
        if asked:
            bad = drawn[1] / 256 + drawn[2] / 65536 < self.options.bad_judge
            text += "\n\nI cannot decide." if bad else f"\n\n{asked[0]}"
        if b"Reply with the letter alone" in raw:
            text = "AB"[drawn[3] % 2]
        elif b"Corrected answer" in raw:
            text = f"Reasoning:\nIt can be clearer.\n\nCorrected answer:\n{text}"
        elif b'begins with \\"Answer:' in raw:
            text = f"It should be short.\n\nAnswer: {text}"
        elif b"start with ###" in raw:
            text = "\n".join(f"### {n}\n{self.sentences[drawn[8 + n]]} {text}" for n in range(1, 5))
        message = {"role": "assistant", "content": text[:limit], "refusal": None}
        ended = "length" if len(text) > limit else "stop"
        return {"index": index, "message": message, "logprobs": None, "finish_reason": ended}


class Connection(asyncio.Protocol):
    """One client's connection: requests one after the other."""

    transport: asyncio.Transport

    def __init__(self, faker: Faker) -> None:
        self.faker, self.unread, self.busy = faker, b"", False

    def connection_made(self, transport: Any) -> None:
        """See asyncio.Protocol."""
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        """The client has left: what it asked for is counted all the same, and not sent."""
        self.unread = b""

    def data_received(self, data: bytes) -> None:
        """Starts on the next request once all of it is here."""
        self.unread += data
        head, found, rest = self.unread.partition(b"\r\n\r\n")
        if self.busy or not found:
            return
        length = LENGTH.search(head)
        size = int(length[1]) if length else 0
        raw, rest, whole = rest[:size], rest[size:], len(rest) >= size
        if CHUNKED.search(head):
            raw, rest, whole = unchunked(raw + rest)
        if whole:
            self.unread = rest
            method, _, rest = head.partition(b" ")
            target = rest.partition(b" ")[0]
            chat = method == b"POST" and target.partition(b"?")[0].endswith(b"/chat/completions")
            self._chat(raw, head) if chat else self._control(target.decode())

    def _control(self, target: str) -> None:
        path, _, query = target.partition("?")
        if path == "/reset":
            self.faker.reset()
        known = path in ("/stats", "/reset", "/set")
        counts = self.faker.change(query) if path == "/set" else self.faker.stats()
        self._send(*((200, counts) if known else (404, {"error": f"no such path: {path}"})))

    def _chat(self, raw: bytes, head: bytes) -> None:
        faker, self.busy = self.faker, True
        faker.count(1)
        body = hashlib.blake2b(raw, digest_size=16).digest()
        outcome = faker.outcome(body)
        wait = faker.options.hang_s if outcome == "hang" else faker.latency(body)
        loop = asyncio.get_running_loop()
        loop.call_later(wait, self._answer, raw, body, head, outcome)

    def _answer(self, raw: bytes, body: bytes, head: bytes, outcome: str) -> None:
        faker, self.busy = self.faker, False
        faker.count(-1)
        faker.statuses[outcome] += 1
        key = KEY.search(head) if faker.options.echo_key else None
        echo = f"{key[1].decode()} " if key else ""
        if outcome == "200":
            try:
                self._send(200, faker.reply(raw, body, echo))
            except (KeyError, TypeError, ValueError) as error:
                self._send(400, {"error": {"message": f"no chat request: {error!r}"}})
        elif outcome.isdigit():
            wait = f"Retry-After: {faker.options.retry_after}\r\n" if outcome == "429" else ""
            self._send(int(outcome), {"error": {"message": f"{echo}simulated {outcome}"}}, wait)
        else:
            if outcome == "truncate" and not self.transport.is_closing():
                self.transport.write(b'HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{"choices": [')
            self.transport.close()
        self.data_received(b"")

    def _send(self, status: int, reply: Any, headers: str = "") -> None:
        if self.transport.is_closing():
            return
        body = orjson.dumps(reply)
        head = f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n{headers}"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


def unchunked(rest: bytes) -> tuple[bytes, bytes, bool]:
    """A chunked body, what follows it, and whether it is whole."""
    body, size = b"", -1
    while size:
        line, found, rest = rest.partition(b"\r\n")
        size = int(line, 16) if found else 0
        if len(rest) < size + 2:
            return b"", b"", False
        body, rest = body + rest[:size], rest[size + 2 :]
    return body, rest, True


async def serve(options: argparse.Namespace) -> None:
    """Serves until it is killed."""
    faker, loop = Faker(options), asyncio.get_running_loop()
    place = ("127.0.0.1", options.port)
    server = await loop.create_server(lambda: Connection(faker), *place, backlog=4096)
    print(f"listening on http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


class ChatServer:
    """The server as a child process, which ends with the `with` block; OPTIONS are keywords."""

    def __init__(self, **options: Any) -> None:
        self.url, self.command = "", [sys.executable, __file__]
        for name, value in options.items():
            values = value if isinstance(value, tuple) else () if value is True else (value,)
            self.command += [f"--{name.replace('_', '-')}", *map(str, values)]

    def __enter__(self) -> Self:
        self.child = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        assert self.child.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self.child.stdout, selectors.EVENT_READ)
            line = self.child.stdout.readline() if selector.select(timeout=30) else ""
        self.url = line.removeprefix("listening on ").strip()
        if not self.url:
            self.__exit__()
            raise RuntimeError("the chat server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self.child.kill()
        self.child.communicate()

    def stats(self) -> dict[str, Any]:
        """The counts since the start, or since the last reset."""
        counts: dict[str, Any] = self.get("/stats")
        return counts

    def reset(self) -> None:
        """Forgets counts and attempts."""
        self.get("/reset")

    def set(self, **options: Any) -> None:
        """Changes options while the server runs; a latency is a list."""
        self.get("/set?" + urllib.parse.urlencode(options))

    def get(self, path: str) -> Any:
        """The JSON at `path`, whatever proxy the environment names."""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(self.url.removesuffix("/v1") + path, timeout=30) as answer:
            return json.load(answer)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    special = {bool: {"action": "store_true"}, tuple: {"type": float, "nargs": "+"}}
    for name, default in OPTIONS.items():
        shape: Any = special.get(type(default), {"type": type(default)})
        parser.add_argument(f"--{name.replace('_', '-')}", default=default, **shape)
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
