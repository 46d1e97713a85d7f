"""The advice on the objective: chosen answers against the policy's own."""

from pipelines.build import run_build
from pipelines.recipe import read_recipe
from pipelines.report.policy_figures import ABOVE_POLICY, objective, policy_figures
from schemas.version import Figure


def advice(value, low, high, prompts=200):
    one = Figure(figure=ABOVE_POLICY, value=value, low=low, high=high, n=prompts, prompts=prompts)
    return objective([Figure(figure="mean_margin", value=9.0, n=1, prompts=1), one])


def test_the_interval_decides_and_200_prompts_are_wanted():
    assert advice(0.5, 0.1, 0.9) == "apo_zero"
    assert advice(-0.5, -0.9, -0.1) == "apo_down"
    assert advice(0.5, -0.1, 1.1) == "undecided"
    assert advice(0.5, 0.1, 0.9, prompts=199) == "undecided"
    assert advice(0.5, None, None) == "undecided"
    assert objective([]) is None


RECIPE = """
name = "advised"
[sources.problems]
kind = "builtin"
dataset = "arithmetic"
[prompts]
text = "question"
reference = "answer"
key = "id"
[models.student]
kind = "scripted"
default = "The answer is 0."
policy = "on"
[models.teacher]
kind = "scripted"
default = "{said}"
[[samplers]]
kind = "independent"
model = "student"
[[samplers]]
kind = "independent"
name = "teaching"
model = "teacher"
[[judges]]
kind = "verifier"
answer = "number"
[[pairings]]
kind = "origin"
chosen = "teacher"
rejected = "student"
[publish]
splits = {{ train = 1 }}
"""


def test_the_figure_is_the_mean_over_prompts_and_stands_in_manifest_and_card(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.format(said="I would not know."))
    version = run_build(read_recipe(path), tmp_path / "store").version
    assert version is not None
    (found,) = policy_figures(version)
    assert (found.value, found.prompts) == (0.0, 48)  # nobody is right
    assert version.manifest.objective == "undecided"
    card = (version.folder / "README.md").read_text()
    assert "On 48 prompts the chosen answers score +0.000 against the" in card


def test_without_an_answer_of_the_policy_there_is_no_figure_and_no_advice(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE.format(said="I would not know.").replace('policy = "on"', ""))
    version = run_build(read_recipe(path), tmp_path / "store").version
    assert version is not None
    assert list(policy_figures(version)) == []
    assert version.manifest.objective is None
    assert "## Objective" not in (version.folder / "README.md").read_text()
