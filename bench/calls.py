"""What a call costs: CPU, wall time and memory of a build, beside a bare client in the same run.

    python bench/calls.py [--prompts 500 2000] [--latency-ms 200] [--window 64] [--repeat 3]

Each prompt takes 5 calls: one for 4 answers, and a rating of each. Both clients talk to
tools/chat_server.py on loopback, each in a process of its own; the server's CPU is not counted.
`ideal` is calls x latency / window: what the endpoint alone needs. Medians of the repeats.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tools.chat_server import ChatServer  # noqa: E402

RECIPE = """
name = "bench"
[sources.questions]
kind = "jsonl"
path = "questions.jsonl"
[prompts]
text = "question"
[models.policy]
kind = "openai_api"
base_url = "{url}"
identity = "bench"
window = {window}
[models.critic]
kind = "openai_api"
base_url = "{url}"
identity = "bench"
window = {window}
[[samplers]]
kind = "independent"
model = "policy"
n = 4
[[judges]]
kind = "rating"
model = "critic"
[[pairings]]
kind = "best_worst"
[[filters]]
kind = "margin"
min = 2
"""


@dataclass
class Cost:
    """What one process took."""

    cpu_s: float
    wall_s: float
    peak_mib: float


def measure(command: list[str]) -> Cost:
    """Runs a command to its end. Raises SystemExit where it fails."""
    start = time.perf_counter()
    quiet = os.open(os.devnull, os.O_WRONLY)
    redirect = [(os.POSIX_SPAWN_DUP2, quiet, 1), (os.POSIX_SPAWN_DUP2, quiet, 2)]
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=redirect)
    _, status, used = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    os.close(quiet)
    if status:
        raise SystemExit(f"{' '.join(command)} failed: {os.waitstatus_to_exitcode(status)}")
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def median(costs: list[Cost]) -> Cost:
    return Cost(
        *(
            statistics.median(getattr(cost, name) for cost in costs)
            for name in ("cpu_s", "wall_s", "peak_mib")
        )
    )


def one_run(prompts: int, window: int, latency_ms: float) -> dict[str, Cost]:
    """The same calls by the bare client, by a build, and by that build once more."""
    with (
        tempfile.TemporaryDirectory() as place,
        ChatServer(latency_ms=(latency_ms,)) as server,
    ):
        folder = Path(place)
        rows = (
            f"{number} " + "Explain how this works, step by step. " * 26
            for number in range(prompts)
        )
        lines = (json.dumps({"question": row}) + "\n" for row in rows)
        (folder / "questions.jsonl").write_text("".join(lines))
        (folder / "recipe.toml").write_text(RECIPE.format(url=server.url, window=window))
        bare = [
            str(ROOT / "bench" / "bare_client.py"),
            str(prompts),
            str(window),
            server.url,
            place,
        ]
        build = ["-m", "flows.cli", "build", place + "/recipe.toml", "--store", place + "/store"]
        python = [sys.executable]
        return {
            "bare client": measure(python + bare),
            "build": measure(python + build),
            "build again": measure(python + build),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description="See the head of this file.")
    parser.add_argument("--prompts", type=int, nargs="+", default=[500, 2000])
    parser.add_argument("--latency-ms", type=float, default=200.0)
    parser.add_argument("--window", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    os.chdir(ROOT)
    print(f"{options.latency_ms:g} ms latency, {options.window} in flight")
    for prompts in options.prompts:
        runs = [one_run(prompts, options.window, options.latency_ms) for _ in range(options.repeat)]
        costs = {name: median([run[name] for run in runs]) for name in runs[0]}
        report(
            costs, calls=5 * prompts, ideal=5 * prompts * options.latency_ms / 1000 / options.window
        )


def report(costs: dict[str, Cost], calls: int, ideal: float) -> None:
    bare = costs["bare client"]
    print(f"\n{calls} calls, ideal {ideal:.2f} s")
    print(
        f"{'':12} {'CPU ms/call':>12} {'x bare':>7} {'wall s':>8} {'x ideal':>8} {'peak MiB':>9} {'x bare':>7}"
    )
    for name, cost in costs.items():
        over_ideal = f"{cost.wall_s / ideal:8.2f}" if ideal else f"{'-':>8}"
        print(
            f"{name:12} {cost.cpu_s / calls * 1000:12.3f} {cost.cpu_s / bare.cpu_s:7.2f}"
            f" {cost.wall_s:8.2f} {over_ideal} {cost.peak_mib:9.0f} {cost.peak_mib / bare.peak_mib:7.2f}"
        )


if __name__ == "__main__":
    main()
