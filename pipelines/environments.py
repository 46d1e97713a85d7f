"""Environments beside ours: a Python of its own for what never shares one with pairwright."""

import os
import shutil
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]


def find_python(given: str | None, root: Path, variable: str, folder: str) -> Path:
    """The Python that `given` names (relative to `root`, or on the PATH), or the default one.

    The default is the environment variable `variable`, else that of the environment `folder` in the
    working folder, else the one beside the checkout. Whether it is there is not looked at.
    """
    named = given or os.environ.get(variable, "")
    if not named:
        own = Path(folder) / "bin" / "python"
        here = [place / own for place in (Path.cwd(), CHECKOUT)]
        return next((python for python in here if python.exists()), here[0])
    if os.sep not in named:
        return Path(shutil.which(named) or named)
    base = root if given else Path.cwd()
    return (base / Path(named).expanduser()).absolute()  # resolved, it would leave its environment
