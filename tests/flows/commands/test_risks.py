import sys
from pathlib import Path

import pytest

from flows.cli import main
from pipelines.publishing.store import Store
from pipelines.querying.safe_sql import run_sql


def test_pairs_that_a_glance_tells_apart_are_alarming(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(tmp_path / "store")]
    assert (
        main(["build", str(recipe), *store, "--set", "pairings.correct_wrong.max_per_prompt=3"])
        == 0
    )
    capsys.readouterr()
    assert main(["risks", "sums", *store]) == 0
    page = capsys.readouterr().out
    assert page.startswith("sums@v0001: 66 pairs\n")
    longer, probed = (line.split() for line in page.splitlines() if "0.000" in line or "!" in line)
    assert longer[3] == "0.000"  # every wrong answer is the longer one
    assert probed == ["!", "all", "pairs", "1.000", "1.000", "to", "1.000", "1.000", "132"]
    assert "docs/risks.md" in page


def test_few_pairs_are_not_probed(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(tmp_path / "store")]
    assert main(["build", str(recipe), *store]) == 0
    capsys.readouterr()
    assert main(["risks", "sums", *store]) == 0
    assert "too few: 50 pairs of 5 prompts are needed" in capsys.readouterr().out


def test_a_version_without_pairs_is_said_to_have_none(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = ["--store", str(tmp_path / "store")]
    none = ["--set", "gates.min_pairs=0", "--set", "judges.0.answer=exact"]
    assert main(["build", str(recipe), *store, *none]) == 0
    capsys.readouterr()
    assert main(["risks", "sums", *store]) == 2
    drops = f"`pairwright drops sums@v0001 --store {store[1]}`"
    assert capsys.readouterr().err == f"error: sums@v0001: has no pairs. {drops} says why\n"


def test_a_damaged_version_is_refused_in_a_line(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    assert main(["build", str(recipe), "--store", str(store)]) == 0
    next(store.glob("datasets/*/*/responses/*.parquet")).write_bytes(b"")
    assert main(["risks", "sums", "--store", str(store)]) == 2
    *_, said = capsys.readouterr().err.splitlines()
    assert said.startswith("error: sums@v0001: ")
    assert said.endswith(f". `pairwright verify sums@v0001 --store {store}`")


def test_an_unknown_version_names_those_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["risks", "nothing", "--store", str(tmp_path)]) == 2
    assert 'no such dataset "nothing"' in capsys.readouterr().err


def test_a_build_measures_texts_and_keeps_one_of_nearly_equal_prompts(
    recipe: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    near = "selectors=[{kind='near_duplicates',likeness=0.3}]"
    far = "measures=[{kind='edit_distance',name='difficulty'}]"
    given = ["--store", str(store.root), "--set", near, "--set", far]
    assert main(["build", str(recipe), *given]) == 0
    with run_sql(store, "SELECT prompt_id, difficulty FROM pairs", "sums") as rows:
        kept = rows.read_all().to_pylist()
    with run_sql(store, "SELECT DISTINCT reason FROM drops WHERE level = 'pairs'", "sums") as rows:
        assert rows.read_all().to_pylist() == [{"reason": "near_duplicate"}]
    assert 1 <= len(kept) < 24
    # "It is 3." and "I would say 4, or so I was told.": nothing but the full stop is the same
    assert {row["difficulty"] for row in kept} == {10 / 11}


@pytest.mark.parametrize(
    ("package", "changed"),
    [
        ("datasketch", "selectors=[{kind='near_duplicates'}]"),
        ("rapidfuzz", "measures=[{kind='edit_distance',name='difficulty'}]"),
    ],
)
def test_a_part_whose_package_is_missing_is_refused_before_any_call(
    recipe: Path,
    tmp_path: Path,
    package: str,
    changed: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    store = tmp_path / "store"
    assert main(["build", str(recipe), "--store", str(store), "--set", changed]) == 2
    said = capsys.readouterr().err
    assert f'{package} is not installed: pip install "pairwright[risks]"' in said
    assert not list(store.rglob("ledger/*"))


def test_the_probe_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert main(["risks", "sums", "--store", str(tmp_path)]) == 2
    assert 'sklearn is not installed: pip install "pairwright[risks]"' in capsys.readouterr().err
