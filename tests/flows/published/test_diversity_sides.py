"""The tokens of responses that were drawn together."""

from pathlib import Path

from flows.published.diversity_sides import read_side
from pipelines.build import run_build
from pipelines.publishing.store import Store
from pipelines.recipe import read_recipe

RECIPE = """
name = "sets"

[sources.questions]
kind = "jsonl"
path = "questions.jsonl"

[prompts]
text = "question"

[models.m]
kind = "scripted"
default = \"\"\"
### Stay at home.
### Go away soon.\"\"\"

[[samplers]]
kind = "negatively_correlated"
model = "m"
n = 2
plain = 0
sets = 2

[[pairings]]
kind = "all_pairs"

[gates]
min_pairs = 0
"""


def test_two_sets_that_are_equal_word_for_word_count_the_tokens_of_both(tmp_path: Path) -> None:
    (tmp_path / "questions.jsonl").write_text('{"question": "Stay or go?"}\n')
    (tmp_path / "sets.toml").write_text(RECIPE)
    run_build(read_recipe(tmp_path / "sets.toml"), tmp_path / "store")
    side = read_side(Store(tmp_path / "store"), "sets", 0.5)
    assert side.responses["completion_tokens"].to_list() == [4.0] * 4  # "###" is a word, too
