"""What is refused before anything is deployed: no server is needed for that."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from flows.schedule import main
from tests.builds import OVER_HTTP, write_questions, write_recipe


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    write_questions(tmp_path, range(3))
    return str(write_recipe(tmp_path, OVER_HTTP.format(url="http://127.0.0.1:9/v1")))


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--shards=0", "a number of at least 1 is wanted, not 0"),
        ("--name=a/b", "a name without any of /%&<> is wanted, not 'a/b'"),
        ("--pool=", "a name without any of /%&<> is wanted, not ''"),
    ],
)
def test_an_option_that_cannot_be_is_refused_in_words(
    recipe: str, option: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([recipe, option])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def deployed(recipe: str, *options: str) -> tuple[int, list[str]]:
    """Exit code and lines, where nobody listens at the address of the server."""
    if find_spec("prefect") is None:
        pytest.skip("prefect is not installed: pip install 'pairwright[prefect]'")
    env = os.environ | {
        "PREFECT_HOME": str(Path(recipe).parent / "home"),
        "PREFECT_API_URL": "http://me:secret@127.0.0.1:9/api",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_CLIENT_MAX_RETRIES": "0",
        "DO_NOT_TRACK": "1",
    }
    ran = subprocess.run(
        [sys.executable, "-m", "flows.schedule", recipe, *options],
        env=env, capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    return ran.returncode, (ran.stdout + ran.stderr).splitlines()


def test_a_server_that_does_not_answer_is_named_with_what_helps(recipe: str) -> None:
    code, [told] = deployed(recipe)
    assert code == 5
    assert told.startswith("error: the Prefect server at http://127.0.0.1:9/api: ")
    assert "`prefect server start` starts one, and PREFECT_API_URL names it" in told


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--cron", "0 25 * * *"), '--cron: Invalid cron string: "0 25 * * *"; wanted are five'),
        (("--cron", ""), '--cron: Invalid cron string: ""'),
        (("--timezone", "Mars/Base"), '--timezone: Invalid timezone: "Mars/Base"'),
    ],
)
def test_a_time_that_is_none_is_refused(recipe: str, options: list[str], told: str) -> None:
    code, [said] = deployed(recipe, *options)
    assert code == 2
    assert said.startswith(f"error: {told}")
