"""A real vLLM that serves a reward model: its numbers are those of the same weights in NumPy."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.build import run_build
from pipelines.calls.meter import Meter
from pipelines.engine.cache import Cache
from pipelines.engine.checkpoint import find_checkpoint
from pipelines.engine.llama import Span
from pipelines.engine.model import load_model
from pipelines.engine.weights import read_tensors
from pipelines.recipe import read_recipe
from pipelines.serving.environment import find_python
from pipelines.shipped import shipped
from tests.checkpoints import make_reward_model

RECIPE = """
name = "rewarded"
seed = 3
limit = 12

[sources.sums]
kind = "builtin"
dataset = "sums_held_out"

[prompts]
text = "question"
key = "id"

[models.policy]
kind = "embedded"
policy = "on"
sampling = { temperature = 0.8, max_tokens = 64 }

[models.pooling]
kind = "vllm_server"
model = "rm"
reward = "pooling"
engine = { dtype = "float32", args = { kv_cache_memory_bytes = 536_870_912 } }

[models.score]
kind = "vllm_server"
model = "rm"
reward = "score"
engine = { dtype = "float32", args = { kv_cache_memory_bytes = 536_870_912 } }

[[samplers]]
kind = "independent"
model = "policy"
n = 8

[[judges]]
kind = "reward_model"
name = "pooling"
model = "pooling"

[[pairings]]
kind = "best_worst"
"""
LATER = """
extends = "recipe.toml"

[[judges]]
kind = "reward_model"
name = "pooling"
model = "pooling"

[[judges]]
kind = "reward_model"
name = "score"
model = "score"

[score]
judges = ["pooling"]
"""

pytestmark = [
    pytest.mark.skipif(
        not find_python(None, Path.cwd()).exists(),
        reason="vLLM is not here: `sh tools/vllm_env.sh` makes its environment",
    ),
    pytest.mark.timeout(600),
]


@dataclass(frozen=True)
class Judged:
    """Two builds: one judge, then a second beside it."""

    folder: Path
    first: Meter
    later: Meter
    table: pl.DataFrame
    """Judgments of the later build, with their texts."""


def built(folder: Path, recipe: str) -> tuple[Meter, Path]:
    meter = Meter()
    outcome = run_build(read_recipe(folder / recipe), folder / "store", meter)
    assert outcome.version is not None, outcome.failures
    return meter, outcome.version.folder


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    folder = tmp_path_factory.mktemp("rewards")
    make_reward_model(folder / "rm", shipped("models/policy"), seed=5)
    (folder / "recipe.toml").write_text(RECIPE)
    (folder / "later.toml").write_text(LATER)
    first, _ = built(folder, "recipe.toml")
    later, version = built(folder, "later.toml")
    judgments, responses, prompts = (
        pl.read_parquet(version / table / "*.parquet")
        for table in ("judgments", "responses", "prompts")
    )
    questions = prompts.select(
        "prompt_id", question=pl.col("messages").list.last().struct.field("content")
    )
    table = judgments.join(responses.select("response_id", "text"), on="response_id")
    return Judged(folder, first, later, table.join(questions, on="prompt_id"))


@pytest.fixture(scope="module")
def reward(judged: Judged) -> Callable[[str], float]:
    """The reward of a text, by NumPy: the head on the last token's hidden state."""
    model = load_model(find_checkpoint("policy", Path()))
    tensors = read_tensors(judged.folder / "rm" / "model.safetensors")
    head = tensors["model.norm.weight"] * tensors["score.weight"][0]

    def of(text: str) -> float:
        tokens = np.array([model.vocabulary.encode(text)])
        [hidden] = model.llama.hidden([Span(tokens, Cache(model.llama.shape))])
        return float(hidden[0, -1] @ head)

    return of


def test_pooling_gives_the_reward_of_the_whole_conversation(
    judged: Judged, reward: Callable[[str], float]
) -> None:
    rows = judged.table.filter(pl.col("judge") == "pooling")
    assert rows.height >= 12 * 8
    for question, text, score in rows.select("question", "text", "score").rows():
        talk = f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n{text}<|im_end|>\n"
        assert score == pytest.approx(reward(talk), abs=1e-3)


def test_score_gives_the_reward_of_the_two_texts(
    judged: Judged, reward: Callable[[str], float]
) -> None:
    rows = judged.table.filter(pl.col("judge") == "score")
    assert rows.height >= 12 * 8
    for question, text, score in rows.select("question", "text", "score").rows():
        assert score == pytest.approx(reward(question + text), abs=1e-3)


def test_a_second_judge_later_costs_one_call_for_each_text_and_no_other(judged: Judged) -> None:
    texts = judged.table.select("question", "text").n_unique()
    assert judged.first.spend["pooling"].calls == texts
    assert list(judged.later.spend) == ["score"]
    assert judged.later.spend["score"].calls == texts
    assert judged.later.spend["score"].completion_tokens == 0


def test_the_prompt_that_answers_share_is_read_once(judged: Judged) -> None:
    """The engine's own count: of 8 answers to a question, 7 find its tokens in the cache."""
    for meter in (judged.first, judged.later):
        [words] = meter.engines.values()
        assert "tokens read" in words
        share = int(words.partition("prefix cache ")[2].partition(" %")[0])
        assert share >= 20, words
