from pathlib import Path

import pytest

from flows.cli import main


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


def test_an_unknown_version_names_those_there_are(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(tmp_path / "store")]
    assert main(["build", str(recipe), *store]) == 0
    assert main(["show", "sums@v0009", *store]) == 2
    assert "v0001" in capsys.readouterr().err
