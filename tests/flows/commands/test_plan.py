import re
from pathlib import Path

import pytest

from flows.cli import main
from tests.builds import OVER_HTTP, write_questions, write_recipe
from tools.chat_server import ChatServer

RECORDED = """
name = "recorded"

[sources.answers]
kind = "jsonl"
path = "answers.jsonl"

[prompts]
text = "q"

[[samplers]]
kind = "recorded"
text = "a"
key = "id"

[[pairings]]
kind = "all_pairs"
"""

PRICED = ("--set", "models.policy.prices.input=1", "--set", "models.policy.prices.output=2")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    write_questions(tmp_path, range(12))
    return write_recipe(tmp_path, OVER_HTTP.format(url="http://127.0.0.1:9/v1"))


def plan(recipe: Path, *more: str) -> int:
    return main(["plan", str(recipe), "--store", str(recipe.parent / "store"), *more])


def test_plan_shows_calls_by_part_and_calls_nobody(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan(recipe, *PRICED, "--set", "budget.calls=50") == 0
    said = capsys.readouterr().out
    assert "12 prompts; 0 samples in the ledger already" in said
    [judge] = [line.split() for line in said.splitlines() if line.startswith("judges.rating")]
    [sampler] = [line.split() for line in said.splitlines() if line.startswith("samplers.")]
    assert judge[:6] == ["judges.rating", "critic", "48", "*", "48", "*"]
    assert sampler[:4] == ["samplers.independent", "policy", "12", "48"]
    assert judge[-2:] == ["no", "prices"]
    assert "* assumed: how long texts are, and that answers to one prompt all differ;" in said
    assert "[budget] calls = 50: is expected to be reached" in said
    assert not (recipe.parent / "store" / "ledger").exists()


def test_plan_says_when_nothing_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_questions(tmp_path, range(5))
    with ChatServer() as server:
        path = write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
        assert plan(path, "--pilot", "5") == 0
    said = capsys.readouterr().out
    assert "5 prompts; 40 samples in the ledger already" in said
    assert "Nothing is left to call." in said


@pytest.mark.parametrize(
    "option", ["--pilot=-1", "--units=0", "--answer-tokens=0", "--judge-tokens=-5"]
)
def test_a_number_that_counts_nothing_is_refused_before_any_call(
    recipe: Path, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan_ends(recipe, option) == 2
    assert "at least" in capsys.readouterr().err


def plan_ends(recipe: Path, option: str) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        plan(recipe, option)
    return ended.value.code


def test_a_pilot_that_bought_nothing_says_so(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan(recipe, "--pilot", "3", "--set", "models.policy.max_tries=1") == 0
    assert "3 prompts of the pilot owe calls" in capsys.readouterr().err


def test_a_pilots_spend_is_taken_off_what_the_budget_leaves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_questions(tmp_path, range(12))
    with ChatServer() as server:
        path = write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
        bounds = ("--set", "budget.calls=200", "--set", "budget.wall_s=900")
        assert plan(path, "--pilot", "2", *bounds) == 0
    said = capsys.readouterr().out
    assert "the pilot took 10 calls" in said
    assert "[budget] calls = 200, 190 left after the pilot: is enough in the worst case" in said
    assert "[budget] wall_s = 900: should do" in said
    assert "`--set budget.calls=190` counts the pilot in" in said
    assert re.search(r"^time: about 0:0\d at full windows", said, re.MULTILINE)


def test_a_pilot_that_takes_the_whole_budget_leaves_nothing_to_set(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_questions(tmp_path, range(12))
    with ChatServer() as server:
        path = write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
        assert plan(path, "--pilot", "2", "--set", "budget.calls=4") == 0
    said = capsys.readouterr().out
    assert "[budget] calls = 4, 0 left after the pilot: is expected to be reached" in said
    assert said.endswith("A build has the whole budget again: the pilot alone has taken as much\n")


def test_keys_are_wanted_of_all_models_where_anything_is_owed_and_else_of_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRIAL_KEY", raising=False)
    write_questions(tmp_path, range(3))
    with ChatServer() as server:
        path = write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
        assert plan(path, "--pilot", "3") == 0
        capsys.readouterr()
        keyed = ("--set", "models.policy.api_key_env=TRIAL_KEY")
        assert plan(path, *keyed) == 0
        assert "TRIAL_KEY" not in capsys.readouterr().out
        assert plan(path, *keyed, "--set", "judges.rating.sampling={max_tokens=99}") == 0
    said = capsys.readouterr().out
    assert "samplers.independent" not in said
    assert "fault    model policy            the environment variable TRIAL_KEY is not set" in said


def test_the_worst_case_is_shown_or_what_leaves_it_open(
    recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan(recipe) == 0
    said = capsys.readouterr().out
    assert "at the most: 108 calls, besides calls that fail" in said
    assert "tokens have no bound: critic without sampling.max_tokens" in said
    priced = [*PRICED, *(word.replace("policy", "critic") for word in PRICED)]
    assert plan(recipe, *priced, "--set", "models.critic.sampling={max_tokens=100}") == 0
    said = capsys.readouterr().out
    assert re.search(r"at the most: 108 calls, \d+k tokens, 0\.\d+, besides", said)
    assert re.search(r"^all +60 \* +96 \* ", said, re.MULTILINE)


def test_a_recipe_without_models_is_said_to_cost_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "answers.jsonl").write_text('{"q": "Why?", "a": "So.", "id": 1}\n')
    path = write_recipe(tmp_path, RECORDED)
    assert plan(path) == 0
    said = capsys.readouterr().out
    assert said == "1 prompt\n\nThis recipe calls no model: a build of it costs nothing.\n"
