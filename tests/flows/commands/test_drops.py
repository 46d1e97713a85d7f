from collections.abc import Callable
from pathlib import Path

import pytest

from flows.cli import main
from pipelines.publishing.store import Version

DROPS = [
    {"level": "pairs", "id": f"p{row:031}", "step": "filters.margin", "reason": "below_min"}
    for row in range(3)
] + [
    {"level": "rows", "id": "s:line 7", "step": "source", "reason": "bad_json", "detail": "eof"}
]  # fmt: skip


@pytest.fixture
def store(make_version: Callable[..., Version]) -> Path:
    return make_version([], DROPS).folder.parents[2]


def test_reasons_come_with_counts_then_examples(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drops", "toy", "--store", str(store), "--limit", "2", "--level", "pairs"]) == 0
    assert capsys.readouterr().out == (
        "count  level  step            reason\n"
        "    3  pairs  filters.margin  below_min\n"
        "\n"
        f"{'id':32}  level  step            reason     detail\n"
        f"p{0:031}  pairs  filters.margin  below_min\n"
        f"p{1:031}  pairs  filters.margin  below_min\n"
    )


def test_a_detail_is_shown(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drops", "toy", "--store", str(store), "--reason", "bad_json"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "s:line 7  rows   source  bad_json  eof"


def test_a_reason_that_does_not_occur_names_the_nearest(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drops", "toy", "--store", str(store), "--reason", "belowmin"]) == 2
    assert 'did you mean "below_min"? Valid: bad_json, below_min' in capsys.readouterr().err


def test_an_unknown_dataset_is_exit_code_2(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drops", "toi", "--store", str(store)]) == 2
    assert 'no such dataset "toi"; did you mean "toy"?' in capsys.readouterr().err
