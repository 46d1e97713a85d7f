"""A real vLLM, as server and as run-batch, on the shipped policy. `sh tools/vllm_env.sh` makes it.

The recipes are those of docs/vllm.md. One build by a server is looked at by most of the tests.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from pipelines.build import Outcome, run_build
from pipelines.calls.meter import Meter
from pipelines.recipe import read_recipe
from pipelines.serving.environment import find_python

PAGE = Path(__file__).parents[2] / "docs" / "vllm.md"
BLOCK = re.compile(r"^```toml (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PROMPTS, SAMPLES = 40, 8

COMPARED = """
extends = "served.toml"

[models.marker]
kind = "vllm_server"
model = "policy"
engine = { dtype = "float32", args = { kv_cache_memory_bytes = 536_870_912 } }

[models.numpy]
kind = "embedded"
model = "policy"

[[samplers]]
kind = "independent"
model = "policy"
n = 8

[[samplers]]
kind = "independent"
name = "greedy"
model = ["marker", "numpy"]
sampling = { temperature = 0, max_tokens = 64, logprobs = true }

[[judges]]
kind = "verifier"
answer = "number"

[[judges]]
kind = "rating"
model = "marker"
template = "mark.jinja"
scale = [1, 3]

[judges.sampling]
max_tokens = 16
extra_body = { structured_outputs = { choice = ["Rating: 1", "Rating: 2", "Rating: 3"] } }

[[judges]]
kind = "likelihood"
name = "by_vllm"
model = "marker"

[[judges]]
kind = "likelihood"
name = "by_numpy"
model = "numpy"

[score]
judges = ["verifier"]
"""
"""The page's recipe, with what two engines say of the same, and a judge that can say three things."""

pytestmark = [
    pytest.mark.skipif(
        not find_python(None, Path.cwd()).exists(),
        reason="vLLM is not here: `sh tools/vllm_env.sh` makes its environment",
    ),
    pytest.mark.timeout(600),
]


@dataclass(frozen=True)
class Built:
    """A build, and the folder that it was made in."""

    folder: Path
    outcome: Outcome
    meter: Meter

    def table(self, name: str) -> pl.DataFrame:
        assert self.outcome.version is not None, self.outcome.failures
        return pl.read_parquet(self.outcome.version.folder / name / "*.parquet")

    def responses(self, sampler: str = "independent") -> pl.DataFrame:
        """What the models answered to a sampler."""
        return self.table("responses").filter(pl.col("sampler") == sampler)


def build(folder: Path, recipe: str, limit: int, store: str = "store") -> Built:
    meter = Meter()
    outcome = run_build(read_recipe(folder / recipe, [f"limit={limit}"]), folder / store, meter)
    return Built(folder, outcome, meter)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The page's recipe and more, built by one server."""
    folder = tmp_path_factory.mktemp("vllm")
    for name, text in BLOCK.findall(PAGE.read_text()):
        (folder / name).write_text(text)
    (folder / "compared.toml").write_text(COMPARED)
    (folder / "mark.jinja").write_text(
        "{{ conversation[0].text }}\n{{ response }}\n{{ form }} <<<{{ mark }} {{ mark }}>>>"
    )
    return build(folder, "compared.toml", PROMPTS)


def test_a_server_answers_all_samples_of_a_prompt_in_one_request(served: Built) -> None:
    answers = served.responses()
    assert answers.height == PROMPTS * SAMPLES
    assert served.meter.spend["policy"].calls == PROMPTS
    [identity] = answers["model_identity"].unique()
    assert re.fullmatch(r'vllm \d\S+ sha256:[0-9a-f]{32} \{"dtype":"float32"\}#policy', identity)


def test_two_models_of_one_engine_share_a_server_that_tells_what_it_did(served: Built) -> None:
    [words] = served.meter.engines.values()
    said = r"ready after \d+ s; [\d,]+ tokens written, [\d,]+ a second; prefix cache \d+ % of"
    assert re.match(said, words), words


def test_a_judge_that_vllm_holds_to_a_choice_can_always_be_read(served: Built) -> None:
    assert served.outcome.manifest is not None
    judge = served.outcome.manifest.judges["rating"]
    assert judge.read == judge.asked >= PROMPTS * SAMPLES


def test_greedy_answers_are_those_of_the_embedded_engine(served: Built) -> None:
    greedy = served.responses("greedy")
    by_vllm, by_numpy = (greedy.filter(pl.col("model") == one) for one in ("marker", "numpy"))
    both = by_vllm.join(by_numpy, on="prompt_id", suffix="_numpy")
    assert both.height == PROMPTS
    assert both["text"].to_list() == both["text_numpy"].to_list()
    # vLLM lists the token that ends an answer, too
    ends = both["sum_logprob_numpy"] - both["sum_logprob"]
    assert -1e-4 < ends.min() <= ends.max() < 0.1


def test_a_given_text_has_the_score_that_the_embedded_engine_gives_it(served: Built) -> None:
    judgments = served.table("judgments")
    by_vllm, by_numpy = (
        judgments.filter(pl.col("judge") == name) for name in ("by_vllm", "by_numpy")
    )
    both = by_vllm.join(by_numpy, on="response_id", suffix="_numpy")
    assert both.height == by_vllm.height >= PROMPTS * SAMPLES
    assert (both["score"] - both["score_numpy"]).abs().max() < 1e-4


def test_a_batch_buys_only_what_the_server_did_not(served: Built) -> None:
    further = 10
    batch = build(served.folder, "offline.toml", PROMPTS + further)
    assert batch.meter.spend["policy"].calls == further
    answers = batch.responses()
    assert answers.height == (PROMPTS + further) * SAMPLES
    assert answers["model_identity"].n_unique() == 1
    assert next(iter(batch.meter.engines.values())).startswith("1 batch job in ")


def test_a_batch_answers_as_the_server_does(served: Built) -> None:
    """vLLM does not promise it; where it holds, the two routes can be compared text by text."""
    batch = build(served.folder, "offline.toml", PROMPTS, store="another").responses()
    both = batch.join(served.responses(), on=["prompt_id", "sample_index"], suffix="_served")
    assert both.height == PROMPTS * SAMPLES
    assert both.filter(pl.col("text") == pl.col("text_served")).height >= 0.95 * both.height
