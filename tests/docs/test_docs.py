"""The documentation is true: its commands, queries, recipes, tables, names and links are tried."""

import ast
import re
import subprocess
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path

import pytest

from flows.cli import EXIT_CODES, main
from pipelines.querying.catalog import VERSIONS
from pipelines.querying.safe_sql import run_sql
from schemas.tables import MESSAGES as RICH_MESSAGES
from schemas.tables import PLAIN_MESSAGES, PUBLISHED, TEXTS, TOOL_CALLS
from tests.docs.reader import (
    BLOCK,
    PAGES_OF_DOCS,
    README,
    RENDERED,
    ROOT,
    Reader,
    Readers,
    settled,
)
from tests.docs.refresh import COMMAND
from tools.chat_server import ChatServer

LAYERS = ("schemas", "pipelines", "flows")
SQL_NAME = re.compile(r"\w+")
TRAINERS = {"desirable_weight", "undesirable_weight", "per_device_train_batch_size", "dataset_dir"}
"""Settings of the trainers themselves."""
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *PAGES_OF_DOCS]
NESTED = {str(PLAIN_MESSAGES): "messages", str(RICH_MESSAGES): "messages"}
NESTED |= {str(TEXTS): "texts", str(TOOL_CALLS): "tool calls"}
SCALAR = {"string": "VARCHAR", "int64": "BIGINT", "double": "DOUBLE", "bool": "BOOLEAN"}


@pytest.fixture(scope="module")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Readers:
    return Readers(tmp_path_factory.mktemp("readers"))


