import json
from pathlib import Path

import pytest

from flows.cli import main
from tools.chat_server import ChatServer

RECIPE = """\
name = "trial"

[sources.questions]
kind = "jsonl"
path = "questions.jsonl"

[prompts]
text = "question"

[models.pupil]
kind = "scripted"
default = "Well."

[models.fussy]
kind = "scripted"
rules = [{{ match = "How|Why{more}", answers = ["Long.", "Very long."] }}]

[[samplers]]
kind = "independent"
model = "pupil"
n = 2

[[samplers]]
kind = "independent"
name = "second"
model = "fussy"
n = 2

[[pairings]]
kind = "all_pairs"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three questions, of which the model "fussy" refuses one, built once."""
    questions = ["How?", "Why?", "Which?"]
    rows = "".join(json.dumps({"question": question}) + "\n" for question in questions)
    (tmp_path / "questions.jsonl").write_text(rows)
    (tmp_path / "recipe.toml").write_text(RECIPE.format(more=""))
    assert main(["build", str(tmp_path / "recipe.toml"), "--store", str(tmp_path / "s")]) in (0, 3)
    return tmp_path


def retry(folder: Path, *arguments: str) -> int:
    return main(["retry", *arguments, "--store", str(folder / "s")])


def test_refusals_are_listed_by_model_status_and_message(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert retry(folder) == 0
    head, line, _, hint = capsys.readouterr().out.splitlines()
    assert head.split() == ["samples", "status", "model", "message"]
    assert line.split()[:2] == ["2", "400"]
    assert "#fussy" in line
    assert 'no rule, row or default answers "Which?"' in line
    again = f"`pairwright retry --failed --store {folder / 's'}`"
    assert hint == f"2 refused samples kept. To ask again: {again}"
    assert retry(folder) == 0
    assert capsys.readouterr().out.splitlines()[1] == line  # a list forgets nothing


def test_failed_forgets_them_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert retry(folder, "--failed") == 0
    assert "2 refused samples forgotten" in capsys.readouterr().out
    assert retry(folder, "--failed") == 0
    assert capsys.readouterr().out == "nothing was refused\n"


def test_a_status_or_a_recipe_narrows_what_is_forgotten(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert retry(folder, "--failed", "--status", "413") == 0
    assert capsys.readouterr().out == "nothing was refused\n"
    other = folder / "other.toml"
    other.write_text(RECIPE.format(more="|Who"))
    assert retry(folder, str(other), "--failed") == 0
    assert capsys.readouterr().out == "nothing was refused by its models\n"
    assert retry(folder, str(folder / "recipe.toml"), "--failed", "--status", "400") == 0
    assert "2 refused samples forgotten" in capsys.readouterr().out


def test_a_store_without_a_ledger_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert retry(tmp_path, "--failed") == 0
    none = f"{tmp_path / 's'} holds no ledger yet: nothing was refused\n"
    assert capsys.readouterr().out == none


def test_the_next_build_asks_the_endpoint_again_and_pays_for_nothing_else(tmp_path: Path) -> None:
    from tests.builds import OVER_HTTP, run, write_questions, write_recipe

    write_questions(tmp_path, range(5))
    with ChatServer() as server:
        write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
        server.set(e400=1.0)
        run(tmp_path)
        server.set(e400=0.0)
        server.reset()
        run(tmp_path)
        assert server.stats()["requests"] == 0  # final: replayed
        assert retry_in(tmp_path / "store", tmp_path / "recipe.toml") == 0
        outcome, meter = run(tmp_path)
        paid = server.stats()["completions"]
        run(tmp_path)
        assert server.stats()["completions"] == paid
    assert outcome.published
    assert meter.samples_paid == 5 * (4 + 4)


def retry_in(store: Path, recipe: Path) -> int:
    return main(["retry", str(recipe), "--failed", "--store", str(store)])


def test_a_change_of_the_recipe_says_whose_refusals_are_meant(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = ("--set", "models.fussy.rules=[]", "--set", "models.fussy.default=It is.")
    capsys.readouterr()
    assert retry(folder, str(folder / "recipe.toml"), *changed) == 0
    assert capsys.readouterr().out == "nothing was refused by its models\n"
    assert retry(folder, str(folder / "recipe.toml"), "--set", "seed=3") == 0
    again = f"retry {folder / 'recipe.toml'} --failed --set seed=3 --store {folder / 's'}`"
    assert capsys.readouterr().out.endswith(
        f"2 refused samples kept. To ask again: `pairwright {again}\n"
    )
    assert retry(folder, "--failed", "--set", "seed=3") == 2
    assert "is for RECIPE, which is missing" in capsys.readouterr().err
