"""How much of what a judge reads is read once: the prefix cache of a real vLLM while it judges.

    python bench/judging_prefix.py [JUDGE ...]      # default: rating pairwise

The embedded policy gives each of 20 problems 8 answers; a vLLM server with the same weights judges
them in the words of the shelf's templates. What it says is nonsense, for it was never taught to
judge and its context is stretched; what it reads is what any judge reads.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipelines.build import run_build  # noqa: E402
from pipelines.calls.meter import Meter  # noqa: E402
from pipelines.recipe import read_recipe  # noqa: E402

RECIPE = """
name = "judged"
limit = 20

[sources.sums]
kind = "builtin"
dataset = "sums_held_out"

[prompts]
text = "question"

[models.policy]
kind = "embedded"
sampling = {{ temperature = 1.0, max_tokens = 64 }}

[models.judge]
kind = "vllm_server"
model = "policy"
sampling = {{ max_tokens = 4 }}

[models.judge.engine]
dtype = "float32"
max_model_len = 4096
args = {{ kv_cache_memory_bytes = 1_073_741_824, hf_overrides = {{ max_position_embeddings = 4096 }} }}

[[samplers]]
kind = "independent"
model = "policy"
n = 8

[[judges]]
kind = "{judge}"
model = "judge"
reask = 0

[[pairings]]
kind = "best_worst"

[gates]
min_read_share = 0
min_pairs = 0
"""


def main() -> None:
    """Prints what the engine counted, for each of the judges named or for two of the shelf."""
    for judge in sys.argv[1:] or ["rating", "pairwise"]:
        with TemporaryDirectory() as folder:
            recipe, meter = Path(folder) / "recipe.toml", Meter()
            recipe.write_text(RECIPE.format(judge=judge))
            run_build(read_recipe(recipe), Path(folder) / "store", meter)
        calls = meter.spend["judge"].calls
        print(f"{judge}: {calls} judgments; {'; '.join(meter.engines.values())}")


if __name__ == "__main__":
    main()
