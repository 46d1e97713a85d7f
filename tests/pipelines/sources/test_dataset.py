"""A source that reads published versions of the store that the build goes into."""

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import tomli_w

from flows.cli import main
from pipelines.build import Outcome, run_build
from pipelines.calls.meter import Meter
from pipelines.errors import RecipeError, StoreError
from pipelines.intake.inputs import input_files
from pipelines.publishing.store import Store
from pipelines.recipe import Recipe, read_recipe
from tests.builds import published

FIRST = """
name = "first"
[sources.edits]
kind = "jsonl"
path = "edits.jsonl"
[prompts]
text = "asked"
[[samplers]]
kind = "recorded"
name = "draft"
text = "draft"
[[samplers]]
kind = "recorded"
name = "edited"
text = "edited"
[[pairings]]
kind = "origin"
by = "sampler"
chosen = "edited"
rejected = "draft"
"""
SECOND = """
name = "second"
[sources.pairs]
kind = "dataset"
dataset = "first"
table = "pairs"
[prompts]
messages = "prompt"
[[samplers]]
kind = "recorded"
name = "again"
text = "pair_id"
[[pairings]]
kind = "best_worst"
[gates]
min_pairs = 0
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two recipes, of which the second reads what the first made; and a store with two versions of it."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "one.toml").write_text(FIRST)
    (folder / "two.toml").write_text(SECOND)
    for n in (3, 5):
        rows = [{"asked": f"Say {k}", "draft": f"{k}", "edited": f"{k}!"} for k in range(n)]
        (folder / "edits.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        build(folder, "one")
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """They, with the first version alone."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    shutil.move(tmp_path / "store" / "datasets" / "first" / "v0002", tmp_path / "newer")
    return tmp_path


def publish_newer(folder: Path) -> None:
    """The second version appears."""
    shutil.move(folder / "newer", folder / "store" / "datasets" / "first" / "v0002")


def read(folder: Path, name: str, *changes: str) -> Recipe:
    return read_recipe(folder / f"{name}.toml", changes)


def build(folder: Path, name: str, *changes: str, reusing: bool = False) -> tuple[Outcome, Meter]:
    meter = Meter()
    recipe = read(folder, name, "publish.report=false", *changes)
    return run_build(recipe, folder / "store", meter, reusing=reusing), meter


def rows(folder: Path, **fields: Any) -> list[dict[str, Any]]:
    """What a source of these fields gives."""
    source = {"kind": "dataset", "dataset": "first"} | fields
    text = SECOND.partition("[sources.pairs]")[0] + tomli_w.dumps({"sources": {"pairs": source}})
    (folder / "two.toml").write_text(text + "[prompts]" + SECOND.partition("[prompts]")[2])
    recipe = read(folder, "two").in_store(Store(folder / "store"))
    return list(recipe.sources["pairs"].rows(folder))


def digest(folder: Path, ref: str) -> str:
    return Store(folder / "store").resolve(ref).manifest.content_digest


def test_a_table_of_another_dataset_is_read_and_its_version_stands_in_the_manifest(
    folder: Path,
) -> None:
    outcome, meter = build(folder, "two")
    assert meter.calls == 0
    asked = sorted(row["messages"][0]["content"] for row in published(outcome, "prompts"))
    assert asked == ["Say 0", "Say 1", "Say 2"]
    assert outcome.manifest is not None
    [(path, read_)] = outcome.manifest.inputs.items()
    assert (path, read_.sha256, read_.rows) == ("first@v0001", digest(folder, "first@1"), 3)


def test_a_name_means_the_newest_version_and_a_number_the_one_that_it_names(folder: Path) -> None:
    publish_newer(folder)
    assert len(rows(folder, table="pairs")) == 5
    assert len(rows(folder, dataset="first@latest", table="pairs")) == 5
    assert len(rows(folder, dataset="first@v0001", table="pairs")) == 3
    assert len(rows(folder, dataset="first@1", table="pairs")) == 3


