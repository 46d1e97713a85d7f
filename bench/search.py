"""What a tree search costs beside its model: CPU of an expansion, the window, calls for a pair.

    python bench/search.py [--only overhead|window|naive] [--prompts 192]

overhead   whole units of the sampler with a model that answers at once, in this process, on the loop
           and with the collector that a build has: CPU for each node that is expanded. Counted is
           all from a reply to the next request, each walk and the rows included; not the key under
           which the ledger looks a request up, HTTP, and the model
               core        select, expand, back up
               with steps  and cutting, near-duplicates, priors, ids, rows of responses and nodes
               with questions  and one question about each child: its words, its task, the odds
                           among 20 alternatives
window     trees against a server of 200 ms: how full the window is, as the server counts what is in
           flight. In the steady state: from the moment it was full first, as long as so many trees
           are under way. In all: from the first request to the last answer, while the last trees
           end one after the other. And what share of the prompts' characters a prefix cache would
           have had (blocks of 64)
naive      the same search, one request at a time and one sample in each, as a script would do it
"""

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from threading import Event, Thread
from typing import Any, Self

import uvloop

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipelines.backend import Completion, TokenLogprob  # noqa: E402
from pipelines.build import run_build  # noqa: E402
from pipelines.calls.meter import Meter  # noqa: E402
from pipelines.meanwhile import seldom_collecting  # noqa: E402
from pipelines.part import Where, load_part  # noqa: E402
from pipelines.recipe import read_recipe  # noqa: E402
from pipelines.searching.node import Candidate, Node, grow  # noqa: E402
from pipelines.searching.puct import puct  # noqa: E402
from pipelines.searching.search import search  # noqa: E402
from pipelines.unit import Unit  # noqa: E402
from schemas.canonical import draw_unit  # noqa: E402
from schemas.rows import Judgment, Message, Prompt, prompt_id  # noqa: E402
from tools.chat_server import ChatServer  # noqa: E402

LATENCY_MS = 200.0
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
max_n = {max_n}
[[samplers]]
kind = "mcts"
model = "policy"
evaluation = {{ votes = 1 }}
max_new_tokens = 32
max_tokens = 80
width = {width}
[[pairings]]
kind = "step_siblings"
"""


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=["overhead", "window", "naive"])
    parser.add_argument("--prompts", type=int, default=192)
    given = parser.parse_args()
    if given.only in (None, "overhead"):
        overhead()
    if given.only in (None, "window"):
        window(given.prompts)
    if given.only in (None, "naive"):
        naive()


def overhead() -> None:
    """CPU for each expansion, by how much of the work is done."""
    print("overhead: CPU for each node that is expanded, 256 walks, then 64 for each decision")
    print(f"  the core                 {best_of(core_alone):6.1f} us")
    alone = partial(with_sampler, evaluation={"by": "nothing"}, outcome="none")
    print(f"  with steps and rows      {best_of(alone):6.1f} us")
    print(f"  with questions           {best_of(with_sampler):6.1f} us")


def best_of(run: Callable[[int], int], repeats: int = 40) -> float:
    """Least microseconds of CPU for each expansion: `run(seed)` returns how many there were.

    The least, for others slow a shared machine down.
    """
    figures = []
    for repeat in range(repeats):
        run(repeat % 4)  # what a model would say is known then
        with seldom_collecting():
            start = time.process_time()
            expanded = run(repeat % 4)
            figures.append((time.process_time() - start) / expanded * 1e6)
    return min(figures)


def core_alone(seed: int) -> int:
    """Walks through many trees of four and then two children each; how many were expanded."""
    expanded = 0
    for tree in range(20):
        root = Node()
        for leaves in search(root, puct(), 256, depth_limit=4):
            for leaf in leaves:
                grow(leaf, children_of(seed, tree, leaf.text, 2 if leaf.parent else 4))
                expanded += 1
    return expanded


@cache
def children_of(seed: int, tree: int, text: str, count: int) -> list[Candidate]:
    """Some children, with priors and values."""
    drawn = [draw_unit(seed, tree, text, at) for at in range(count)]
    return [Candidate(f"{at}", one, one) for at, one in enumerate(drawn)]


def with_sampler(seed: int, **fields: Any) -> int:
    """Whole units of a sampler whose model answers at once; how many nodes were expanded."""
    sampler: Any = load_part(
        "samplers",
        {"kind": "mcts", "model": "policy", **fields},
        Where("bench", "[[samplers]]", ROOT),
    )

    async def drawn() -> int:
        expanded = 0
        for number in range(10):
            messages = (Message("user", f"How much is {number} and {seed}?"),)
            unit: Any = Instant(Prompt(prompt_id(messages), messages), None)  # type: ignore[arg-type]
            nodes = (await sampler.draw(unit)).nodes
            expanded += len({node.parent_id for node in nodes} - {None})
        return expanded

    return uvloop.run(drawn())


class Instant(Unit):
    """A unit whose model answers at once, without ledger and window."""

    def draw(self, *path: str | int) -> float:
        return draw_unit(self.unit_id, *path)

    def model(self, _name: str) -> Any:
        return MODEL

    async def judge(self, name: str, responses: Any) -> list[Judgment]:
        return []

    async def sample(self, model: str, messages: Any, **asked: Any) -> list[Completion]:
        last = messages[-1]
        if asked["sampling"].top_logprobs:
            return [VERDICT]
        first, n = asked["first_index"], asked["n"]
        return [step(last.content, at) for at in range(first, first + n)]


MODEL = load_part(
    "backends", {"kind": "scripted", "name": "policy", "default": ""}, Where("bench", "", ROOT)
)
ALTERNATIVES = [("B", 0.5), ("A", 0.4), *((f" word{at}", 0.1 / 18) for at in range(18))]
VERDICT = Completion(
    "B",
    logprobs=(
        TokenLogprob("B", math.log(0.5), tuple((text, math.log(p)) for text, p in ALTERNATIVES)),
    ),
)


@cache
def step(text: str, at: int) -> Completion:
    """Some line of 32 tokens."""
    drawn = f"{draw_unit(text, at):.6f}"
    tokens = [f" w{digit}{place}" for place, digit in enumerate((drawn * 4)[:31])]
    logprobs = tuple(TokenLogprob(token, -0.1) for token in (*tokens, "\n"))
    return Completion("".join(tokens) + "\n", finish_reason="length", logprobs=logprobs)


def window(prompts: int) -> None:
    """How full the window is: many trees, and as many as it has room, with one walk and with four."""
    print(f"window: {LATENCY_MS:g} ms a reply")
    for trees, size, width in ((prompts, 32, 1), (prompts, 64, 1), (64, 64, 1), (32, 64, 4)):
        with ChatServer(latency_ms=(LATENCY_MS,), prefixes=True) as server:
            found = built(trees, size, 128, server, width=width)
        print(
            f"  {trees:4} trees, {found.trees} at once, width {width}, {size} in flight: "
            f"{found.steady / size:6.1%} full, {found.in_flight / size:5.1%} with the end; "
            f"{found.calls:6,} calls, {found.calls / found.pairs:4.1f} a pair, "
            f"{found.wall_s / found.pairs * 1000:4.0f} ms a pair; prefix cache {found.cached:.0%}",
            flush=True,
        )


def naive() -> None:
    """The same search as a script does it, on few prompts."""
    print("naive: one request at a time, one sample in each, 4 prompts")
    with ChatServer(latency_ms=(LATENCY_MS,), prefixes=True) as server:
        found = built(4, 1, 1, server)
    print(
        f"  {found.calls:,} calls, {found.calls / found.pairs:.1f} a pair, "
        f"{found.wall_s / found.pairs * 1000:,.0f} ms a pair"
    )


@dataclass(frozen=True)
class Searched:
    """What a build of searches took of the server, from the first call to the last reply."""

    calls: int
    pairs: int
    wall_s: float
    cached: float
    """Share of the prompts' characters that began an earlier prompt too."""
    in_flight: float
    """Requests in flight, on average."""
    steady: float
    """The same while `trees` trees were under way."""
    trees: int