@pytest.fixture
def reader(readers: Readers, request: pytest.FixtureRequest) -> Reader:
    """Someone who has worked through docs/recipes.md."""
    return readers.student(request.node.name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_does_as_it_says_and_shows_what_is_printed(readers: Readers, page: Path) -> None:
    shown, real = (settled(text).splitlines() for text in (page.read_text(), readers.follow(page)))
    if shown != real:
        lines = unified_diff(shown, real, "shown", "printed", lineterm="")
        place = page.relative_to(ROOT)
        pytest.fail("\n".join([*lines, f"`{COMMAND} {place}` writes it into the page"]))


@pytest.mark.parametrize(
    ("page", "form"),
    [("docs/sql.md", "[`{}`](#{})"), ("docs/operations.md", " {}/"), ("README.md", " {}/")],
)
def test_a_page_that_lists_the_tables_of_a_version_lists_them_all(page: str, form: str) -> None:
    text = (ROOT / page).read_text()
    assert [table for table in PUBLISHED if form.format(table, table) in text] == list(PUBLISHED)


def test_the_number_of_tables_is_right() -> None:
    number = {6: "six", 7: "seven", 8: "eight"}[len(PUBLISHED)]
    assert f"Every version is {number} tables in" in (ROOT / "docs/sql.md").read_text()


def test_the_worked_recipe_publishes_what_its_page_says(reader: Reader) -> None:
    assert reader.store.names() == ["again", "strict", "trial", "tutor"]
    first, second = reader.store.versions("tutor")
    assert first.manifest.run.calls > second.manifest.run.calls == 0


def test_the_example_of_contributing_drops_pairs_with_its_reason_and_is_documented(
    reader: Reader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader.follow(ROOT / "CONTRIBUTING.md")
    monkeypatch.chdir(reader.folder)
    monkeypatch.delenv("PAIRWRIGHT_STORE", raising=False)
    text = 'extends = "tutor.toml"\nname = "long"\n[[filters]]\nkind = "./chosen_length.py"\n'
    Path("long.toml").write_text(text + "min_chars = 90\n")
    assert main(["build", "long.toml"]) == 0
    query = "SELECT count(*), count(*) FILTER (reason = 'chosen_too_short') FROM drops"
    with run_sql(reader.store, query + " WHERE step = 'filters.chosen_length'", "long") as rows:
        ((every, own),) = (tuple(row.values()) for row in rows.read_all().to_pylist())
    assert every == own > 0
    assert main(["parts", "filters", "./chosen_length.py"]) == 0
    assert "Shortest chosen answer that is kept, in characters." in capsys.readouterr().out


def test_the_recipe_without_a_key_builds_on_the_chat_server(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader.follow(ROOT / "docs" / "operations.md")
    monkeypatch.chdir(reader.folder)
    monkeypatch.delenv("PAIRWRIGHT_STORE", raising=False)
    with ChatServer(e429=0.02) as server:
        recipe = reader.folder / "no_key.toml"
        recipe.write_text(recipe.read_text().replace("http://127.0.0.1:8765/v1", server.url))
        assert main(["doctor", "no_key.toml"]) == 0
        assert main(["build", "no_key.toml"]) == 0
    (version,) = reader.store.versions("no_key")
    assert version.manifest.run.calls > 0


def test_the_script_that_finds_uv_hands_everything_on(tmp_path: Path) -> None:
    (tmp_path / "uv").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "uv").chmod(0o755)
    command = ["/bin/sh", "tools/uv.sh", "run", "pairwright", "sql", "SELECT  1"]
    said = subprocess.run(command, cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True)
    assert said.stdout.decode().splitlines() == command[2:]


def rows_below(page: Path, heading: str) -> Iterator[list[str]]:
    """The cells of the first table below a heading."""
    table = re.split(r"\n#+ ", page.read_text().partition(f"{heading}\n")[2])[0]
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    return ([cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines)


@pytest.mark.parametrize("table", [*PUBLISHED, "versions"])
def test_sql_md_has_every_column_of_a_table_in_order(table: str) -> None:
    schema = (PUBLISHED | {"versions": VERSIONS})[table]
    wanted = [(one.name, (SCALAR | NESTED)[str(one.type)]) for one in schema]
    shown = rows_below(ROOT / "docs" / "sql.md", f"### `{table}`")
    assert [(name, kind) for name, kind, _ in shown] == wanted


def test_sql_md_has_every_column_of_the_views(reader: Reader) -> None:
    for view, columns in rows_below(ROOT / "docs" / "sql.md", "### Views"):
        with run_sql(reader.store, f"FROM {view} LIMIT 1", "tutor") as rows:
            assert re.findall(r"\w+", columns) == rows.schema.names


def test_the_exit_codes_are_those_of_the_help() -> None:
    shown = {row[0] for row in rows_below(ROOT / "docs" / "operations.md", "## Exit codes")}
    assert shown == set(re.findall(r"^  (\d+)", EXIT_CODES, re.MULTILINE))


def test_every_reason_of_a_filter_is_explained(reader: Reader) -> None:
    page = ROOT / "docs" / "methods.md"
    reader.follow(page)
    filters = [one for recipe in reader.recipes for one in recipe.filters]
    reasons = {reason for one in filters if ".py" not in one.kind for reason in one.drops()}
    assert len(reasons) > 15
    assert {f"`{reason}`" for reason in reasons} <= set(re.findall(r"`\w+`", page.read_text()))


def known_names() -> set[str]:
    """Every field, file and short string of the code, and every word of the views."""
    names = {*LAYERS, *TRAINERS, "response_dropped"}  # f"{noun}_dropped", in joining.py
    names |= {
        file.stem for shelf in ("prompts", "models") for file in (ROOT / "data" / shelf).iterdir()
    }
    names |= {file.stem for file in (ROOT / "flows" / "recipes").rglob("*.toml")}
    names |= set(re.findall(r"\w+", (ROOT / "schemas" / "views.sql").read_text()))
    for file in (one for layer in LAYERS for one in (ROOT / layer).rglob("*.py")):
        names.add(file.stem)
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names.add(node.target.id)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names |= {
                    node.value,
                    *(SQL_NAME.findall(node.value) if "SELECT" in node.value else ()),
                }
            elif isinstance(node, ast.keyword | ast.arg) and node.arg:
                names.add(node.arg)
    return names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_name_in_backticks_exists(page: Path) -> None:
    prose = RENDERED.sub("", BLOCK.sub("", page.read_text()))
    assert set(re.findall(r"`([a-z][a-z0-9_]*)`", prose)) - known_names() == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\((?!http)([^)#\s]*)#?([^)\s]*)\)", page.read_text()):
        place = page.parent / target if target else page
        assert place.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", place.read_text(), re.MULTILINE)
            assert anchor in {
                re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings
            }
