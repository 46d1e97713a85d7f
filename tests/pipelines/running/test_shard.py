"""However the units are dealt out, the same content comes of it, for the same calls."""

import asyncio
from pathlib import Path

import pytest

from pipelines.build import Outcome, publish, read, run_build
from pipelines.calibration.gate import JudgeGate
from pipelines.calls.ledger import partition_of
from pipelines.calls.meter import Meter
from pipelines.errors import StoreError
from pipelines.publishing.store import Store, staged
from pipelines.recipe import read_recipe
from pipelines.running.receipt import read_receipt, write_receipt
from pipelines.running.rounds import Rounds
from pipelines.running.shard import Finished, Shard, run_shard
from tests import builds
from tools.chat_server import ChatServer

SCRIPTED = """
name = "scripted"
seed = 5

[sources.questions]
kind = "jsonl"
path = "questions.jsonl"

[prompts]
text = "question"
key = "id"
reference = "id"

[models.pupil]
kind = "scripted"
default = "I do not know."
rules = [{ match = "much is (\\\\d+)", answers = ["\\\\1", "\\\\1 or 3", "#### \\\\1", "None."] }]

[[samplers]]
kind = "independent"
model = "pupil"
n = 6

[[judges]]
kind = "verifier"
answer = "number"

[[pairings]]
kind = "correct_wrong"

[[filters]]
kind = "empty"
"""


def in_shards(folder: Path, of: int) -> tuple[Outcome, Meter]:
    """Builds as several shards, the last one first, each known to the end by its receipt alone."""
    recipe = read_recipe(folder / "recipe.toml")
    store, meter = Store(folder / f"store{of}"), Meter()

    async def run(shard: Shard, staging: Path) -> Finished:
        return await run_shard(recipe, store.ledger_folder, staging, shard, Meter())

    with staged(store, "trial") as staging:
        gate = JudgeGate(recipe, store)
        intake = read(recipe, staging, meter, gate)
        rounds = Rounds(recipe, staging, intake, meter)
        for draw in rounds:
            finished = []
            for number in reversed(range(of)):
                path, sha256 = write_receipt(asyncio.run(run(Shard(number, of, draw), staging)))
                finished.append(read_receipt(path, sha256))
                meter.add(finished[-1].meter)
            rounds.add(draw, finished)
        return publish(recipe, store, staging, intake, rounds.finished, meter, gate), meter


def test_any_number_of_shards_gives_the_same_content(tmp_path: Path) -> None:
    builds.write_questions(tmp_path, range(60))
    builds.write_recipe(tmp_path, SCRIPTED)
    plain = run_build(read_recipe(tmp_path / "recipe.toml"), tmp_path / "store")
    assert plain.manifest is not None
    assert plain.manifest.rows("pairs") > 0
    for of in (1, 3, 7):
        outcome, meter = in_shards(tmp_path, of)
        assert outcome.manifest is not None
        assert outcome.manifest.content_digest == plain.manifest.content_digest
        assert outcome.manifest.counts == plain.manifest.counts
        assert (meter.units, meter.units_done, meter.samples_paid) == (60, 60, 360)


def test_shards_over_http_make_the_calls_of_a_plain_build_and_give_its_content(
    tmp_path: Path,
) -> None:
    builds.write_questions(tmp_path, range(40))
    with ChatServer() as server:
        builds.write_recipe(tmp_path, builds.OVER_HTTP.format(url=server.url))
        plain, spent = builds.run(tmp_path)
        requests = server.stats()["requests"]
        for of in (3, 7):
            server.reset()
            outcome, meter = in_shards(tmp_path, of)
            assert server.stats()["requests"] == requests
            assert outcome.manifest is not None and plain.manifest is not None
            assert outcome.manifest.content_digest == plain.manifest.content_digest
            assert meter.spend == spent.spend
            assert outcome.manifest.run.calls == spent.calls


def test_every_unit_belongs_to_exactly_one_shard_and_so_does_every_partition() -> None:
    units = [f"unit{number}" for number in range(300)]
    for of in (1, 2, 7, 64):
        shards = [Shard(number, of) for number in range(of)]
        assert sorted(part for shard in shards for part in shard.partitions) == list(range(64))
        for unit in units:
            (own,) = [shard for shard in shards if shard.has(unit)]
            assert partition_of(unit) in own.partitions


@pytest.mark.parametrize(("number", "of"), [(0, 0), (3, 3), (-1, 2), (0, 65)])
def test_a_shard_that_cannot_be_is_refused(number: int, of: int) -> None:
    with pytest.raises(ValueError, match="shard"):
        Shard(number, of)


def finished_shard(folder: Path) -> Finished:
    builds.write_questions(folder, range(5))
    recipe = read_recipe(builds.write_recipe(folder, SCRIPTED))
    read(recipe, folder, Meter(), JudgeGate(recipe, Store(folder / "store")))
    return asyncio.run(run_shard(recipe, folder / "ledger", folder, Shard(), Meter()))


def test_a_shard_that_runs_again_leaves_evidence_of_its_own(tmp_path: Path) -> None:
    first, again = finished_shard(tmp_path), finished_shard(tmp_path)
    assert first.folder != again.folder
    assert again.meter.samples_paid == 0
    assert again.meter.samples_replayed == first.meter.samples_paid == 30


def test_evidence_that_is_not_what_the_receipt_says_is_refused(tmp_path: Path) -> None:
    path, sha256 = write_receipt(finished_shard(tmp_path))
    with pytest.raises(StoreError, match="receipt"):
        read_receipt(path, "0" * 64)
    file = next((path.parent / "responses").iterdir())
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(StoreError, match=file.name):
        read_receipt(path, sha256)
