import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.cli import main
from pipelines.batching.journal import Journal
from tests.batch_server import BatchServer
from tests.builds import OVER_HTTP, write_questions, write_recipe


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer() as server:
        server.held = True
        yield server


@pytest.fixture
def folder(tmp_path: Path, server: BatchServer) -> Path:
    """A store that knows of a job of "policy" that is under way."""
    write_questions(tmp_path, range(3))
    by_batch = 'kind = "openai_batch"\npoll_s = 0.02\ncollect_s = 0.1'
    text = OVER_HTTP.replace('kind = "openai_api"', by_batch)
    write_recipe(tmp_path, text.format(url=server.url))
    job(tmp_path, server, f"{server.url} policy")
    return tmp_path


def job(folder: Path, server: BatchServer, route: str) -> None:
    entry = Journal(folder / "s" / "ledger", route).new()
    lines = [{"custom_id": one, "body": {"model": "policy", "messages": []}} for one in "abc"]
    for line in lines:
        entry.add(str(line["custom_id"]))
    server.files["file-1"] = "\n".join(map(json.dumps, lines)).encode()
    with_openai = {"input_file_id": "file-1", "endpoint": "/v1/chat/completions"}
    batch = post(server, "/batches", with_openai | {"completion_window": "24h"})
    entry.note({"file_id": "file-1", "batch_id": batch["id"]})


def post(server: BatchServer, path: str, body: dict[str, str]) -> dict[str, str]:
    import urllib.request

    asked = urllib.request.Request(server.url + path, json.dumps(body).encode())
    asked.add_header("Content-Type", "application/json")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(asked) as answer:
        found: dict[str, str] = json.load(answer)
    return found


def batches(folder: Path, *arguments: str) -> int:
    return main(["batches", *arguments, "--store", str(folder / "s")])


def test_the_jobs_of_a_store_are_listed_without_asking_anybody(
    folder: Path, server: BatchServer, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = server.calls.total()
    assert batches(folder) == 0
    head, line, _, hint = capsys.readouterr().out.splitlines()
    assert head.split()[:3] == ["job", "of", "sent"]
    assert line.startswith(f"batch_0  {server.url} policy  ")
    assert line.split()[-2:] == ["3", "3"]
    assert f"`pairwright batches RECIPE --store {folder / 's'}`" in hint
    assert server.calls.total() == calls


def test_with_a_recipe_their_state_is_asked(
    folder: Path, server: BatchServer, capsys: pytest.CaptureFixture[str]
) -> None:
    job(folder, server, f"{server.url} another")
    assert batches(folder, str(folder / "recipe.toml")) == 0
    _, line = capsys.readouterr().out.splitlines()
    assert line.endswith("in progress 3/3")
    assert server.calls["cancel"] == 0


def test_a_change_of_the_recipe_says_whose_jobs_are_meant(
    folder: Path, server: BatchServer, capsys: pytest.CaptureFixture[str]
) -> None:
    other = ("--set", "models.policy.model=another")
    assert batches(folder, str(folder / "recipe.toml"), *other) == 0
    assert capsys.readouterr().out == "no job is under way\n"
    job(folder, server, f"{server.url} another")
    assert batches(folder, str(folder / "recipe.toml"), *other, "--cancel") == 0
    assert capsys.readouterr().out.rstrip().endswith("cancelling 3/3")
    assert server.calls["cancel"] == 1


def test_cancel_stops_the_jobs_of_the_recipe(
    folder: Path, server: BatchServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert batches(folder, str(folder / "recipe.toml"), "--cancel") == 0
    assert capsys.readouterr().out.rstrip().endswith("cancelling 3/3")
    assert server.calls["cancel"] == 1


def test_what_is_being_cancelled_is_not_cancelled_again(
    folder: Path, server: BatchServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.step_s = 60.0
    for _ in range(2):
        assert batches(folder, str(folder / "recipe.toml"), "--cancel") == 0
        assert capsys.readouterr().out.rstrip().endswith("cancelling 3/3")
    assert server.calls["cancel"] == 1


def test_a_job_of_two_tables_of_one_model_is_listed_once(
    folder: Path, server: BatchServer, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = folder / "recipe.toml"
    table = '[models.again]\nkind = "openai_batch"\nmodel = "policy"\n'
    table += f'base_url = "{server.url}"\nidentity = "loopback"\n'
    recipe.write_text(f"{recipe.read_text()}\n{table}")
    assert batches(folder, str(recipe)) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_cancel_needs_a_recipe(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert batches(folder, "--cancel") == 2
    assert "names the provider" in capsys.readouterr().err


def test_a_store_without_jobs_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert batches(tmp_path) == 0
    none = f"{tmp_path / 's'} holds no ledger yet: no job is under way\n"
    assert capsys.readouterr().out == none
    assert not (tmp_path / "s").exists()


def test_ctrl_c_leaves_a_job_to_its_provider_and_says_how_to_stop_it(
    folder: Path, server: BatchServer
) -> None:
    recipe, store = str(folder / "recipe.toml"), str(folder / "s")
    command = [sys.executable, "-m", "flows.cli", "build", recipe, "--store", store]
    child = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while server.calls["retrieve"] < 2 and child.poll() is None:
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "1 job (in progress 3/3) at the provider" in said
    assert "`pairwright batches RECIPE --cancel` stops the rest" in said
    assert server.calls["cancel"] == 0