def built(prompts: int, size: int, max_n: int, server: ChatServer, width: int = 1) -> Searched:
    """Builds pairs of steps for so many prompts, into a store of its own."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        rows = (json.dumps({"question": f"How much is {at} and 1?"}) for at in range(prompts))
        (root / "questions.jsonl").write_text("\n".join(rows))
        recipe = RECIPE.format(url=server.url, window=size, max_n=max_n, width=width)
        (root / "recipe.toml").write_text(recipe)
        trees = min(prompts, 2 * size)
        with Watch(server, Meter(), size, prompts - trees) as watch:
            outcome = run_build(read_recipe(root / "recipe.toml"), root / "store", watch.meter)
    stats, manifest = server.stats(), outcome.manifest
    assert manifest is not None
    return Searched(
        stats["requests"],
        manifest.rows("pairs"),
        stats["span_s"],
        stats["cached_characters"] / stats["prompt_characters"],
        stats["waited_s"] / stats["span_s"],
        watch.steady(),
        trees,
    )


class Watch(Thread):
    """Looks at the server from time to time, from its first full window on.

    Until more than `replaced` trees have ended: no further tree takes the place of the next.
    """

    def __init__(self, server: ChatServer, meter: Meter, size: int, replaced: int) -> None:
        super().__init__(daemon=True)
        self.server, self.meter, self.size, self.replaced = server, meter, size, replaced
        self.seen: list[tuple[float, float]] = []
        self.over = Event()

    def run(self) -> None:
        """Looks at the server until no tree is replaced."""
        while not self.over.wait(0.25):
            stats = self.server.stats()
            if self.meter.units_done > self.replaced:
                return
            if self.seen or stats["max_in_flight"] >= self.size:
                self.seen.append((stats["span_s"], stats["waited_s"]))

    def steady(self) -> float:
        """Requests in flight on average, from the first look to the last; NaN without two."""
        if len(self.seen) < 2:
            return math.nan
        (began, before), (ended, after) = self.seen[0], self.seen[-1]
        return (after - before) / (ended - began)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()


if __name__ == "__main__":
    main()
