"""What is trained, tuned and compared."""

import json
from pathlib import Path

import pytest

from flows.options.shipped_recipes import find_recipe
from pipelines.part import identity_of
from pipelines.recipe import read_recipe
from tools.proof.answers import Problem, held_out, is_right
from tools.proof.design import ARMS, COMPARED, GRID, MAIN, SETS, TUNING_SEED, Arm, Size
from tools.proof.jobs import Job, Setting, checkpoint_name, read_jobs, write_jobs
from tools.proof.report import Tried
from tools.proof.run import best_settings
from tools.proof.sets import changes

ROOT = Path(__file__).parents[3]


def recipe_of(name):
    """The recipe of a set."""
    return read_recipe(find_recipe("quickstart"), changes(name, Size())[1::2])


@pytest.mark.parametrize("name", SETS)
def test_a_set_differs_from_the_quickstart_in_what_is_selected_and_buys_the_same(name):
    one, quickstart = recipe_of(name), read_recipe(find_recipe("quickstart"))
    for bought in ("sources", "prompts", "models", "samplers", "judges"):
        assert identity_of(getattr(one, bought)) == identity_of(getattr(quickstart, bought))
    assert (one.head.name, one.head.seed) == (name, quickstart.head.seed)
    judge = {"verifier": "verifier", "teacher": "likelihood"}[Arm(name).judge]
    assert one.score.judges == (judge,)


def test_thresholds_and_pairings_are_as_the_sets_are_called():
    told = {
        name: ([one.kind for one in recipe.pairings], [one.kind for one in recipe.filters])
        for name, recipe in ((name, recipe_of(name)) for name in SETS)
    }
    plain, all_of_quickstart = ["finish_reason", "identical"], told["quickstart"][1]
    assert told["verifier_best_worst"] == told["teacher_best_worst"] == (["best_worst"], plain)
    assert told["verifier_all_pairs"] == told["teacher_all_pairs"] == (["all_pairs"], plain)
    assert told["quickstart"][0] == ["best_worst"]
    assert told["teacher_margin"] == (["all_pairs"], all_of_quickstart)
    assert "margin" in all_of_quickstart


def test_what_is_compared_is_trained():
    assert {arm for pair in COMPARED for arm in pair} <= set(ARMS)


def test_every_arm_takes_a_setting_that_was_tuned_for_its_judge_and_method():
    tuned = {Arm(main.set, method) for main in MAIN.values() for method in GRID}
    assert {arm.tuned_like for arm in ARMS} == tuned
    assert Arm("teacher_margin").tuned_like == Arm("quickstart")
    assert Arm("verifier_best_worst", "shuffled").tuned_like == Arm("verifier_best_worst")


def test_nothing_reported_took_part_in_tuning_or_training():
    size = Size()
    assert TUNING_SEED not in range(size.seeds)
    tuning = {one.question for one in held_out(0, size.tuning)}
    reported = {one.question for one in held_out(size.tuning, size.reported)}
    lines = (ROOT / "data" / "prompts" / "sums_train.jsonl").read_text().splitlines()
    trained = {json.loads(line)["question"] for line in lines}
    assert (len(tuning), len(reported)) == (size.tuning, size.reported)
    assert not tuning & reported
    assert not (tuning | reported) & trained


def test_more_problems_than_there_are_is_refused():
    with pytest.raises(ValueError, match="holds 2000 problems, and 2001 are wanted"):
        held_out(2000, 1)


def test_the_setting_with_the_most_right_answers_wins_and_of_equals_the_first():
    one, other = Setting(1e-4, 1, 0.1), Setting(2e-4, 1, 0.1)
    arm, control = Arm("quickstart"), Arm("quickstart", "chosen_only")
    tried = [
        Tried(arm, one, 0.5),
        Tried(arm, other, 0.6),
        Tried(control, one, 0.4),
        Tried(control, other, 0.4),
    ]
    assert best_settings(tried) == {arm: other, control: one}


def test_trainings_that_differ_in_anything_have_names_of_their_own():
    names = {
        checkpoint_name(("model", pairs), method, setting, seed)
        for pairs in ("a", "b")
        for method in ("dpo", "shuffled")
        for setting in (Setting(1e-4, 1, 0.1), Setting(1e-4, 2, 0.1), Setting(1e-4, 1, 0.3))
        for seed in (0, 1)
    }
    assert len(names) == 24


def test_jobs_come_back_as_they_were_written(tmp_path):
    jobs = [Job("start", "pairs", "shuffled", 1e-4, 1, 0.3, 7, "checkpoint")]
    write_jobs(jobs, tmp_path / "jobs.json")
    assert read_jobs(tmp_path / "jobs.json") == jobs


def test_an_answer_is_right_when_its_last_line_is():
    problem = Problem("p", "Tom has 17 pens, gets 25, loses 8. How many?", "34")
    assert is_right(problem, "17+25=42\n42-8=34\nAnswer: 34")
    assert not is_right(problem, "17+25=34\n34-8=26\nAnswer: 26")
    assert not is_right(problem, "")
