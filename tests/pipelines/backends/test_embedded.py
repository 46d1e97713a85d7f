import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.backend import SCORING, Backend, Request, Sampling
from pipelines.backends.embedded import Embedded
from pipelines.errors import RecipeError, RequestRefused
from pipelines.part import Where, load_part
from schemas.rows import Message, Prompt, prompt_id
from tests.builds import published, run, write_recipe
from tests.checkpoints import make_checkpoint

ASKED = Request((Message("user", "Hi"),), None, Sampling(max_tokens=8), 2, 5)


def load(root: Path, **fields: Any) -> Embedded:
    table = {"kind": "embedded", "name": "m", **fields}
    backend = load_part("backends", table, Where("r.toml", "[models.m]", root))
    assert isinstance(backend, Embedded)
    return backend


async def answer(backend: Backend, request: Request = ASKED) -> list[str | None]:
    await backend.open()
    try:
        return [one.text for one in (await backend.complete(request)).completions]
    finally:
        await backend.close()


async def test_a_table_without_a_model_is_answered_by_the_shipped_one_of_its_name() -> None:
    policy = load(Path(), name="policy")
    asked = (Message("user", "Tom has 17 pens, gets 25, loses 8. How many?"),)
    [said] = await answer(policy, Request(asked, None, Sampling(temperature=0.0), 1, 1))
    assert re.fullmatch(r"(\d+[+-]\d+=\d+\n)+Answer: \d+", str(said))


async def test_a_model_is_the_same_wherever_its_folder_lies(tmp_path: Path) -> None:
    make_checkpoint(tmp_path / "here" / "mine")
    make_checkpoint(tmp_path / "there" / "mine")
    here, there = load(tmp_path, model="here/mine"), load(tmp_path / "there", model="mine")
    assert here.qualified_model == there.qualified_model
    assert here.identity() == there.identity()
    assert await answer(here) == await answer(there)


def test_what_runs_a_model_is_no_part_of_what_it_says(tmp_path: Path) -> None:
    make_checkpoint(tmp_path / "mine")
    one = load(tmp_path, model="mine")
    other = load(tmp_path, model="mine", samples=3, threads=2, window=5, timeout_s=9.0)
    assert one.identity() == other.identity()
    assert one.endpoint() != load(tmp_path, model="mine", name="second").endpoint()


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": "polcy"}, r"r.toml: \[models.m\]: model: no such folder.*did you mean"),
        ({"model": "empty"}, r"holds no config.json and no tokenizer.json and no \*.safetensors"),
    ],
)
def test_a_model_that_is_missing_is_told_before_any_call(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecipeError, match=said):
        load(tmp_path, **fields)


async def test_weights_that_are_broken_are_told_before_any_call(tmp_path: Path) -> None:
    (make_checkpoint(tmp_path / "mine") / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(RecipeError, match=r"model\.safetensors"):
        await load(tmp_path, model="mine").open()


def test_what_the_engine_does_not_know_is_told_before_any_call() -> None:
    backend, where = load(Path(), model="policy"), Where("r.toml", "[[samplers]] s", Path())
    backend.check_sampling(SCORING, where)
    backend.check_sampling(Sampling(temperature=1.0), where)
    with pytest.raises(RecipeError, match=r"samplers.*: sampling: min_p is not known"):
        backend.check_sampling(Sampling(extra_body={"min_p": 0.1}), where)


async def test_requests_in_flight_are_dropped_when_it_closes(tmp_path: Path) -> None:
    make_checkpoint(tmp_path / "mine", max_position_embeddings=4000, eos_token_id=[])
    backend = load(tmp_path, model="mine", samples=1)
    await backend.open()
    endless = replace(ASKED, sampling=Sampling())
    waiting = [asyncio.create_task(backend.complete(endless)) for _ in range(3)]
    await asyncio.sleep(0.05)
    for task in waiting:
        task.cancel()
    await backend.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(one, asyncio.CancelledError) for one in results)


async def test_a_score_is_bought_once_and_kept_apart_from_answers(
    tmp_path: Path, make_unit: Any
) -> None:
    asked = (Message("user", "Hi"),)
    backend = load(tmp_path, model="policy", sampling={"max_tokens": 9})
    unit = make_unit(Prompt(prompt_id(asked), asked), backend)
    await backend.open()
    said = [*asked, Message("assistant", "17+25=42")]
    first, again = [await unit.score("m", said) for _ in range(2)]
    [drawn] = await unit.sample("m", said)
    await backend.close()
    assert first == again
    assert first.logprobs is not None
    assert len(first.logprobs) == 8
    assert drawn.logprobs is None
    assert unit.workshop.meter.samples_paid == 2


async def test_a_prompt_that_is_too_long_is_refused_alone(tmp_path: Path) -> None:
    make_checkpoint(tmp_path / "mine")
    backend = load(tmp_path, model="mine")
    await backend.open()
    long = replace(ASKED, messages=(Message("user", "x" * 100),))
    refused, answered = await asyncio.gather(
        backend.complete(long), backend.complete(ASKED), return_exceptions=True
    )
    await backend.close()
    assert isinstance(refused, RequestRefused)
    assert refused.status == 400
    assert len(answered.completions) == 2  # type: ignore[union-attr]


RECIPE = """
name = "trial"
limit = 12
seed = 1

[sources.sums]
kind = "builtin"
dataset = "sums_held_out"

[prompts]
text = "question"
key = "id"
reference = "answer"

[models.policy]
kind = "embedded"
sampling = { temperature = 0.8, max_tokens = 80, logprobs = true }

[models.teacher]
kind = "embedded"

[[samplers]]
kind = "independent"
model = "policy"
n = 4

[[judges]]
kind = "likelihood"
model = "teacher"

[[pairings]]
kind = "best_worst"
"""


def test_a_build_with_real_models_is_paid_once_and_resumes(tmp_path: Path) -> None:
    write_recipe(tmp_path, RECIPE)
    outcome, meter = run(tmp_path)
    assert outcome.version is not None
    assert meter.samples_paid > 12 * 4
    judged = published(outcome, "judgments")
    assert {row["judge"] for row in judged} == {"likelihood"}
    assert all(row["score"] < 0 and row["error"] is None for row in judged)
    assert all(row["sum_logprob"] < 0 for row in published(outcome, "responses"))
    again, replayed = run(tmp_path)
    assert again.version == outcome.version
    assert replayed.samples_paid == 0
    elsewhere, _ = run(tmp_path, store="another")
    assert elsewhere.manifest is not None
    assert outcome.manifest is not None
    assert elsewhere.manifest.content_digest == outcome.manifest.content_digest
