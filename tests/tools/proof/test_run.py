"""The whole proof on twenty problems, with the real trainer."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tools.proof.design import ARMS, COMPARED, SETS
from tools.proof.run import PYTHON, main

pytestmark = pytest.mark.timeout(900)  # a minute where nothing else runs

POLICY = Path(__file__).parents[3] / "data" / "models" / "policy"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The folder of a small run."""
    if not PYTHON.is_file():
        pytest.skip(".venv-trainers is not there: `sh tools/trainer_env.sh` makes it")
    folder = tmp_path_factory.mktemp("proof")
    main(["--out", str(folder), "--small"])
    return folder


def test_every_arm_and_every_comparison_is_reported(out):
    report = json.loads((out / "report.json").read_text())
    assert list(report["sets"]) == list(SETS)
    assert list(report["arms"]) == [arm.name for arm in ARMS]
    assert len(report["differences"]) == len(COMPARED)
    written = (out / "report.md").read_text()
    assert all(f"| {arm.name} |" in written for arm in ARMS)


def test_verifier_pairs_are_right_over_wrong(out):
    report = json.loads((out / "report.json").read_text())
    of_verifier = [report["sets"][name] for name in SETS if name.startswith("verifier")]
    assert [one["right_over_wrong"] for one in of_verifier] == [1, 1]
    assert all(one["pairs"] > 0 for one in report["sets"].values())


def test_the_samples_are_bought_once(out):
    ledgers = {
        name: json.loads(
            next((out / "store" / "datasets" / name).glob("*/manifest.json")).read_text()
        )
        for name in SETS
    }
    bought = [manifest["run"]["calls"] for manifest in ledgers.values()]
    assert bought[0] > 0
    assert bought[1:] == [0] * (len(SETS) - 1)


def test_every_training_changed_the_weights_it_was_given_steps_for(out):
    start = load_file(POLICY / "model.safetensors")
    moved = {}
    for folder in (out / "trained").iterdir():
        told = json.loads((folder / "training.json").read_text())
        weights = load_file(folder / "model.safetensors")
        assert weights.keys() == start.keys()
        far = max(np.abs(weights[name] - start[name].astype(np.float32)).max() for name in weights)
        moved[folder.name] = (told["steps"], far)
    assert len(moved) == len(ARMS) + 4  # two settings were tried for each judge
    # The first step of a warm-up from zero moves nothing.
    assert all((far > 0) == (steps > 1) for steps, far in moved.values())
    assert any(steps > 1 for steps, _ in moved.values())


def test_a_second_run_does_nothing_again_and_reports_the_same(out):
    report = (out / "report.json").read_bytes()
    made = {folder.name: folder.stat().st_mtime_ns for folder in (out / "trained").iterdir()}
    main(["--out", str(out), "--small"])
    assert {f.name: f.stat().st_mtime_ns for f in (out / "trained").iterdir()} == made
    assert (out / "report.json").read_bytes() == report
