"""What a call costs: CPU, wall time and memory of a build, beside bare clients in the same run.

    python bench/calls.py [--stub STUB.c] [--reference CLIENT.py] [--only "200 ms"] [--repeat 3]

A prompt takes 5 calls: one for 4 answers, and a rating of each. The bare client makes the same
calls and keeps the replies, and does nothing else (`bare_client.py`). Another one can be named by
`--reference`: it is called as `CLIENT.py pref PROMPTS WINDOW URL --n4 0`, also 5 calls a prompt.

Every client runs in a process of its own, imports included, and so does the server, whose CPU is
not counted. `ideal` is calls x mean latency / window: what the endpoint alone needs. The figures
are medians of the repeats. The page that a build draws once is left out
(`publish.report = false`). "further" and "KiB" are what each further call takes, of CPU and of peak
memory: the difference between the two sizes, so without start and end. "load" is that of the
machine, over the last 15 minutes.
"""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.measure import Cost, measure, median  # noqa: E402
from bench.servers import Latency, serving  # noqa: E402

CALLS_A_PROMPT = 5

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
system = "STUB-RATING"
[publish]
report = false
[[pairings]]
kind = "best_worst"
[[filters]]
kind = "margin"
min = 2
"""


@dataclass(frozen=True)
class Scenario:
    """One way to serve, at two numbers of prompts."""

    latency: Latency
    window: int
    prompts: tuple[int, int]

    def __str__(self) -> str:
        return f"{self.latency}, {self.window} in flight"


SCENARIOS = (
    Scenario(Latency(200), 64, (500, 5000)),
    Scenario(Latency(200, sigma=0.6), 64, (500, 2000)),
    Scenario(Latency(200), 1024, (2000, 8000)),
    Scenario(Latency(0), 64, (500, 5000)),
)


def one_run(
    scenario: Scenario, prompts: int, stub: Path | None, reference: Path | None
) -> dict[str, Cost]:
    """The costs of each client for the same work, against one server."""
    window = str(scenario.window)
    with tempfile.TemporaryDirectory() as place, serving(scenario.latency, stub) as url:
        folder = Path(place)
        rows = (
            f"{number} " + "Explain how this works, step by step. " * 26
            for number in range(prompts)
        )
        lines = (json.dumps({"question": row}) + "\n" for row in rows)
        (folder / "questions.jsonl").write_text("".join(lines))
        (folder / "recipe.toml").write_text(RECIPE.format(url=url, window=window))
        bare = ["bench/bare_client.py", str(prompts), window, url, place]
        build = ["-m", "flows.cli", "build", f"{place}/recipe.toml", "--store", f"{place}/store"]
        clients = {"bare client": bare, "build": build, "build again": build}
        if reference is not None:
            journal = ["--journal", f"{place}/reference.jsonl", "--n4", "0"]
            clients["reference"] = [str(reference), "pref", str(prompts), window, url, *journal]
        return {name: measure([sys.executable, *command]) for name, command in clients.items()}


def report(scenario: Scenario, costs: dict[int, dict[str, Cost]]) -> None:
    """A table of one scenario; `costs` by the number of calls."""
    print(f"\n{scenario}, load {os.getloadavg()[2]:.1f}")
    print(
        f"{'calls':>7} {'':12} {'CPU ms/call':>11} {'further':>8} {'x bare':>7}"
        f" {'wall s':>8} {'x ideal':>8} {'peak MiB':>9} {'KiB':>6}"
    )
    smallest = min(costs)
    for calls, of_clients in costs.items():
        ideal = calls * scenario.latency.mean_ms / 1000 / scenario.window
        for name, cost in of_clients.items():
            further, grown = "-", "-"
            if calls > smallest:
                first, more = costs[smallest][name], calls - smallest
                further = f"{(cost.cpu_s - first.cpu_s) / more * 1000:.3f}"
                grown = f"{(cost.peak_mib - first.peak_mib) / more * 1024:.2f}"
            over_ideal = f"{cost.wall_s / ideal:.2f}" if ideal and "again" not in name else "-"
            print(
                f"{calls:7} {name:12} {cost.cpu_s / calls * 1000:11.3f} {further:>8}"
                f" {cost.cpu_s / of_clients['bare client'].cpu_s:7.2f}"
                f" {cost.wall_s:8.2f} {over_ideal:>8} {cost.peak_mib:9.0f} {grown:>6}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description="See the head of this file.")
    parser.add_argument("--stub", type=Path, help="C file of a stub server; default: our own")
    parser.add_argument("--reference", type=Path, help="a further client to measure beside")
    parser.add_argument("--only", default="", help="scenarios whose name contains this text")
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    stub = options.stub and options.stub.resolve()
    reference = options.reference and options.reference.resolve()
    os.chdir(ROOT)
    for scenario in SCENARIOS:
        if options.only not in str(scenario) or (scenario.latency.sigma and stub is None):
            continue
        costs = {}
        for prompts in scenario.prompts:
            runs = [one_run(scenario, prompts, stub, reference) for _ in range(options.repeat)]
            costs[prompts * CALLS_A_PROMPT] = {
                name: median([run[name] for run in runs]) for name in runs[0]
            }
        report(scenario, costs)


if __name__ == "__main__":
    main()
