"""Running a training command: beside this process, and ended with it however that ends."""

import os
from collections.abc import Mapping
from pathlib import Path

from pipelines.errors import TrainingError
from pipelines.iterating.answer import Answer, read_answer
from pipelines.iterating.command import Command
from pipelines.serving.child import Child

LOG, PRINTED = "training.log", "training.out"
"""Standard error, and standard output, of the last attempt."""
LONGEST_ANSWER = 2**20
"""Bytes at the end of standard output that are looked at."""
LOOK_S = 0.2


def train(command: Command, told: Mapping[str, str], folder: Path) -> Answer:
    """Runs the command in the working folder, and returns its answer.

    What it writes is kept in `folder`. Raises TrainingError where it fails or names no model.
    """
    log, printed = folder / LOG, folder / PRINTED
    Path(told["out"]).mkdir(parents=True, exist_ok=True)
    for old in (log, printed):
        old.unlink(missing_ok=True)
    child = Child(command.words(told), os.environ | command.variables(told), printed, errors=log)
    try:
        while (status := child.wait(LOOK_S)) is None:
            pass
    finally:
        child.stop()
    if status:
        raise TrainingError(
            f"the training command ended with exit code {status}: {_last_line(log, printed)}"
        )
    return read_answer(_end(printed), Path.cwd())


def _last_line(*files: Path) -> str:
    """The last line of the first file that has one."""
    for file in files:
        if end := _end(file):
            return f"{end.splitlines()[-1][:300]} (all of it: {file})"
    return f"it said nothing ({files[0]})"


def _end(file: Path) -> str:
    """The end of a file, as text, without white space around it."""
    with file.open("rb") as content:
        content.seek(max(0, file.stat().st_size - LONGEST_ANSWER))
        return content.read().decode(errors="replace").strip()
