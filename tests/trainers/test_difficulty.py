"""Reference runs with the real TRL and PEFT, on the shipped policy. `sh tools/trainer_env.sh`."""

import math
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flows.cli import main
from flows.options.shipped_recipes import find_recipe
from pipelines.build import run_build
from pipelines.difficulty.crossfit import Plan, Settings, crossfit
from pipelines.difficulty.losses import LOGPS, LOSSES, read_losses
from pipelines.engine.ask import Score
from pipelines.engine.batch import Batch
from pipelines.engine.checkpoint import Checkpoint
from pipelines.engine.model import load_model
from pipelines.errors import RecipeError, StoreError
from pipelines.exporting.chat import read_chat
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from pipelines.recipe import read_recipe
from pipelines.shipped import shipped

PYTHON = Path(__file__).parents[2] / ".venv-trainers" / "bin" / "python"
POLICY = shipped("models/policy")
SETTINGS = Settings(batch=4, micro_batch=4, rate=1e-3, beta=0.1, max_length=256)

pytestmark = [
    pytest.mark.skipif(
        not PYTHON.exists(), reason=".venv-trainers is not there: `sh tools/trainer_env.sh`"
    ),
    pytest.mark.timeout(280),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("difficulty")
    run_build(read_recipe(find_recipe("quickstart"), ["limit=60"]), root)
    return Store(root)


@pytest.fixture(scope="module")
def version(store: Store) -> Version:
    return store.resolve("quickstart")


def plan(version: Version, **more: object) -> Plan:
    given = {"seeds": (1,), "checkpoints": 2, "settings": SETTINGS, "cpu": True} | more
    return Plan(version, POLICY, **given)  # type: ignore[arg-type]


def test_every_pair_is_held_out_once_by_each_seed_and_runs_go_on_where_they_were(
    store: Store, version: Version, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    seen: list[tuple[int, int]] = []
    fitted = crossfit(plan(version), store.root, str(PYTHON), lambda *told: seen.append(told))
    pairs = version.manifest.rows("pairs")
    assert fitted.losses.height == pairs * 2
    assert fitted.losses["run_id"].unique().sort().to_list() == ["seed1-first", "seed1-second"]
    assert {total for _, total in seen} == {4}
    assert seen == sorted(seen)

    table = read_losses(fitted.folder / "val_losses.parquet")
    trained = pl.read_parquet(fitted.folder / "trained.parquet")
    assert trained.height == pairs
    assert table.join(trained, on=["run_id", "pair_id"], how="semi").height == 0

    first = fitted.folder / "seed1-first.parquet"
    before = first.stat().st_mtime_ns
    (fitted.folder / "seed1-second.parquet").unlink()
    again = crossfit(plan(version), store.root, str(PYTHON))
    assert first.stat().st_mtime_ns == before
    key = ["pair_id", "run_id", "checkpoint"]
    ours, theirs = (one.losses.sort(key)["loss"] for one in (again, fitted))
    assert ours.to_list() == pytest.approx(theirs.to_list(), abs=1e-6)


def test_the_reference_is_the_model_itself_and_the_loss_follows_from_four_log_probabilities(
    store: Store, version: Version
) -> None:
    fitted = crossfit(plan(version), store.root, str(PYTHON))
    row = fitted.losses.sort("pair_id", "checkpoint").row(0, named=True)
    pair = fitted.pairs.row(by_predicate=pl.col("pair_id") == row["pair_id"], named=True)
    for side in ("chosen", "rejected"):
        assert row[f"ref_{side}"] == pytest.approx(_sum_logprob(pair, side), abs=1e-3)
    given = fitted.losses.drop("loss")
    path = fitted.folder / "logps.parquet"
    given.select(*(name for name in LOSSES if name != "loss"), *LOGPS).write_parquet(path)
    made = read_losses(path, beta=SETTINGS.beta)["loss"].to_list()
    assert made == pytest.approx(fitted.losses["loss"].to_list(), abs=1e-12)


def test_other_settings_have_a_folder_of_their_own(store: Store, version: Version) -> None:
    one, other = plan(version), plan(version, settings=Settings(batch=4, micro_batch=4, rate=1e-4))
    assert one.digest() == plan(version).digest() != other.digest()


def test_what_cannot_be_run_is_refused_before_anything_is(store: Store, version: Version) -> None:
    for wrong, why in (
        (plan(version, split="dev"), "no split dev; it has"),
        (plan(version, settings=Settings()), "pairs do, or a smaller --batch"),
        (plan(version, settings=Settings(batch=6, micro_batch=4)), "no multiple of 4"),
        (Plan(version, store.root), "config.json is missing"),
    ):
        with pytest.raises(RecipeError, match=why):
            crossfit(wrong, store.root, str(PYTHON))
    with pytest.raises(RecipeError, match=r"trainer_env\.sh"):
        crossfit(plan(version, seeds=(9,)), store.root, "/no/such/python")


def test_a_run_that_fails_is_named_with_its_log(store: Store, version: Version) -> None:
    broken = plan(version, seeds=(7,), settings=Settings(batch=4, micro_batch=4, rate=-1.0))
    with pytest.raises(StoreError, match=r"a reference run failed: .*runs\.log"):
        crossfit(broken, store.root, str(PYTHON))


def test_the_command_says_how_stable_difficulty_is(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    given = "--seeds 1 --checkpoints 2 --batch 4 --at-once 4 --learning-rate 1e-3 --beta 0.1"
    more = ["--max-length", "256", "--cpu", "--python", str(PYTHON), "--store", str(store.root)]
    assert main(["difficulty", "quickstart", "--model", "policy", *given.split(), *more]) == 0
    said = capsys.readouterr().out
    assert "2 reference runs, 2 held-out losses each" in said
    assert re.search(r"-margin +[+-]0\.\d\d", said)
    assert "val_losses.parquet" in said


def _sum_logprob(pair: dict[str, Any], side: str) -> float:
    """By our own engine: all tokens of the answer, the one that ends it among them."""
    chat = read_chat(POLICY)
    asked = chat.render(pair["prompt"], ask=True)
    whole = chat.render([*pair["prompt"], *pair[side]], ask=False)
    prompt, tokens = chat.encode([asked, whole])
    batch = Batch(load_model(Checkpoint(POLICY)))
    scored = batch.join(Score(tokens, len(prompt)))
    batch.step()
    return math.fsum(token.logprob for token in scored.samples[0].tokens)
