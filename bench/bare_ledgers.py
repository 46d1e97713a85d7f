"""Writes or reads one kind of ledger in a process of its own: what `ledger.py` measures.

    python bench/bare_ledgers.py KIND write|read SAMPLES PER_RECORD FOLDER

Beside the ledger itself: `sqlite`, a table with a transaction for each reply, and `journal`, the
bare minimum: one file, one write for each reply, a dictionary of where it lies. The journal has no
checksums, syncs nothing and knows one writer only; it is a yardstick and no part of the product.
"""

import hashlib
import json
import os
import random
import resource
import sqlite3
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson

sys.path.insert(0, str(Path(__file__).parents[1]))

from pipelines.backend import Completion, Reply
from pipelines.calls.ledger import Ledger
from pipelines.calls.prices import Usage

LOOKUPS = 100_000
"""Samples that are looked up, drawn with replacement."""
UNITS = [hashlib.sha256(b"unit %d" % number).hexdigest()[:32] for number in range(4096)]
TEXT = "Explain how this works, step by step, and say what you are not sure of. " * 14


class Sqlite:
    """A write-ahead log that is not synced with each transaction: as safe as the ledger."""

    def __init__(self, folder: Path) -> None:
        self.base = sqlite3.connect(folder / "samples.sqlite", isolation_level=None)
        self.base.execute("PRAGMA journal_mode = WAL")
        self.base.execute("PRAGMA synchronous = NORMAL")
        self.base.execute(
            "CREATE TABLE IF NOT EXISTS samples"
            " (key BLOB, number INTEGER, sample BLOB, PRIMARY KEY (key, number))"
        )

    def put(self, unit: str, key: bytes, indices: list[int], reply: Reply) -> None:
        rows = [(key, *row) for row in zip(indices, map(to_json, reply.completions), strict=True)]
        if len(rows) == 1:
            self.base.execute("INSERT OR IGNORE INTO samples VALUES (?, ?, ?)", rows[0])
            return
        self.base.execute("BEGIN")
        self.base.executemany("INSERT OR IGNORE INTO samples VALUES (?, ?, ?)", rows)
        self.base.execute("COMMIT")

    def get(self, unit: str, key: bytes, index: int) -> Completion | None:
        found = self.base.execute(
            "SELECT sample FROM samples WHERE key = ? AND number = ?", (key, index)
        ).fetchone()
        return found and Completion(**orjson.loads(found[0]))

    def close(self) -> None:
        self.base.close()


class Journal:
    """Lines of JSON, and in memory where each begins."""

    def __init__(self, folder: Path) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        self.file = os.open(folder / "journal.jsonl", flags)
        self.places: dict[tuple[bytes, int], tuple[int, int]] = {}
        self.end = 0
        with open(self.file, "rb", closefd=False) as lines:
            for line in lines:
                key, indices, _ = orjson.loads(line)
                self._found(bytes.fromhex(key), indices, len(line))

    def put(self, unit: str, key: bytes, indices: list[int], reply: Reply) -> None:
        completions = [to_dict(completion) for completion in reply.completions]
        line = orjson.dumps([key.hex(), indices, completions]) + b"\n"
        os.write(self.file, line)
        self._found(key, indices, len(line))

    def get(self, unit: str, key: bytes, index: int) -> Completion | None:
        place = self.places.get((key, index))
        if place is None:
            return None
        offset, length = place
        _, indices, completions = orjson.loads(os.pread(self.file, length, offset))
        return Completion(**completions[indices.index(index)])

    def close(self) -> None:
        os.close(self.file)

    def _found(self, key: bytes, indices: list[int], length: int) -> None:
        for index in indices:
            self.places[key, index] = self.end, length
        self.end += length


def to_dict(completion: Completion) -> dict[str, object]:
    return {
        "text": completion.text,
        "finish_reason": completion.finish_reason,
        "completion_tokens": completion.completion_tokens,
        "prompt_tokens": completion.prompt_tokens,
    }


def to_json(completion: Completion) -> bytes:
    return orjson.dumps(to_dict(completion))


KINDS = {"ledger": Ledger, "sqlite": Sqlite, "journal": Journal}


def key_of(number: int) -> bytes:
    return hashlib.sha256(b"request %d" % number).digest()[:16]


def replies(records: int, per_record: int) -> Iterator[tuple[str, bytes, Reply]]:
    """Unit, request key and reply of each record: texts of about 1 KB."""
    made = [
        Reply(
            tuple(
                Completion(f"{number} {place} {TEXT}", None, (), "stop", None, None, 250, 300)
                for place in range(per_record)
            ),
            Usage(300, 0, 250 * per_record, 0),
        )
        for number in range(100)
    ]
    for number in range(records):
        yield UNITS[number % len(UNITS)], key_of(number), made[number % len(made)]


class Clock:
    """CPU of all threads and wall time, in seconds, from one `lap` to the next."""

    def __init__(self) -> None:
        self.lap()

    def lap(self) -> tuple[float, float]:
        before = getattr(self, "now", (0.0, 0.0))
        self.now = time.process_time(), time.perf_counter()
        return self.now[0] - before[0], self.now[1] - before[1]


def write(kind: str, samples: int, per_record: int, folder: Path) -> dict[str, float]:
    records, indices = samples // per_record, list(range(per_record))
    clock = Clock()
    for _ in replies(records, per_record):
        pass
    idle_cpu, idle_wall = clock.lap()
    store = KINDS[kind](folder)
    for unit, key, reply in replies(records, per_record):
        store.put(unit, key, indices, reply)
    store.close()
    cpu, wall = clock.lap()
    disk = sum(file.stat().st_size for file in folder.rglob("*.*"))
    return {
        "put us": (cpu - idle_cpu) / records * 1e6,
        "puts/s": records / (wall - idle_wall),
        "disk KB": disk / samples / 1000,
    }


def read(kind: str, samples: int, per_record: int, folder: Path) -> dict[str, float]:
    records, draw = samples // per_record, random.Random(0)
    drawn = [(draw.randrange(records), draw.randrange(per_record)) for _ in range(LOOKUPS)]
    there = [(UNITS[0], key_of(number), index) for number, index in drawn]
    absent = [(UNITS[0], key_of(records + number), index) for number, index in drawn]
    memory, clock = peak(), Clock()
    store = KINDS[kind](folder)
    opened, memory = clock.lap()[0], peak() - memory
    found = sum(store.get(*sample) is not None for sample in there)
    hit = clock.lap()[0]
    found -= sum(store.get(*sample) is None for sample in absent)
    missed = clock.lap()[0]
    if found:
        raise SystemExit(f"{kind}: a lookup went wrong")
    return {
        "open us": opened / samples * 1e6,
        "hit us": hit / LOOKUPS * 1e6,
        "miss us": missed / LOOKUPS * 1e6,
        "B/sample": memory / samples,
    }


def peak() -> int:
    """Bytes of memory that the process has held at most."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    kind, job, samples, per_record, folder = sys.argv[1:]
    measured = {"write": write, "read": read}[job]
    print(json.dumps(measured(kind, int(samples), int(per_record), Path(folder))), flush=True)
    os._exit(0)  # to take a dictionary of a million apart takes its time
