from pathlib import Path

import pytest

from flows.cli import main
from pipelines.publishing.store import Store

pytestmark = pytest.mark.usefixtures("drawn")

Captured = pytest.CaptureFixture[str]


def built(recipe: Path, tmp_path: Path, *overrides: str) -> int:
    words = [word for one in overrides for word in ("--set", one)]
    return main(["build", str(recipe), "--store", str(tmp_path / "store"), *words])


def test_a_build_writes_a_report_and_the_command_says_where(
    recipe: Path, tmp_path: Path, capsys: Captured
) -> None:
    assert built(recipe, tmp_path) == 0
    capsys.readouterr()
    assert main(["report", "sums", "--store", str(tmp_path / "store")]) == 0
    path = Path(capsys.readouterr().out.strip())
    version = Store(tmp_path / "store").resolve("sums")
    assert path == version.folder / "report.html"
    assert "<svg" in path.read_text()  # 24 pairs
    assert version.manifest.files["report.html"].bytes == path.stat().st_size
    assert Store(tmp_path / "store").verify(version) == []


def test_written_again_it_is_the_same(recipe: Path, tmp_path: Path, capsys: Captured) -> None:
    assert built(recipe, tmp_path) == 0
    again = tmp_path / "again.html"
    store = ["--store", str(tmp_path / "store")]
    assert main(["report", "sums@v0001", *store, "--output", str(again)]) == 0
    own = Store(tmp_path / "store").resolve("sums").folder / "report.html"
    assert again.read_bytes() == own.read_bytes()


def test_a_file_that_is_there_is_replaced_only_where_that_is_asked_for(
    recipe: Path, tmp_path: Path, capsys: Captured
) -> None:
    assert built(recipe, tmp_path, "publish.report=false") == 0
    page = tmp_path / "page.html"
    page.write_text("mine")
    command = ["report", "sums", "--store", str(tmp_path / "store"), "--output", str(page)]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert said.endswith(f"error: {page}: is there already; --force replaces it\n")
    assert page.read_text() == "mine"
    assert main([*command, "--force"]) == 0
    assert page.read_text().startswith("<!DOCTYPE html>")


def test_a_version_without_a_report_can_be_given_one_outside_the_store(
    recipe: Path, tmp_path: Path, capsys: Captured
) -> None:
    assert built(recipe, tmp_path, "publish.report=false") == 0
    store = ["--store", str(tmp_path / "store")]
    version = Store(tmp_path / "store").resolve("sums")
    assert not (version.folder / "report.html").exists()
    assert version.manifest.figures == ()
    capsys.readouterr()
    assert main(["report", "sums", *store]) == 2
    command = f"`pairwright report sums@v0001 --output report.html --store {store[1]}`"
    assert command in capsys.readouterr().err
    page = tmp_path / "page.html"
    assert main(["report", "sums", *store, "--output", str(page)]) == 0
    assert "Judges&#39; habits" in page.read_text()


def test_a_report_decides_no_content(recipe: Path, tmp_path: Path) -> None:
    assert built(recipe, tmp_path) == 0
    assert built(recipe, tmp_path, "publish.report=false", 'gates.tie_rate="<= 1"') == 0
    assert len(Store(tmp_path / "store").versions("sums")) == 1


def test_a_figure_can_stop_a_version_and_the_report_is_kept(
    recipe: Path, tmp_path: Path, capsys: Captured
) -> None:
    assert built(recipe, tmp_path, 'gates.length_bias="<= 0.1"') == 3
    assert "length_bias: 0.5 (95 %: " in capsys.readouterr().out
    refused = Store(tmp_path / "store").resolve("sums@refused")
    assert "Lengths" in (refused.folder / "report.html").read_text()
    assert refused.manifest.figures
    assert built(recipe, tmp_path, 'gates.length_bias=">= 0.1"', "publish.report=false") == 0
    assert Store(tmp_path / "store").resolve("sums").manifest.figures


def test_a_gate_on_no_figure_is_refused_before_anything(
    recipe: Path, tmp_path: Path, capsys: Captured
) -> None:
    assert built(recipe, tmp_path, 'gates.longer_bias="<= 0.1"') == 2
    assert "judge_length_bias" in capsys.readouterr().err
    assert not (tmp_path / "store").exists()
