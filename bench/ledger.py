"""What the ledger costs: to write, to open and to look up, beside SQLite and a bare journal.

    python bench/ledger.py [--samples 100000 1000000] [--per-record 1 4] [--repeat 3]

Each kind is written by one process and read by another (bare_ledgers.py). CPU is user and system
time of all threads. Texts have about 1 KB, and lookups go to random samples. Medians of the
repeats. The largest round takes about 4 KB of disk for each sample; TMPDIR says where.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

KINDS = ("ledger", "sqlite", "journal")

COLUMNS = {
    "put us": "CPU of a record",
    "puts/s": "by the clock",
    "open us": "CPU of a sample",
    "hit us": "CPU of a lookup, with its completion",
    "miss us": "CPU of a lookup",
    "B/sample": "memory that opening takes at its peak",
    "disk KB": "of a sample",
}


def one_run(samples: int, per_record: int) -> dict[str, dict[str, float]]:
    """The figures of each kind."""
    with tempfile.TemporaryDirectory() as place:
        return {kind: figures(kind, samples, per_record, Path(place) / kind) for kind in KINDS}


def figures(kind: str, samples: int, per_record: int, folder: Path) -> dict[str, float]:
    folder.mkdir()
    measured: dict[str, float] = {}
    for job in ("write", "read"):
        child = str(Path(__file__).with_name("bare_ledgers.py"))
        command = [sys.executable, child, kind, job, str(samples), str(per_record), str(folder)]
        measured |= json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return measured


def report(samples: int, per_record: int, runs: Sequence[dict[str, dict[str, float]]]) -> None:
    rows = {
        kind: [statistics.median(run[kind][column] for run in runs) for column in COLUMNS]
        for kind in KINDS
    }
    print(f"\n{samples} samples, {per_record} in a record")
    print(f"{'':18}" + "".join(f"{name:>10}" for name in COLUMNS))
    for kind, row in rows.items():
        print(f"{kind:18}" + "".join(f"{figure:10.2f}" for figure in row))
    for other in KINDS[1:]:
        ratios = (
            a / b if b else float("nan") for a, b in zip(rows["ledger"], rows[other], strict=True)
        )
        print(f"{'ledger / ' + other:18}" + "".join(f"{ratio:10.2f}" for ratio in ratios))


def main() -> None:
    parser = argparse.ArgumentParser(description="See the head of this file.")
    parser.add_argument("--samples", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--per-record", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    for name, meaning in COLUMNS.items():
        print(f"{name:9} {meaning}")
    for samples in options.samples:
        for per_record in options.per_record:
            runs = [one_run(samples, per_record) for _ in range(options.repeat)]
            report(samples, per_record, runs)


if __name__ == "__main__":
    main()
