from pathlib import Path

import pytest

from flows.cli import main


def doctor(store: Path, *arguments: str) -> int:
    return main(["doctor", *arguments, "--store", str(store)])


@pytest.fixture
def store(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["build", str(recipe), "--store", str(tmp_path / "s")]) == 0
    capsys.readouterr()
    return tmp_path / "s"


def test_a_sound_store_and_recipe_have_no_fault(
    store: Path, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(store, str(recipe), "--deep") == 0
    out = capsys.readouterr().out
    assert {line.split()[0] for line in out.splitlines()[:-2]} == {"ok"}
    assert out.endswith("\n0 faults, 0 warnings\n")
    for subject in ("Python", "rename", "sums@v0001", "catalogue", "ledger", "source sums"):
        assert f"ok       {subject} " in out


def test_an_absent_store_is_no_fault_and_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(tmp_path / "none") == 0
    assert "the first build makes it" in capsys.readouterr().out
    assert not (tmp_path / "none").exists()


def test_repair_makes_the_catalogue_again_and_only_when_asked(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue = store / "catalog.duckdb"
    catalogue.unlink()
    assert doctor(store) == 0
    assert "warning  catalogue               is missing -> " in capsys.readouterr().out
    assert not catalogue.exists()
    assert doctor(store, "--repair") == 0
    assert f"is missing; repaired: rebuilt {catalogue}" in capsys.readouterr().out
    assert catalogue.exists()


def test_a_damaged_version_is_exit_code_2(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    next(store.glob("datasets/sums/v0001/pairs/*.parquet")).unlink()
    assert doctor(store, "--repair") == 2
    out = capsys.readouterr().out
    assert "fault    sums@v0001 " in out
    assert "-> pairwright verify sums@v0001" in out
    assert out.endswith("\n1 fault, 0 warnings\n")


def test_a_damaged_version_stops_neither_the_next_build_nor_a_repair(
    store: Path, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = min(store.glob("datasets/sums/v0001/pairs/*.parquet"))
    file.write_bytes(file.read_bytes() + b"x")
    command = ["build", str(recipe), "--store", str(store), "--set", "name=other"]
    assert main(command) == 0
    out = capsys.readouterr().out
    assert "published other@v0001" in out
    assert (
        "sums@v0001 is damaged, and the catalogue is without it: "
        f"pairwright verify sums@v0001 --store {store}\n"
    ) in out
    catalogue = store / "catalog.duckdb"
    catalogue.unlink()
    assert doctor(store, "--deep", "--repair") == 2
    out = capsys.readouterr().out
    assert f"repaired: rebuilt {catalogue}, without sums@v0001: damaged\n" in out
    assert out.endswith("\n1 fault, 0 warnings\n")


def test_a_wrong_recipe_and_a_source_without_rows_are_faults(
    store: Path, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (recipe.parent / "sums.jsonl").write_text("")
    assert doctor(store, str(recipe)) == 2
    assert "fault    source sums             has no rows" in capsys.readouterr().out
    recipe.write_text(recipe.read_text().replace("best", "").replace("pairings", "pairing"))
    assert doctor(store, str(recipe)) == 2
    assert "no such table or key [pairing]" in capsys.readouterr().out


def test_each_fault_of_a_recipe_is_a_line_of_its_own(
    store: Path, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe.write_text(recipe.read_text().replace("seed = 1", "seed = 1.5\nlimit = 0"))
    assert doctor(store, str(recipe)) == 2
    faults = [line for line in capsys.readouterr().out.splitlines() if line.startswith("fault")]
    assert [line.partition(".toml: ")[2] for line in faults] == [
        "seed: a whole number is wanted, not 1.5",
        "limit: a number of at least 1 is wanted, not 0 -> pairwright parts",
    ]


def test_the_recipe_is_checked_as_a_build_with_these_changes_would_read_it(
    store: Path, recipe: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(store, str(recipe), "--set", "models.pupil.table=other.jsonl") == 2
    assert "fault    recipe " in (said := capsys.readouterr().out)
    assert "other.jsonl" in said
    recipe.write_text(recipe.read_text().replace("sums.jsonl", "moved.jsonl"))
    assert doctor(store, str(recipe)) == 2
    assert doctor(store, str(recipe), "--set", "sources.sums.path=sums.jsonl") == 0
    capsys.readouterr()
    assert doctor(store, "--set", "limit=3") == 2
    assert capsys.readouterr().err == "error: --set limit=3: is for RECIPE, which is missing\n"
