import re
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.cli import main
from pipelines.publishing.versions import Version

DROPS = [
    {"level": "pairs", "id": f"p{row:031}", "step": "filters.margin", "reason": "below_min",
     "score_chosen": 8.0, "score_rejected": 7.5}
    for row in range(3)
] + [
    {"level": "rows", "id": "s:line 7", "step": "source", "reason": "bad_json", "detail": "eof"}
]  # fmt: skip


@pytest.fixture
def store(make_version: Callable[..., Version]) -> Path:
    return make_version([], DROPS).folder.parents[2]


def test_reasons_come_with_counts_then_examples_of_each_the_most_frequent_first(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drops", "toy", "--store", str(store), "--limit", "2"]) == 0
    assert capsys.readouterr().out == (
        "count  level  step            reason\n"
        "    3  pairs  filters.margin  below_min\n"
        "    1  rows   source          bad_json\n"
        "\n"
        "below_min, filters.margin: 2 of 3 pairs\n"
        f"  p{0:031}  8 > 7.5\n"
        f"  p{1:031}  8 > 7.5\n"
        "\n"
        "bad_json, source: 1 of 1 rows\n"
        "  s:line 7  eof\n"
        "\n"
        f"all of a pair: pairwright show toy@v0001 --pair ID --store {store}\n"
    )


def test_a_detail_is_shown(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drops", "toy", "--store", str(store), "--reason", "bad_json"]) == 0
    said = capsys.readouterr().out
    assert said.endswith("\nbad_json, source: 1 of 1 rows\n  s:line 7  eof\n")


def test_without_a_detail_the_text_is_shown_on_one_line_of_the_terminal(
    recipe: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    short = "\n[[filters]]\nkind = 'length_ratio'\nmin = 0.9\n[gates]\nmin_pairs = 0\n"
    recipe.write_text(recipe.read_text() + short)
    store = ["--store", str(tmp_path / "built")]
    assert main(["build", str(recipe), *store]) == 0
    capsys.readouterr()
    assert main(["drops", "sums", *store, "--level", "pairs"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 70 for line in lines if not line.startswith("all of a pair"))
    assert any(re.fullmatch(r"  [0-9a-f]{32}  1 > 0  What is \d+ \+ 1\?", line) for line in lines)


def test_a_reason_that_does_not_occur_names_the_nearest(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drops", "toy", "--store", str(store), "--reason", "belowmin"]) == 2
    assert 'did you mean "below_min"? Valid: bad_json, below_min' in capsys.readouterr().err


def test_an_unknown_dataset_is_exit_code_2(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drops", "toi", "--store", str(store)]) == 2
    assert 'no such dataset "toi"; did you mean "toy"?' in capsys.readouterr().err
