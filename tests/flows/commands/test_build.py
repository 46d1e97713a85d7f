import os
import pty
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flows.cli import main
from flows.commands.build import remote_models
from pipelines.publishing.store import Store
from pipelines.recipe import read_recipe

ROOT = Path(__file__).parents[3]

# A test run in the background hands an ignored SIGINT down; a terminal does not.
PAIRWRIGHT = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from flows.cli import main; sys.exit(main())"
)


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-c", PAIRWRIGHT, *map(str, arguments)]


def environment(**more: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120", "TERM": "xterm"} | more


def pairwright(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


class Terminal:
    """A program whose standard input and error are a terminal."""

    def __init__(self, program: subprocess.Popen[str], screen: int) -> None:
        self.program = program
        self._screen = screen
        self.shown = ""

    def wait_for(self, text: str) -> None:
        until = time.monotonic() + 60
        while text not in self.shown and time.monotonic() < until and self._read():
            pass
        assert text in self.shown, f"{text!r} was not shown: {self.shown!r}"

    def type(self, text: str) -> None:
        os.write(self._screen, text.encode())

    def end(self) -> tuple[int, str]:
        """Exit code and standard output."""
        while self._read():
            pass
        out, _ = self.program.communicate(timeout=60)
        return self.program.returncode, out

    def _read(self) -> bool:
        try:
            piece = os.read(self._screen, 65536)
        except OSError:  # Linux says so when the other side has closed
            return False
        self.shown += piece.decode(errors="replace")
        return bool(piece)


@contextmanager
def terminal(*arguments: str | Path, cwd: Path) -> Iterator[Terminal]:
    screen, line = pty.openpty()
    with subprocess.Popen(
        command(*arguments),
        cwd=cwd,
        env=environment(),
        stdin=line,
        stdout=subprocess.PIPE,
        stderr=line,
        text=True,
    ) as program:
        os.close(line)
        try:
            yield Terminal(program, screen)
        finally:
            program.kill()
            os.close(screen)


def test_a_build_publishes_and_says_what_and_where(recipe: Path, tmp_path: Path) -> None:
    ran = pairwright("build", recipe, "--store", "store", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    version = Store(tmp_path / "store").resolve("sums")
    pairs = version.manifest.rows("pairs")
    first, *_ = ran.stdout.splitlines()
    assert first.startswith(f"published sums@v0001: {pairs} pairs (")
    assert re.search(r"^ +-1  bad_json|^ +-24  merged", ran.stdout, re.MULTILINE)
    assert "tokens in" in ran.stdout
    assert f"files: {version.folder}" in ran.stdout
    assert "pairwright show sums --store store" in ran.stdout
    assert ran.stderr.splitlines()[0] == "reading"


def test_the_same_build_again_publishes_nothing_new(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = ["build", str(recipe), "--store", str(tmp_path / "store")]
    assert main(build) == 0
    capsys.readouterr()
    assert main(build) == 0
    said = capsys.readouterr().out
    assert said.startswith("nothing new: equal to sums@v0001\n")
    assert "no calls were paid" in said


def test_a_limit_is_the_first_so_many_prompts(recipe: Path, tmp_path: Path) -> None:
    assert main(["build", str(recipe), "--limit", "5", "--store", str(tmp_path / "store")]) == 0
    assert Store(tmp_path / "store").resolve("sums").manifest.rows("prompts") == 5


def test_a_build_ends_with_funnel_examples_spend_and_commands(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", str(recipe), "--store", str(tmp_path / "store")]) == 0
    verdict, funnel, examples, *pairs, whole, spend, commands = (
        capsys.readouterr().out.strip().split("\n\n")
    )
    (made,) = re.findall(r"^published sums@v0001: (\d+) pairs", verdict)
    assert funnel.startswith("step ")
    assert examples == f"examples: 3 of {made} pairs, spread over the margins"
    assert len(pairs) == 3
    for pair in pairs:
        assert re.match(r"[0-9a-f]{12}  1 > 0, margin 1\n  prompt    What is \d+ \+ 1\?\n", pair)
    first = pairs[0].partition(" ")[0]
    assert whole.startswith(f"all of one: pairwright show sums@v0001 --pair {first} --store ")
    assert "24 calls for 192 samples" in spend
    assert commands.count("pairwright ") == 5
    assert "pairwright judge report sums --store " in commands
    assert main(shlex.split(whole.partition(": ")[2])[1:]) == 0
    assert f"pair      {first}" in capsys.readouterr().out


def test_the_next_version_suggests_a_diff_to_the_one_before(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = ["build", str(recipe), "--store", str(tmp_path / "store")]
    assert main(build) == 0
    assert main([*build, "--limit", "9"]) == 0
    said = capsys.readouterr().out
    (line,) = [line for line in said.splitlines() if "pairwright diff " in line]
    assert main(shlex.split(line)[1:]) == 0
    assert "- removed" in capsys.readouterr().out


def test_what_earlier_runs_paid_is_told_beside_what_this_one_paid(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    priced = ["--set", "models.pupil.prices.input=10", "--set", "models.pupil.prices.output=20"]
    store = ["--store", str(tmp_path / "store")]
    assert main(["build", str(recipe), *store, *priced, "--limit", "10"]) == 0
    (first,) = re.findall(
        r"^(\d+) tokens in, ([\d,]+) out, spend ([\d.]+)$", told(capsys), re.MULTILINE
    )
    assert main(["build", str(recipe), *store, *priced]) == 0
    said = told(capsys)
    (own,) = re.findall(r"^(\d+) tokens in, ([\d,]+) out, spend ([\d.]+)$", said, re.MULTILINE)
    (both,) = re.findall(
        r"^with what .+: (\d+) tokens in, ([\d,]+) out, spend ([\d.]+)$", said, re.MULTILINE
    )
    for before, now, together in zip(first, own, both, strict=True):
        figures = [float(one.replace(",", "")) for one in (before, now, together)]
        assert figures[0] + figures[1] == pytest.approx(figures[2], rel=1e-3)
    assert main(["show", "sums", *store]) == 0
    rows = re.findall(r"^(this run|earlier runs|together) +(\d+) ", told(capsys), re.MULTILINE)
    assert rows == [("this run", "14"), ("earlier runs", "10"), ("together", "24")]


def told(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


BOUNDED = ("--set", "budget.calls=5", "--set", "models.pupil.window=1")


def test_a_reached_budget_is_exit_code_4_published_or_not(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = ["build", str(recipe), "--store", str(tmp_path / "store"), *BOUNDED]
    assert main(build) == 4
    assert told(capsys).startswith(
        "not published: 19 prompts owe calls, for example\npupil: the budget is reached: calls = 5"
    )
    assert main([*build, "--set", "budget.on_limit=publish"]) == 4
    assert "; 14 prompts left out: the budget is reached\n" in told(capsys)


def test_a_gate_that_refuses_what_a_budget_cut_short_is_exit_code_3(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strict = ["--set", "budget.on_limit=publish", "--set", "gates.min_pairs=1000"]
    assert main(["build", str(recipe), "--store", str(tmp_path / "s"), *BOUNDED, *strict]) == 3
    gate, budget, *_ = told(capsys).splitlines()
    assert gate == "not published: 5 pairs kept, and gates.min_pairs is 1000"
    assert budget == "besides, 19 prompts left out: the budget is reached"


def test_a_failed_gate_is_exit_code_3_and_keeps_the_evidence(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    strict = ["--set", "gates.min_pairs=1000", "--store", str(tmp_path / "store")]
    assert main(["build", str(recipe), *strict]) == 3
    said = capsys.readouterr().out
    assert said.startswith("not published: ")
    assert "gates.min_pairs" in said
    (evidence,) = re.findall(r"^evidence: (.+)$", said, re.MULTILINE)
    assert (Path(evidence) / "manifest.json").is_file()
    assert Store(tmp_path / "store").names() == []


def test_owed_calls_are_exit_code_5(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody_listens = remote(recipe, "http://127.0.0.1:1/v1")
    once = ["--set", "models.pupil.max_tries=1", "--store", str(tmp_path / "store")]
    assert main(["build", str(nobody_listens), *once]) == 5
    said = capsys.readouterr().out
    assert said.startswith("not published: 24 prompts owe calls, for example\npupil: ")
    assert said.endswith("Run the same command to go on.\n")


def test_a_wrong_override_is_exit_code_2(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    wrong = ["--set", "samplers.independent.m=3", "--store", str(store)]
    assert main(["build", str(recipe), *wrong]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert 'no such key "m"' in said.err
    assert not store.exists()


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"]
)
def test_a_stop_keeps_what_was_bought_and_the_next_run_goes_on(
    recipe: Path, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    slow = ("--set", "models.pupil.latency_ms=300")
    with terminal("build", recipe, "--store", "store", *slow, cwd=tmp_path) as build:
        build.wait_for(" 3/24 prompts")
        build.program.send_signal(sent)
        ended = build.end()
    assert ended == (code, "")
    (kept,) = re.findall(r"stopped: kept in \S+: (\d+) samples bought in this run", build.shown)
    assert int(kept) >= 3 * 8
    assert "Run the same command to go on." in build.shown
    assert "Traceback" not in build.shown
    assert not any((tmp_path / "store" / "tmp").iterdir())

    again = pairwright("build", recipe, "--store", "store", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    bought = 24 * 8 - int(kept)
    assert f" for {bought} samples, {kept} samples from the ledger" in again.stdout


def test_sigterm_stops_a_build_whose_shell_ignores_ctrl_c(recipe: Path, tmp_path: Path) -> None:
    slow = ("--set", "models.pupil.latency_ms=300")
    ignoring = PAIRWRIGHT.replace("signal.default_int_handler", "signal.SIG_IGN")
    arguments = ["build", str(recipe), "--store", "store", *slow]
    with subprocess.Popen(
        [sys.executable, "-c", ignoring, *arguments],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as build:
        assert build.stderr is not None
        while "sampling and judging" not in build.stderr.readline():
            pass
        segments = tmp_path / "store" / "ledger"
        while len(list(segments.glob("*/*.jsonl"))) < 2:  # the first reply is counted by then
            time.sleep(0.01)
        build.send_signal(signal.SIGINT)
        build.send_signal(signal.SIGTERM)
        out, err = build.communicate(timeout=60)
    assert (build.returncode, out) == (143, "")
    assert re.search(r"stopped: kept in \S+: [1-9]\d* samples bought in this run", err)
    assert "Traceback" not in err


def test_a_terminal_shows_live_figures_and_nothing_of_them_is_left(
    recipe: Path, tmp_path: Path
) -> None:
    slow = ("--set", "models.pupil.latency_ms=60")
    with terminal("build", recipe, *slow, cwd=tmp_path) as build:
        build.wait_for("calls/s")
        code, out = build.end()
    assert code == 0
    assert out.startswith("published sums@v0001")
    assert "sampling and judging" in build.shown
    assert "/24 prompts" in build.shown
    assert "in flight" in build.shown
    assert build.shown.rstrip().endswith("\x1b[2K")


def remote(recipe: Path, base_url: str = "https://models.example.com/v1") -> Path:
    table = f'kind = "openai_api"\nbase_url = "{base_url}"\nendpoint_identity = "somewhere"'
    text = recipe.read_text().replace('kind = "scripted"\ntable = "answers.jsonl"', table)
    recipe.write_text(text)
    return recipe


def test_a_remote_endpoint_is_asked_about_on_a_terminal(recipe: Path, tmp_path: Path) -> None:
    with terminal("build", remote(recipe), "--limit", "9", cwd=tmp_path) as build:
        build.wait_for("Go on? [y/N]")
        build.type("n\n")
        code, out = build.end()
    assert (code, out) == (2, "")
    assert (
        "This build may call pupil at https://models.example.com/v1 for at most 9 prompts."
    ) in build.shown
    assert "nothing was called" in build.shown


@pytest.mark.parametrize(
    ("base_url", "models"),
    [
        ("https://models.example.com/v1", {"pupil": "https://models.example.com/v1"}),
        ("http://127.0.0.1:8000/v1", {}),
        ("http://localhost:8000/v1", {}),
    ],
)
def test_only_what_is_outside_this_machine_is_remote(
    recipe: Path, base_url: str, models: dict[str, str]
) -> None:
    assert remote_models(read_recipe(remote(recipe, base_url))) == models


def test_a_model_that_nothing_calls_is_not_asked_about(recipe: Path) -> None:
    with recipe.open("a") as file:
        file.write(
            '\n[models.idle]\nkind = "openai_api"\nbase_url = "https://models.example.com"\n'
        )
    assert remote_models(read_recipe(recipe)) == {}


def test_the_commands_that_a_build_suggests_can_be_pasted(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "a store's place"
    assert main(["build", str(recipe), "--store", str(store)]) == 0
    said = capsys.readouterr().out
    (suggested,) = [line for line in said.splitlines() if line.startswith("next:")]
    assert main(shlex.split(suggested)[2:]) == 0
