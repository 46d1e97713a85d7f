"""What the units of a build hang on."""

import time
from pathlib import Path

import pytest

from pipelines.recipe import Recipe
from pipelines.reusing.identity import (
    code_sha256,
    environment,
    publishes_its_units,
    steps_before,
    units_fingerprint,
)
from tests.builds import OVER_HTTP, read, write_questions, write_recipe

NOTHING: dict[str, str] = {}
FILTERS = """
[[filters]]
kind = "empty"

[[filters]]
kind = "disagreement"
max = 2
"""


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    write_questions(tmp_path, range(3))
    write_recipe(tmp_path, OVER_HTTP.format(url="http://127.0.0.1:1") + FILTERS)
    return tmp_path


def fingerprint(recipe: Recipe) -> str:
    return units_fingerprint(recipe, NOTHING, recipe.root / "ledger")


@pytest.mark.parametrize(
    "change",
    [
        "filters.margin.min=3",
        "filters.disagreement.name=other",
        "pairings.0.kind=all_pairs",
        "score.combine=zscore",
        "publish.splits={train=1}",
        "publish.group_near_duplicates=0.9",
        "gates.min_pairs=9",
        "budget.calls=9",
        "models.policy.window=9",
        "description=another",
    ],
)
def test_what_follows_the_units_changes_nothing(trial: Path, change: str) -> None:
    assert fingerprint(read(trial, change)) == fingerprint(read(trial))


@pytest.mark.parametrize(
    "change",
    [
        "seed=4",
        "limit=2",
        "sample=2",
        "on_conflict=last",
        "prompts.text=id",
        "samplers.independent.n=5",
        "judges.rating.samples=2",
        "judges.rating.scale=[1, 5]",
        "models.policy.sampling.temperature=0.7",
        "models.critic.prices={input=1, output=1}",
        "filters.empty.name=other",
        'languages={of=["en", "de"]}',
    ],
)
def test_what_decides_the_units_or_their_price_makes_another(trial: Path, change: str) -> None:
    changes = [change, "judges.rating.sampling={temperature=1}"]
    assert fingerprint(read(trial, *changes)) != fingerprint(read(trial, *changes[1:]))


def test_labels_voids_code_and_libraries_make_another(
    trial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = read(trial)
    found = {fingerprint(recipe), units_fingerprint(recipe, {"asked": "labels"}, trial / "ledger")}
    (trial / "ledger" / "p00").mkdir(parents=True)
    (trial / "ledger" / "p00" / "later.void").write_text("a refusal to forget\n")
    found.add(fingerprint(recipe))
    for name in ("code_sha256", "environment"):
        monkeypatch.setattr(f"pipelines.reusing.identity.{name}", lambda: "other")
        found.add(fingerprint(recipe))
    assert len(found) == 5


def test_another_time_zone_is_another_environment_though_it_has_the_same_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    zones = ["Asia/Shanghai", "America/Costa_Rica", "Europe/Berlin", "Europe/Paris"]
    found = set()
    for zone in zones:
        with monkeypatch.context() as patch:
            patch.setenv("TZ", zone)
            time.tzset()
            found.add(environment.__wrapped__())
    time.tzset()
    assert len(found) == len(zones)


def test_a_part_of_the_users_own_and_a_wanted_number_have_none(trial: Path) -> None:
    (trial / "mine.py").write_text(
        'from pipelines.judges.rating import Rating\n\n\nclass Mine(Rating):\n    """Mine."""\n'
    )
    assert fingerprint(read(trial, "judges.rating.kind=./mine.py")) == ""
    assert fingerprint(read(trial, "exactly={pairs=3}")) == ""


@pytest.mark.parametrize(
    ("query", "has_one"),
    [("FROM asked", True), ("FROM asked ORDER BY random()", False), ("FROM own", False)],
)
def test_a_query_has_one_where_it_gives_equal_rows_of_equal_files(
    trial: Path, query: str, has_one: bool
) -> None:
    tables = 'tables={asked="questions.jsonl"}'
    recipe = read(trial, f'sources.questions={{kind="duckdb", query="{query}", {tables}}}')
    assert bool(fingerprint(recipe)) == has_one


def test_units_cannot_be_told_from_a_version_with_groups_or_two_filters_of_one_name(
    trial: Path,
) -> None:
    assert publishes_its_units(read(trial))
    assert not publishes_its_units(read(trial, "publish.group_near_duplicates=0.9"))
    assert not publishes_its_units(read(trial, "filters.disagreement.name=empty"))


def test_the_drops_that_come_before_selection_are_those_of_early_filters(trial: Path) -> None:
    steps = steps_before(read(trial))
    assert steps["responses"] == {"filters.empty"}
    assert steps["prompts"] == {"gates.judge_accuracy"}


def test_the_hash_of_the_code_is_of_names_and_contents_and_of_nothing_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "pipelines" / "reusing" / "identity.py"
    module.parent.mkdir(parents=True)
    (tmp_path / "schemas").mkdir()
    monkeypatch.setattr("pipelines.reusing.identity.__file__", str(module))
    found = [code_sha256.__wrapped__()]

    def change(path: str, text: str) -> None:
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        found.append(code_sha256.__wrapped__())

    change("pipelines/a.py", "1")
    change("pipelines/a.py", "2")
    change("pipelines/b.py", "2")
    change("schemas/views.sql", "")
    assert len(set(found)) == 5
    change("pipelines/__pycache__/a.pyc", "3")
    change("flows/a.py", "4")
    (tmp_path / "pipelines" / ".#a.py").symlink_to("nowhere")  # what an editor leaves
    assert found[-2:] == [found[-3], code_sha256.__wrapped__()]
