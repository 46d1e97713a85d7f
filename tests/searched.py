"""Versions of searched trees: a real build whose sampler gives trees that are written down."""

import json
from pathlib import Path

from pipelines.build import run_build
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from pipelines.recipe import read_recipe
from tests.trees import ORACLE, Steps

SAMPLER = '''
"""Gives the tree that is written down beside it."""

import json
from pathlib import Path

from pipelines.sampler import Drawn, Sampler
from tests.trees import grow


class Written(Sampler):
    """The tree of the file trees.json, or of the question if it has one of its own."""

    async def draw(self, unit):
        trees = json.loads(Path(__file__).with_name("trees.json").read_text())
        question = unit.prompt.messages[-1].content
        return Drawn(*grow(unit.prompt, trees.get(question, trees["*"]), self.name))
'''

RECIPE = """
name = "trees"
seed = 3

[sources.questions]
kind = "jsonl"
path = "questions.jsonl"

[prompts]
text = "question"

[[samplers]]
kind = "./search.py"

[[pairings]]
kind = "step_siblings"

[publish]
splits = { train = 1.0 }
"""


def searched(
    folder: Path,
    trees: dict[str, Steps] | None = None,
    *overrides: str,
    questions: int = 3,
    recipe: str = RECIPE,
) -> Version:
    """A version of so many questions, each with a tree: that of "*" where it has none of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = [one for one in trees or {} if one != "*"]
    asked += [f"Question {number}?" for number in range(questions)]
    lines = "".join(json.dumps({"question": one}) + "\n" for one in asked)
    (folder / "questions.jsonl").write_text(lines)
    (folder / "trees.json").write_text(json.dumps({"*": ORACLE, **(trees or {})}))
    (folder / "search.py").write_text(SAMPLER)
    (folder / "trees.toml").write_text(recipe)
    outcome = run_build(read_recipe(folder / "trees.toml", overrides), folder / "store")
    assert outcome.version is not None, outcome.failures
    return outcome.version


def store_of(version: Version) -> Store:
    """The store that a version lies in."""
    return Store(version.folder.parents[2])
