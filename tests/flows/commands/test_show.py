from collections.abc import Callable
from pathlib import Path

import pytest

from flows.cli import main
from flows.texts.prompt import PromptInFull
from pipelines.errors import StoreError
from pipelines.publishing.store import Store
from pipelines.publishing.versions import Version
from pipelines.querying.safe_sql import run_sql


def test_the_page_of_a_built_version(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(tmp_path / "store")]
    assert main(["build", str(recipe), *store]) == 0
    capsys.readouterr()
    assert main(["show", "sums", *store]) == 0
    page = capsys.readouterr().out
    assert page.startswith("sums@v0001, published ")
    for text in ("24 prompts and 192 responses", "pairings", "merged", "pupil"):
        assert text in page
    assert "█" not in page


def test_rows_of_an_evaluation_set_that_had_no_text_are_told(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "exam.jsonl").write_text('{"text": "What is 3 + 1?"}\n{"text": null}\n{"id": 9}\n')
    against = "filters=[{kind='contamination',against=['exam.jsonl'],min_words=1}]"
    store = ["--store", str(tmp_path / "store")]
    assert main(["build", str(recipe), *store, "--set", against]) == 0
    capsys.readouterr()
    assert main(["show", "sums", *store]) == 0
    page = capsys.readouterr().out
    assert "\nexam.jsonl: 2 of 3 rows have no text and were passed over\n" in page
    assert "in_exam" in page


def test_an_unknown_version_names_those_there_are(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(tmp_path / "store")]
    assert main(["build", str(recipe), *store]) == 0
    assert main(["show", "sums@v0009", *store]) == 2
    assert "v0001" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["show", "drops"])
def test_a_damaged_table_is_named_with_what_helps(
    command: str, make_version: Callable[..., Version], capsys: pytest.CaptureFixture[str]
) -> None:
    version = make_version([{"pair_id": "1"}])
    for file in version.folder.glob("*/*.parquet"):
        file.write_bytes(b"")
    store = str(version.folder.parents[2])
    assert main([command, "toy", "--store", store]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: toy@v0001: ")
    assert f"`pairwright verify toy@v0001 --store {store}`" in error


def test_all_of_one_prompt_is_shown(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(tmp_path / "store")]
    assert main(["build", str(recipe), *store]) == 0
    with run_sql(Store(tmp_path / "store"), "SELECT prompt_id FROM prompts", "sums") as rows:
        wanted = rows.read_all().to_pylist()[0]["prompt_id"]
    capsys.readouterr()
    assert main(["show", "sums", *store, "--prompt", wanted[:12]]) == 0
    page = capsys.readouterr().out
    assert page.startswith(f"prompt  {wanted}\n")
    assert page.count("=== #") == 8
    heads = [line.split() for line in page.splitlines() if line.startswith("=== #")]
    assert [head[1] for head in heads] == [f"#{n}" for n in range(1, 9)]
    assert page.rstrip().splitlines()[-1].endswith("kept")


def test_a_prompt_that_is_not_there_or_not_the_only_one_is_an_error(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(tmp_path / "store")]
    assert main(["build", str(recipe), *store]) == 0
    assert main(["show", "sums", *store, "--prompt", "nope"]) == 2
    assert 'no prompt "nope"; `pairwright sql' in capsys.readouterr().err
    version = Store(tmp_path / "store").resolve("sums")
    with pytest.raises(StoreError, match="several prompts begin with"):
        PromptInFull.find(version, "")
