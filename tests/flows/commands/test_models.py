"""What plan, doctor and build say of a model that its server does not list, of a key and a server."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.cli import main
from tests.builds import write_questions, write_recipe
from tests.listing_server import Listing, listing

RECIPE = """
name = "trial"
[sources.questions]
kind = "jsonl"
path = "questions.jsonl"
[prompts]
text = "question"
[models.policy]
kind = "openai_api"
base_url = "{url}"
identity = "loopback"
model = "small-instrct"
max_tries = 1
[[samplers]]
kind = "independent"
model = "policy"
n = 2
[[pairings]]
kind = "all_pairs"
"""


@pytest.fixture
def server() -> Iterator[Listing]:
    with listing() as running:
        yield running


@pytest.fixture
def recipe(tmp_path: Path, server: Listing) -> Path:
    write_questions(tmp_path, range(4))
    return write_recipe(tmp_path, RECIPE.format(url=server.url))


def told(server: Listing) -> str:
    return (
        f'GET {server.url}/models: small-instrct is not listed -> did you mean "small-instruct" or '
        '"large-instruct"? Listed: large-instruct, small-instruct'
    )


def run(command: str, recipe: Path, *more: str) -> int:
    return main([command, str(recipe), "--store", str(recipe.parent / "store"), *more])


def test_plan_and_doctor_say_that_a_model_is_not_listed_and_call_nobody(
    server: Listing, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("plan", "doctor"):
        assert run(command, recipe) == 0
        assert told(server) in capsys.readouterr().out
    assert server.posts == 0


def test_a_build_says_it_before_the_first_call_and_then_what_was_refused(
    server: Listing, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("build", recipe) == 3
    said = capsys.readouterr()
    assert said.err.startswith(f"warning  model policy            {told(server)}\nreading\n")
    assert "samplers.independent      8        8  small-instrct at" in said.out
    assert "HTTP 400: no model small-instrct" in said.out
    assert "`pairwright retry --failed --store" in said.out
    assert run("show", Path("trial@refused"), "--store", str(recipe.parent / "store")) == 0
    assert "HTTP 400: no model small-instrct" in capsys.readouterr().out


def test_a_pilot_says_it_before_it_pays_and_what_was_refused_after(
    server: Listing, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("plan", recipe, "--pilot", "2") == 0
    said = capsys.readouterr()
    assert said.err.startswith("warning  model policy ")
    assert f"2 requests of the pilot were refused: `pairwright retry {recipe}" in said.err
    assert re.search(r"samplers.independent  policy +2 +4 +\d+ \* +1.6k \* ", said.out)


def test_plan_says_that_a_key_is_missing_and_that_no_server_is_there(
    recipe: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRIAL_KEY", raising=False)
    keyed = ("--set", "models.policy.api_key_env=TRIAL_KEY")
    assert run("plan", recipe, *keyed) == 0
    missing = "the environment variable TRIAL_KEY is not set -> export TRIAL_KEY=..."
    assert f"fault    model policy            {missing}" in capsys.readouterr().out
    assert run("plan", recipe, "--set", "models.policy.base_url=http://127.0.0.1:1/v1") == 0
    assert "Connection refused -> is the server running?" in capsys.readouterr().out
