"""What a build by batch jobs costs: CPU for each request, and memory at several windows.

    python bench/batch.py --prompts 50000 --windows 20000 50000

Each prompt asks for 4 answers in one request, and has each of them rated: 5 requests. A local
provider, in a process of its own, runs every job at once. Memory is the peak of the whole build,
its tables included; the first line is the same build by calls, 64 at once.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.calls import RECIPE  # noqa: E402
from bench.measure import Cost, measure  # noqa: E402

BY_BATCH = 'kind = "openai_batch"\npoll_s = 0.5\ncollect_s = 2.0'
BUILD = ("-m", "flows.cli", "build")
REQUESTS_A_PROMPT = 5
ONLINE = 64
"""The window of a build by calls."""


def serve(ours: Connection) -> None:
    """A provider, until the other end says something; tells its URL first."""
    from tests.batch_server import BatchServer

    with BatchServer() as server:
        ours.send(server.url)
        ours.recv()
        ours.send(len(server.batches))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prompts", type=int, default=5000)
    parser.add_argument("--windows", type=int, nargs="+", default=[20_000])
    chosen = parser.parse_args()
    print("prompts  window  jobs  CPU s  ms a request  wall s  peak MiB")
    for window in (ONLINE, *chosen.windows):
        theirs, ours = multiprocessing.Pipe()
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(ours,))
        server.start()
        with tempfile.TemporaryDirectory() as folder:
            cost = build(Path(folder), theirs.recv(), chosen.prompts, window)
        theirs.send("enough")
        jobs = theirs.recv()
        server.join()
        each = cost.cpu_s * 1000 / (REQUESTS_A_PROMPT * chosen.prompts)
        print(
            f"{chosen.prompts:7,}  {window:6,}  {jobs:4}  {cost.cpu_s:5.1f}  {each:12.2f}  "
            f"{cost.wall_s:6.1f}  {cost.peak_mib:8,.0f}"
        )


def build(folder: Path, url: str, prompts: int, window: int) -> Cost:
    """What one build takes."""
    rows = (json.dumps({"question": f"Question {n}? " + "x" * 500}) for n in range(prompts))
    (folder / "questions.jsonl").write_text("\n".join(rows))
    text = RECIPE if window == ONLINE else RECIPE.replace('kind = "openai_api"', BY_BATCH)
    (folder / "r.toml").write_text(text.format(url=url, window=window))
    store = ("--store", str(folder / "store"), "--set", "gates.min_read_share=0")
    return measure([sys.executable, *BUILD, str(folder / "r.toml"), *store])


if __name__ == "__main__":
    main()
