"""The command in a process of its own, as a user starts and ends it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

from flows.cli import main


@contextmanager
def serving(*arguments: str) -> Iterator["tuple[subprocess.Popen[str], str]"]:
    """The process, and the line that it announces itself with."""
    command = [sys.executable, "-W", "error", "-m", "flows.cli", "serve-embedded", *arguments]
    environment = {**os.environ, "PAIRWRIGHT_DEBUG": ""}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_serves_until_it_is_told_to_stop_and_ends_without_a_word(
    stop: signal.Signals, code: int
) -> None:
    with serving("--port", "0") as (process, line):
        names, _, rest = line.partition(" at ")
        url = rest.split()[0]
        assert names == "policy, teacher"
        with urlopen(f"{url}/models") as answer:
            listed = json.load(answer)["data"]
        assert [one["id"] for one in listed] == ["policy", "teacher"]
        process.send_signal(stop)
        said = process.communicate(timeout=60)
        assert process.returncode == code
    assert said == ("", "")


def test_a_port_that_is_taken_and_a_wrong_model_are_errors_in_one_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["serve-embedded", "polcy"]) == 2
    assert capsys.readouterr().err.startswith('error: no such folder, nor a shipped model: "polcy"')
    with serving("policy", "--port", "0") as (_, line):
        port = line.split(":")[2].partition("/")[0]
        assert main(["serve-embedded", "policy", "--port", port]) == 2
    assert "address already in use" in capsys.readouterr().err
