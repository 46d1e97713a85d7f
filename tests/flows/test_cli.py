import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows import cli
from pipelines.errors import GateError
from pipelines.publishing.versions import Version

ROOT = Path(__file__).parents[2]
HEAVY = {"polars", "duckdb", "pyarrow", "aiohttp", "numpy", "prefect"}


def pairwright(*arguments: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | env,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("arguments", [["--help"], ["ls"], ["build", "--help"], ["--version"]])
def test_help_and_ls_import_nothing_heavy(
    arguments: list[str], make_version: Callable[..., Version]
) -> None:
    store = make_version([{"pair_id": "1"}]).folder.parents[2]
    code = (
        "import sys, json\n"
        "from flows.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "except SystemExit as end:\n"
        "    assert not end.code, end.code\n"
        "print(json.dumps([name.partition('.')[0] for name in sys.modules]), file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=store,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PAIRWRIGHT_STORE": str(store)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert ("toy@v0001" in ran.stdout) == (arguments == ["ls"])
    assert HEAVY & set(json.loads(ran.stderr.splitlines()[-1])) == set()


def test_every_command_has_a_help_text_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for command in cli.COMMANDS:
        name = command.__name__.rpartition(".")[2].replace("_", "-")
        with pytest.raises(SystemExit) as end:
            cli.main([name, "--help"])
        shown = capsys.readouterr().out
        assert end.value.code == 0
        assert f"    pairwright {name}" in shown, f"the help of {name} has no example"


def test_every_file_among_the_commands_is_a_command() -> None:
    files = {path.stem for path in (ROOT / "flows" / "commands").glob("[!_]*.py")}
    assert files == {command.__name__.rpartition(".")[2] for command in cli.COMMANDS}


def test_a_wrong_option_is_one_line_on_standard_error_and_exit_code_2(tmp_path: Path) -> None:
    ran = pairwright("build", "--liimit", "3", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("error: ")
    assert len(ran.stderr.splitlines()) == 1


def test_a_missing_recipe_is_an_error_without_a_traceback(tmp_path: Path) -> None:
    ran = pairwright("build", "nothing.toml", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith("error: nothing.toml: no such file, nor a shipped recipe")
    assert "Traceback" not in ran.stderr


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    ran = pairwright("build", "nothing.toml", cwd=tmp_path, PAIRWRIGHT_DEBUG="1")
    assert ran.returncode == 1
    assert "Traceback" in ran.stderr


def test_an_error_ends_with_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: object) -> int:
        raise GateError("3 pairs kept")

    monkeypatch.setattr(cli.ls, "run", refuse)
    assert cli.main(["ls"]) == 3
    assert capsys.readouterr().err == "error: 3 pairs kept\n"


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("usage: pairwright ")
    assert "    pairwright build quickstart\n" in shown.out
    assert shown.err == ""


def test_what_is_left_to_be_written_is_written_at_the_end(tmp_path: Path) -> None:
    ran = pairwright(cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("usage: pairwright") and ran.stdout.endswith(cli.EXIT_CODES)


def test_the_end_waits_for_whoever_is_at_work_and_for_whom_it_is_to_tell(tmp_path: Path) -> None:
    code = (
        "import atexit, sys, threading, time\n"
        "from flows import cli\n"
        "cli.main = lambda: 3\n"
        "atexit.register(print, 'told')\n"
        "if 'worker' in sys.argv:\n"
        "    work = lambda: (time.sleep(0.2), print('worked'))\n"
        "    threading.Thread(target=work).start()\n"
        "cli.script()\n"
    )
    for arguments, said in (([], "told\n"), (["worker"], "worked\ntold\n")):
        command = [sys.executable, "-c", code, *arguments]
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout) == (3, said)


def test_an_empty_store_is_told_from_a_wrong_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PAIRWRIGHT_STORE", raising=False)
    for command in (["show", "sums"], ["sql", "FROM pairs"]):
        assert cli.main(command) == 2
        said = capsys.readouterr().err
        assert f"{tmp_path}/data/store: " in said
        assert said.splitlines()[-1].startswith("that is the default store, under this folder; ")
    monkeypatch.setenv("PAIRWRIGHT_STORE", "elsewhere")
    assert cli.main(["drops", "sums"]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("PAIRWRIGHT_STORE names that store")
    assert cli.main(["show", "sums", "--store", "named"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_ctrl_c_in_any_command_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.ls, "run", interrupted)
    assert cli.main(["ls"]) == 130


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m flows.cli parts | true; echo ${{PIPESTATUS[0]}}"
    ran = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.stdout, ran.stderr) == ("0\n", "")


@pytest.mark.parametrize("closed", [">&-", "<&-", "2>&-", ">&- <&- 2>&-"])
def test_closed_streams_are_no_error(closed: str, tmp_path: Path) -> None:
    command = f"{sys.executable} -m flows.cli ls --store {tmp_path / 'none'} {closed}"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, cwd=ROOT)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    "command", ["build quickstart", "plan quickstart", "retry", "batches", "ls"]
)
def test_a_file_is_no_store(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "store"
    file.write_text("")
    assert cli.main([*command.split(), "--store", str(file)]) == 2
    assert f"error: {file}: is no folder; --store names" in capsys.readouterr().err


@pytest.mark.parametrize(("named", "suggested"), [(True, " --store {}"), (False, "")])
def test_a_command_that_an_error_suggests_looks_in_the_same_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    named: bool, suggested: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("PAIRWRIGHT_STORE", str(tmp_path))
    store = tmp_path / "mine" if named else tmp_path
    assert cli.main(["show", "none", *(["--store", str(store)] if named else [])]) == 2
    assert f"`pairwright ls{suggested.format(store)}`\n" in capsys.readouterr().err
