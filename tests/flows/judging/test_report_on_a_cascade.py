"""A cascade of two recorded judges, of which the second contradicts the first on 6 prompts."""

import json
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main

RECIPE = """\
name = "cascade"

[sources.answers]
kind = "jsonl"
path = "answers.jsonl"

[[prompts]]
source = "answers"
text = "prompt"
key = "prompt"

[[samplers]]
kind = "recorded"
source = "answers"
prompt = "prompt"
text = "text"
model = "model"
key = ["prompt", "model"]

[[judges]]
kind = "recorded"
name = "cheap"
source = "answers"
response = ["prompt", "model"]
score = "cheap"

[[judges]]
kind = "recorded"
name = "strong"
source = "answers"
response = ["prompt", "model"]
score = "strong"
WHEN

[score]
combine = "first"
judges = ["strong", "cheap"]

[[pairings]]
kind = "best_worst"
"""
WHEN = 'when = { judge = "cheap", margin_below = 2 }'
UNSURE = 6


def rows() -> list[dict[str, Any]]:
    """Texts of nearly one length; on the first `UNSURE` prompts the judges contradict each other."""
    return [
        {
            "prompt": f"Question {number}?",
            "model": model,
            "text": f"{'word ' * (40 + first)}{number}",
            "cheap": 5 + first * (1 if number < UNSURE else 3) * (-1) ** number,
            "strong": 5 - first * (1 if number < UNSURE else -3) * (-1) ** number,
        }
        for number in range(24)
        for first, model in enumerate(("one", "other"))
    ]


def report(folder: Path, capsys: pytest.CaptureFixture[str], when: str) -> str:
    """What is printed of the cascade."""
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows()))
    (folder / "cascade.toml").write_text(RECIPE.replace("WHEN", when))
    assert main(["build", str(folder / "cascade.toml"), "--store", str(folder / "store")]) == 0
    capsys.readouterr()
    assert main(["judge", "report", "cascade", "--store", str(folder / "store")]) == 0
    return capsys.readouterr().out


def test_duels_that_when_selected_are_noted_and_not_alarming(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = report(tmp_path, capsys, WHEN)
    assert "  selected by `when`, so often hard: the duels of strong\n" in page
    row, *_ = [line.split() for line in page.splitlines() if line.startswith("  cheap  strong")]
    assert row[2:6] == ["0.0%", "0.0%", "6", "6"]  # same order, same verdict, duels, prompts
    assert "agree hardly more than by chance" not in page
    assert "!" not in page


def test_where_nothing_was_selected_there_is_no_note(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = report(tmp_path, capsys, "")
    assert "selected by `when`" not in page
    row, *_ = [line.split() for line in page.splitlines() if line.startswith("  cheap  strong")]
    assert row[2:6] == ["75.0%", "75.0%", "24", "24"]


def test_few_prompts_are_named_and_like_lengths_are_not_doubled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = report(tmp_path, capsys, WHEN)
    assert "6 duels of 6 prompts" in page
    assert "for twice the length" not in page
    assert "if controlled for" not in page