def test_a_newer_version_is_another_input_and_no_reason_to_reuse(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(folder, "two")
    _, meter = build(folder, "two", "pairings.best_worst.name=other", reusing=True)
    assert meter.reused == "second@v0001"
    publish_newer(folder)
    outcome, meter = build(folder, "two", reusing=True)
    assert meter.reused == ""
    assert outcome.published and len(published(outcome, "prompts")) == 5
    store = str(folder / "store")
    assert main(["diff", "second@v0001", "second@latest", "--store", store]) == 0
    told = capsys.readouterr().out
    assert "inputs.first@v0001" in told and "inputs.first@v0002" in told


def test_a_query_is_reused_never_for_it_may_ask_for_the_time(folder: Path) -> None:
    query = 'sources.pairs={ kind = "dataset", dataset = "first", query = "FROM pairs ORDER BY 1" }'
    build(folder, "two", query)
    _, meter = build(folder, "two", query, "pairings.best_worst.name=other", reusing=True)
    assert meter.reused == ""


def test_the_same_version_is_read_to_the_end_though_a_newer_one_appears(folder: Path) -> None:
    recipe = read(folder, "two").in_store(Store(folder / "store"))
    publish_newer(folder)
    assert [one.path for one in input_files(recipe)] == ["first@v0001"]
    assert len(list(recipe.sources["pairs"].rows(folder))) == 3


def test_a_query_sees_tables_and_views_as_sql_on_that_dataset_does(folder: Path) -> None:
    query = """
        SELECT chosen[1].content AS said, count(*) AS n, (SELECT count(*) FROM ties) AS ties
        FROM pairs JOIN responses ON response_id = chosen_response_id GROUP BY ALL ORDER BY said
    """
    assert rows(folder, query=query) == [{"said": f"{k}!", "n": 1, "ties": 0} for k in range(3)]


def test_a_query_joins_files_of_the_recipe_which_are_inputs_too(folder: Path) -> None:
    (folder / "extra.jsonl").write_text('{"wanted": "1!"}\n')
    fields = {
        "tables": {"extra": "extra.jsonl"},
        "query": "SELECT wanted FROM extra JOIN pairs ON chosen[1].content = wanted",
    }
    assert [row["wanted"] for row in rows(folder, **fields)] == ["1!"]
    recipe = read(folder, "two").in_store(Store(folder / "store"))
    assert [one.path for one in input_files(recipe)] == ["extra.jsonl", "first@v0001"]


def test_a_dataset_that_is_not_there_names_the_command_that_builds_it(folder: Path) -> None:
    shutil.rmtree(folder / "store")
    with pytest.raises(RecipeError) as error:
        build(folder, "two")
    said = str(error.value)
    assert "two.toml: [sources.pairs]: dataset: " in said
    assert 'no such dataset "first"' in said
    assert f"pairwright build {folder}/one.toml" in said
    assert not list((folder / "store").glob("datasets/*"))


def test_without_a_recipe_of_that_name_beside_it_any_recipe_of_it_is_asked_for(
    folder: Path,
) -> None:
    with pytest.raises(RecipeError, match=r'a recipe whose name is "thrid" builds it'):
        build(folder, "two", "sources.pairs.dataset=thrid")


@pytest.mark.parametrize("command", ["plan", "doctor"])
def test_plan_and_doctor_say_so_too(
    folder: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe, store = str(folder / "two.toml"), str(folder / "store")
    assert main([command, recipe, "--store", store]) in (0, 2)
    assert "no such dataset" not in "".join(capsys.readouterr())
    shutil.rmtree(folder / "store" / "datasets" / "first")
    assert main([command, recipe, "--store", store]) == 2
    said = "".join(capsys.readouterr())
    assert 'no such dataset "first"' in said and f"{folder}/one.toml" in said


def test_a_version_that_is_not_there_lists_those_that_are(folder: Path) -> None:
    with pytest.raises(RecipeError, match=r'no such version "7".*v0001, latest$'):
        rows(folder, dataset="first@7", table="pairs")


@pytest.mark.parametrize(
    "dataset", ["../first", "first/../first", "/first", "first@refused", "first@../v0001", "First"]
)
def test_a_name_leads_nowhere_out_of_the_store(folder: Path, dataset: str) -> None:
    with pytest.raises(RecipeError, match=r"dataset: "):
        rows(folder, dataset=dataset, table="pairs")


def test_a_link_leads_nowhere_out_of_the_store(folder: Path, tmp_path: Path) -> None:
    datasets = folder / "store" / "datasets"
    shutil.move(datasets / "first", tmp_path / "elsewhere")
    (datasets / "first").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="leads out of the store"):
        rows(folder, table="pairs")


@pytest.mark.parametrize(
    "query",
    [
        'SELECT * FROM "first@v0001".pairs',
        "SELECT * FROM versions",
        "COPY pairs TO 'out.csv'",
        "SELECT * FROM read_csv('edits.jsonl')",
        "SELECT * FROM read_parquet('store/datasets/first/v0001/pairs/*.parquet')",
        "SET lock_configuration = false",
        "SELECT 1 AS a, 2 AS a",
        "SELECT gone FROM pairs",
    ],
)
def test_a_query_reads_that_version_and_nothing_else(
    folder: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(RecipeError, match=r"\[sources\.pairs\]: query: ."):
        rows(folder, query=query)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "exactly one of table and query"),
        ({"table": "pairs", "query": "FROM pairs"}, "exactly one of table and query"),
        ({"table": "pair"}, r'table: .*did you mean "pairs"\?'),
        ({"table": "pairs", "tables": {"x": "edits.jsonl"}}, "tables: .*query"),
        ({"query": "FROM x", "tables": {"pairs": "edits.jsonl"}}, r"tables\.pairs: "),
        (
            {"query": "FROM x", "tables": {"Pairs": "edits.jsonl"}},
            r"tables\.Pairs: the version has",
        ),
        ({"query": "FROM x", "tables": {"ties": "edits.jsonl"}}, r"tables\.ties: the version has"),
        ({"query": "FROM x", "tables": {"x": "gone.jsonl"}}, r"tables\.x: no such file"),
    ],
)
def test_what_is_not_clear_is_refused_when_the_recipe_is_read(
    folder: Path, fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        rows(folder, **fields)


def test_bytes_that_are_not_as_published_are_no_input(folder: Path) -> None:
    store = Store(folder / "store")
    [file] = store.resolve("first").files("pairs")
    rows_ = pq.read_table(file)
    pq.write_table(rows_.slice(1), file)
    with pytest.raises(StoreError, match=r"bytes of pairs/.* `pairwright verify first@v0001`"):
        build(folder, "two")


def test_a_set_does_not_read_its_own_newest_version(folder: Path) -> None:
    with pytest.raises(RecipeError, match=r"its own newest version.*second@1"):
        build(folder, "two", "sources.pairs.dataset=second")


def test_the_order_of_rows_is_that_of_the_published_table(folder: Path) -> None:
    files = Store(folder / "store").resolve("first").files("pairs")
    wanted = [pair_id for file in files for pair_id in pq.read_table(file)["pair_id"].to_pylist()]
    assert [row["pair_id"] for row in rows(folder, table="pairs")] == wanted
