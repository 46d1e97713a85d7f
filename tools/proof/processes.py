"""Several processes at once: trainings in TRL's Python, and answers in ours."""

import os
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from tools.proof.answers import Marks, marked
from tools.proof.jobs import Job, write_jobs

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-trainers" / "bin" / "python"


def run_jobs(jobs: Sequence[Job], folder: Path, processes: int) -> None:
    """Trains what is not there yet; `folder` is for the logs. Raises SystemExit where one fails."""
    missing = [job for job in jobs if not Path(job.checkpoint).is_dir()]
    shares = [missing[place::processes] for place in range(processes)]
    running = [_trainer(place, share, folder) for place, share in enumerate(shares) if share]
    failed = [one.args for one in running if one.wait()]
    if failed:
        raise SystemExit(f"a training failed: see {folder}/*.log")


def mark_all(
    folders: Iterable[Path], first: int, count: int, samples: int, kept: Path, processes: int
) -> list[Marks]:
    """The marks of each checkpoint, as `answers.marked`."""
    ask = partial(marked, first=first, count=count, samples=samples, kept=kept)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        return list(pool.map(ask, folders))


def _trainer(place: int, jobs: Sequence[Job], folder: Path) -> "subprocess.Popen[bytes]":
    file = folder / f"{place}.json"
    write_jobs(jobs, file)
    environment = {
        **os.environ,
        "HF_HOME": str(folder / "cache"),
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "TOKENIZERS_PARALLELISM": "false",
        "OMP_NUM_THREADS": "1",
    }
    with file.with_suffix(".log").open("w") as log:
        return subprocess.Popen(
            [PYTHON, "-m", "tools.proof.train", file],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
