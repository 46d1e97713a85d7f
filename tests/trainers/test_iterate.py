"""Two rounds with TRL on the CPU: the weights that it trained are those that are sampled next."""

import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from flows.cli import main
from pipelines.iterating.train_dpo import VARIABLE
from pipelines.publishing.store import Store
from pipelines.shipped import shipped
from tests.iterations import make_bench

PYTHON = Path(__file__).parents[2] / ".venv-trainers" / "bin" / "python"

pytestmark = [
    pytest.mark.skipif(
        not PYTHON.exists(), reason=".venv-trainers is not there: `sh tools/trainer_env.sh`"
    ),
    pytest.mark.timeout(280),
]

TRAIN = (
    "{python} -m pipelines.iterating.train_dpo {set} {model} {out} --steps 2 --batch 4 --sft 0.5"
)


def test_the_second_round_samples_what_trl_trained_in_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv(VARIABLE, str(PYTHON))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    bench = make_bench(tmp_path)
    given = [
        "--set",
        "publish.splits={train=1}",
        "--store",
        str(bench.store.root),
        "--rounds",
        "2",
        "--train",
        TRAIN,
    ]
    assert main(["iterate", str(bench.folder / "sums.toml"), *given]) == 0
    trained = re.findall(r"trained in \S+ (.*)", capsys.readouterr().out)

    before, first, second = (
        load_file(Path(folder) / "model.safetensors")
        for folder in (shipped("models/policy"), *trained)
    )
    assert before.keys() == first.keys() == second.keys()
    for name, weights in first.items():
        assert not np.array_equal(before[name], weights)
        assert np.allclose(before[name], weights, atol=5e-3)  # a few small steps from there
        assert not np.array_equal(weights, second[name])

    store = Store(bench.store.root)
    versions = store.versions("sums")
    assert len(versions) == 2
    identity = versions[1].manifest.models["student"]
    assert identity.endswith("#sums-r1")
    assert versions[1].manifest.run.samples_paid == 12 * 4
    responses = [set(texts(version.files("responses"))) for version in versions]
    assert responses[0] != responses[1]


def texts(files: list[Path]) -> list[tuple[str, int, str]]:
    """Who said what, of every response."""
    import pyarrow.parquet as pq

    columns = ["prompt_id", "sample_index", "text"]
    return [
        tuple(row.values())
        for file in files
        for row in pq.read_table(file, columns=columns).to_pylist()
    ]
