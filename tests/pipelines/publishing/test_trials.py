"""Trials: versions of fewer prompts than their recipe takes, which a bare name passes over."""

from pathlib import Path

import pytest

from pipelines.publishing.store import Store
from pipelines.querying.catalog import latest_schema, rebuild
from pipelines.querying.safe_sql import run_sql
from pipelines.recipe import read_recipe
from schemas.version import Manifest
from tests.builds import OVER_HTTP, write_questions, write_recipe
from tests.pipelines.versions import make_content, publish

TRIAL = 20


def trial(manifest: Manifest) -> Manifest:
    return manifest.model_copy(update={"run": manifest.run.model_copy(update={"trial": TRIAL})})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_a_bare_name_means_the_newest_version_that_is_no_trial(store: Store) -> None:
    for prompts, change in ((2, trial), (3, lambda m: m), (4, lambda m: m), (1, trial)):
        publish(store, "demo", make_content(prompts), change)
    assert store.resolve("demo").number == 3
    assert store.resolve("demo@latest").number == 3
    assert store.resolve("demo@4").is_trial
    assert store.latest("demo") == store.resolve("demo@4")


def test_where_all_are_trials_it_means_the_newest_of_these(store: Store) -> None:
    for prompts in (2, 3):
        publish(store, "demo", make_content(prompts), trial)
    assert store.resolve("demo").number == 2


def test_the_whole_content_again_after_a_trial_publishes_nothing_new(store: Store) -> None:
    whole, _ = publish(store, "demo", make_content(4))
    publish(store, "demo", make_content(1), trial)
    assert publish(store, "demo", make_content(4)) == (whole, False)


def test_sql_and_the_catalogue_mean_the_same_version(store: Store) -> None:
    import duckdb

    publish(store, "demo", make_content(4))
    publish(store, "demo", make_content(1), trial)
    asked = "SELECT version, latest, trial FROM versions ORDER BY version"
    told = [("v0001", True, None), ("v0002", False, TRIAL)]
    with duckdb.connect(rebuild(store).path, read_only=True) as con:
        assert con.sql(asked).fetchall() == told
        (count,) = con.sql(f"SELECT count(*) FROM {latest_schema('demo')}.prompts").fetchall()
    assert count == (4,)
    for table, dataset in (("demo.prompts", None), ("prompts", "demo"), ("prompts", None)):
        with run_sql(store, f"SELECT count(*) AS n FROM {table}", dataset) as answer:
            assert answer.read_all().to_pylist() == [{"n": 4}]


@pytest.mark.parametrize(
    ("own", "overrides", "found"),
    [
        ("", [], None),
        ("", ["limit=5"], 5),
        ("", ["sample=7"], 7),
        ("limit = 9\n", [], None),
        ("limit = 9\n", ["limit=5"], 5),
        ("limit = 9\n", ["limit=20"], None),  # more than the recipe itself takes
        ("limit = 9\n", ["sample=5"], 5),
        ("limit = 9\n", ["filters=[]"], None),
    ],
)
def test_a_trial_takes_fewer_prompts_than_the_recipe_says_itself(
    tmp_path: Path, own: str, overrides: list[str], found: int | None
) -> None:
    write_questions(tmp_path, range(3))
    path = write_recipe(tmp_path, own + OVER_HTTP.format(url="http://127.0.0.1:9/v1"))
    assert read_recipe(path, overrides).trial == found
