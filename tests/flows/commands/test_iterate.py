import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.cli import main
from tests.iterations import Bench, make_bench

ROOT = Path(__file__).parents[3]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return make_bench(tmp_path)


def words(bench: Bench, *more: str) -> list[str]:
    recipe, store = str(bench.folder / "sums.toml"), str(bench.store.root)
    return ["iterate", recipe, "--store", store, "--train", bench.command(), *more]


def test_each_round_is_a_line_and_ls_and_show_tell_which_it_was(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(bench, "--rounds", "2", "--by", "verifier")) == 0
    said = capsys.readouterr()
    first, trained, second, _, ended, _, measure = said.out.splitlines()
    assert first.startswith("round 1: sums@v0001, ")
    for part in (" train), score 0.", "; 12 prompts), in test 0.", ", spend 0"):
        assert part in first
    assert "sums-r1" in trained
    assert ", rise " in second
    assert ended == "ended: 2 rounds are done"
    assert measure.strip().startswith(f"pairwright build '{bench.folder}/sums.toml' --set ")
    assert "models.student.model=" in measure
    assert "round 1: training; what it says: " in said.err

    store = ["--store", str(bench.store.root)]
    assert main(["ls", *store]) == 0
    heads, *versions = capsys.readouterr().out.splitlines()
    assert heads.split()[-1] == "round"
    assert [line.split("  ")[-1].strip() for line in versions] == ["1", "2, on sums@v0001"]
    assert main(["show", "sums", *store]) == 0
    shown = capsys.readouterr().out.splitlines()[2]
    assert shown.startswith("round 2 of `pairwright iterate`: student = embedded:")
    assert shown.endswith("#sums-r1, trained on sums@v0001")


@pytest.mark.parametrize(
    ("more", "code", "why"),
    [
        (["--set", "gates.min_pairs=1000"], 3, "ended: a gate refuses round 1: "),
        (["--set", "budget.calls=2"], 4, "ended: the budget is reached in round 1"),
        (
            ["--set", "exactly.pairs=500"],
            4,
            "ended: round 1 has too few pairs: 500 pairs are wanted",
        ),
        (["--min-pairs", "1000"], 0, "ended: round 1 has "),
    ],
)
def test_what_ends_it_is_told_by_its_exit_code(
    bench: Bench, capsys: pytest.CaptureFixture[str], more: list[str], code: int, why: str
) -> None:
    assert main(words(bench, "--rounds", "2", *more)) == code
    assert why in capsys.readouterr().out


def test_a_training_that_fails_is_exit_code_5_with_its_last_line(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.trainer_does("fail")
    assert main(words(bench, "--rounds", "1")) == 5
    assert "error: the training command ended with exit code 3: out of memory" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize(("given", "why"), [("--rounds 0", "at least 1"), ("", "--rounds")])
def test_a_wrong_number_of_rounds_is_told(
    bench: Bench, capsys: pytest.CaptureFixture[str], given: str, why: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(words(bench, *given.split()))
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, "stopped: rounds that are done are kept in "),
        (signal.SIGKILL, -signal.SIGKILL, ""),
    ],
)
def test_a_stop_in_mid_training_ends_the_training_and_keeps_the_build(
    bench: Bench, number: signal.Signals, code: int, said: str
) -> None:
    bench.trainer_does("slow")
    command = [sys.executable, "-m", "flows.cli", *words(bench, "--rounds", "1")]
    running = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    wait_for(bench.runs)
    running.send_signal(number)
    _, complaints = running.communicate(timeout=60)
    assert running.returncode == code
    assert said in complaints
    wait_for(lambda: not is_alive(bench.runs()[0]["pid"]))

    bench.trainer_does("")
    assert main(words(bench, "--rounds", "1")) == 0
    first, again = bench.runs()
    assert {**first, "pid": 0} == {**again, "pid": 0}
    assert len(bench.store.versions("sums")) == 1
    assert bench.store.resolve("sums").manifest.run.samples_paid > 0


def wait_for(done: Callable[[], object]) -> None:
    until = time.monotonic() + 120
    while not done():
        assert time.monotonic() < until
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return b"fake_trainer" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except ProcessLookupError:
        return False
    except FileNotFoundError:
        if Path("/proc").is_dir():
            return False
        raise
