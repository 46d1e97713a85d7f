"""The ablation table, on the worked example of AIR: four prompts, recorded scores from 0 to 9."""

import json
from pathlib import Path

import pytest

from pipelines.ablation.ablate import Ablation, ablate
from pipelines.ablation.figures import Figures
from pipelines.build import run_build
from pipelines.errors import RecipeError
from pipelines.publishing.store import Store
from pipelines.recipe import Recipe, read_recipe

SCORES = {"p1": [8, 7, 9, 8], "p2": [9, 2, 7, 5], "p3": [8, 6, 5, 8, 7], "p4": [9, 9, 9, 9]}

RECIPE = """
name = "air"

[sources.scores]
kind = "jsonl"
path = "scores.jsonl"

[prompts]
text = "prompt"
key = "prompt"

[[samplers]]
kind = "recorded"
prompt = "prompt"
text = "response"
model = "model"
key = ["prompt", "model"]

[[judges]]
kind = "recorded"
name = "strict"
response = ["prompt", "model"]
score = "score"
scale = [0, 9]

[[judges]]
kind = "recorded"
name = "mild"
response = ["prompt", "model"]
score = "mild"
scale = [0, 9]

[score]
judges = ["strict"]

[[pairings]]
kind = "all_pairs"

[[filters]]
kind = "variance"
max = 1.5

[[filters]]
kind = "margin"
values = [2, 3]

[[filters]]
kind = "min_score"
min = 8

[[selectors]]
kind = "one_per_prompt"
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    rows = [
        {
            "prompt": prompt,
            "model": f"m{number}",
            "response": f"{prompt} {number} " + "x" * score,
            "score": score,
            "mild": 9,
        }
        for prompt, scores in SCORES.items()
        for number, score in enumerate(scores)
    ]
    (tmp_path / "scores.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "recipe.toml"
    path.write_text(RECIPE)
    return read_recipe(path)


@pytest.fixture
def ablation(recipe: Recipe, tmp_path: Path) -> Ablation:
    return ablate(recipe, Store(tmp_path / "store"))


def counts(ablation: Ablation, group: str) -> dict[str, tuple[int, int]]:
    return {
        row.name: (row.figures.prompts, row.figures.pairs)
        for row in ablation.rows
        if row.group == group
    }


def test_each_component_alone_leaves_the_pairs_worked_out_by_hand(ablation: Ablation) -> None:
    # p1 has 5 pairs of different scores, p2 6, p3 9, p4 none; only p2 varies by more than 1.5
    assert counts(ablation, "alone") == {
        "nothing": (3, 20),
        "instruction filter": (2, 14),
        "pair rule": (3, 3),  # 9-7; 9-7 of p2; 8-6 of p3
    }


def test_components_cumulate_in_the_order_in_which_they_act(ablation: Ablation) -> None:
    assert counts(ablation, "cumulated") == {"+ instruction filter": (2, 14), "+ pair rule": (2, 2)}


def test_without_one_filter_the_others_stay(ablation: Ablation) -> None:
    without = counts(ablation, "without")
    assert without["filters.variance"] == (3, 3)
    assert without["selectors.one_per_prompt"] == (2, 5)  # 9-7; 8-6 and 8-5 from each 8
    assert without["filters.min_score"] == (2, 2)


def test_each_judge_alone_decides_by_its_own_scores(ablation: Ablation) -> None:
    assert counts(ablation, "judge") == {"strict": (2, 2), "mild": (0, 0)}


def test_figures_are_means_over_the_pairs(ablation: Ablation) -> None:
    [last] = [row.figures for row in ablation.rows if row.name == "+ pair rule"]
    assert (last.margin, last.score_chosen, last.score_rejected) == (2.0, 8.5, 6.5)
    assert last.n_chars_chosen == pytest.approx(5 + 8.5)  # "p1 2 " and an x for each point
    assert last.n_chars_rejected == pytest.approx(5 + 6.5)
    assert last.on_policy is None
    assert sum(last.chosen_models.values()) == pytest.approx(1)
    assert last.sources == {"scores": 1.0}


def test_without_pairs_there_is_nothing_to_average(ablation: Ablation) -> None:
    [mild] = [row.figures for row in ablation.rows if row.name == "mild"]
    assert mild == Figures(0, 0, None, None, None, None, None, None, {}, {}, {"all_tied": 4})


def test_the_shift_is_the_distance_between_who_is_chosen() -> None:
    def chosen(**shares: float) -> Figures:
        return Figures(1, 1, None, None, None, None, None, None, shares, {}, {})

    assert chosen(a=0.5, b=0.5).shift(chosen(b=1.0)) == 0.5
    assert chosen(a=1.0).shift(chosen(b=1.0)) == 1.0
    assert chosen(a=1.0).shift(chosen(a=1.0)) == 0.0


def test_the_whole_recipe_keeps_what_its_build_publishes(recipe: Recipe, tmp_path: Path) -> None:
    published = run_build(recipe, tmp_path / "built").manifest
    assert published is not None
    rows = ablate(recipe, Store(tmp_path / "built")).rows
    assert [row.figures.pairs for row in rows if row.name == "+ pair rule"] == [
        published.rows("pairs")
    ]


def test_what_is_not_in_the_ledger_is_not_bought(recipe: Recipe, tmp_path: Path) -> None:
    models = '[models.m]\nkind = "openai_api"\nbase_url = "https://models.test/v1"\n'
    sampler = '[[samplers]]\nkind = "independent"\nmodel = "m"\n'
    path = tmp_path / "asking.toml"
    path.write_text(f"{recipe.path.read_text()}\n{models}\n{sampler}")
    with pytest.raises(RecipeError, match="pairwright build"):
        ablate(read_recipe(path), Store(tmp_path / "store"))


def test_a_sampler_that_asks_a_judge_is_replayed_too(recipe: Recipe, tmp_path: Path) -> None:
    recipe.path.write_text(
        RECIPE
        + """
[models.reviser]
kind = "scripted"
default = "Corrected answer: as good as it gets"

[[samplers]]
kind = "revision"
model = "reviser"
of = "recorded"
which = "worst"
judged_by = "strict"
"""
    )
    revising = read_recipe(recipe.path)
    run_build(revising, tmp_path / "store")
    replayed = ablate(revising, Store(tmp_path / "store"))
    assert (replayed.prompts, replayed.owed) == (4, 0)
