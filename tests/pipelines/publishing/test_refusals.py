"""Requests that endpoints refuse: told apart from replies that cannot be read, part by part."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from pipelines.gating.gates import Gates, failed_gates
from pipelines.publishing.refusals import refused
from pipelines.recipe import Recipe, read_recipe
from schemas.version import FileInfo, Judge, Manifest, Refused

RECIPE = """
name = "trial"

[sources.sums]
kind = "builtin"
dataset = "arithmetic"

[prompts]
text = "question"
reference = "answer"

[models.pupil]
kind = "scripted"

[[samplers]]
kind = "independent"
model = "pupil"

[[judges]]
kind = "rating"
model = "pupil"

[[judges]]
kind = "verifier"
answer = "number"

[score]
judges = ["rating"]

[[pairings]]
kind = "best_worst"
"""
AT = "m at http://x: HTTP 400: "
REFUSED = f"the endpoint refused the request: {AT}"


@dataclass
class Folder:
    """Tables with errors, as a version has them."""

    path: Path
    files: dict[str, FileInfo]

    def add(self, table: str, **columns: list[str | None]) -> None:
        place = f"{table}/00000.parquet"
        (self.path / table).mkdir()
        pl.DataFrame(columns).write_parquet(self.path / place)
        self.files[place] = FileInfo(sha256="", bytes=0)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path, {})


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    path = tmp_path / "trial.toml"
    path.write_text(RECIPE)
    return read_recipe(path)


def test_what_an_endpoint_refused_is_counted_and_its_commonest_words_are_kept(
    folder: Folder, recipe: Recipe
) -> None:
    errors = [f"{REFUSED}no", f"{REFUSED}no", f"{REFUSED}too long", "there is no rating", None]
    folder.add(
        "judgments",
        judge=["rating"] * 5,
        dimension=pl.Series([None] * 5, dtype=pl.String),
        error=errors,
    )
    assert refused(recipe, folder.path, folder.files) == {
        "judges.rating": Refused(asked=5, refused=3, example=f"{AT}no")
    }


def test_a_sampler_s_own_reasons_are_no_refusals(folder: Folder, recipe: Recipe) -> None:
    folder.add(
        "responses", sampler=["independent"] * 3, error=["no_answer_line", f"{AT}too long", None]
    )
    assert refused(recipe, folder.path, folder.files) == {
        "samplers.independent": Refused(asked=3, refused=1, example=f"{AT}too long")
    }


def test_judges_that_call_no_model_and_dimensions_of_a_judgment_are_left_out(
    folder: Folder, recipe: Recipe
) -> None:
    folder.add(
        "judgments",
        judge=["verifier", "rating"],
        dimension=[None, "tone"],
        error=[f"{REFUSED}no", f"{REFUSED}no"],
    )
    assert refused(recipe, folder.path, folder.files) == {}


def test_a_gate_says_that_replies_were_refused_rather_than_unreadable() -> None:
    manifest = Manifest(
        name="trial",
        recipe_fingerprint="",
        content_digest="",
        seed=0,
        files={},
        schema_hashes={},
        code_version="",
        judges={"rating": Judge(identity="m", asked=60, read=0)},
        refused={"judges.rating": Refused(asked=60, refused=60, example=f"{AT}no model m")},
    )
    *_, last = failed_gates(Gates(), manifest, frozenset({"rating"}))
    assert last == (
        "judge rating: its endpoint refused 60 of 60 requests (m at http://x: HTTP 400: no model "
        "m); 0 of 60 replies could be read (0.0%), and gates.min_read_share is 0.95"
    )
