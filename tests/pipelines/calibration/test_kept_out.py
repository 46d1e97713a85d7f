"""Prompts that a judge was checked on are kept out of the build that its gate guards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.build import run_build
from pipelines.calibration.identity import calibration_id
from pipelines.calibration.labelled import asked_id
from pipelines.calibration.stored import store_calibration
from pipelines.planning.plan import make_plan
from pipelines.publishing.store import Store
from schemas.calibration import Calibration, Figure, Labels
from schemas.rows import Message
from tests.builds import OVER_HTTP, published, read, run, write_questions, write_recipe
from tools.chat_server import ChatServer

GATED = "gates.judge_accuracy='>= 0.5'", "gates.min_pairs=0"
LABELLED = (0, 3, 4)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, server: ChatServer) -> Path:
    """A recipe about six questions, whose judge was checked on three of them."""
    write_questions(tmp_path, range(6))
    write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
    asked = (asked_id([Message("user", f"How much is {n} and 1?")]) for n in LABELLED)
    checked = Calibration(
        identity=calibration_id(read(tmp_path), "rating"),
        judge="rating",
        labels=Labels(digest="ab" * 32, name="x.jsonl", pairs=100, prompts=100),
        lower_bound=0.6,
        figures={"accuracy": Figure(value=0.7, n=100)},
        prompts=tuple(sorted(asked)),
    )
    for store in ("store", "other"):
        store_calibration(Store(tmp_path / store), checked)
    return tmp_path


def test_nothing_is_called_for_them_and_each_is_accounted_for(folder: Path, server: ChatServer):
    outcome, meter = run(folder, *GATED)
    assert outcome.failures == []
    prompts = {
        row["prompt_id"]: row["messages"][0]["content"] for row in published(outcome, "prompts")
    }
    assert len(prompts) == 6  # they stay in the evidence
    dropped = [row for row in published(outcome, "drops") if row["reason"] == "labelled"]
    assert sorted(prompts[row["id"]] for row in dropped) == [
        f"How much is {n} and 1?" for n in LABELLED
    ]
    assert {(row["level"], row["step"], row["detail"]) for row in dropped} == {
        ("prompts", "gates.judge_accuracy", "labels abababababab")
    }
    answered = {row["prompt_id"] for row in published(outcome, "responses")}
    assert len(answered) == 3
    assert not answered & {row["id"] for row in dropped}
    assert meter.calls == server.stats()["requests"] == 3 * (1 + 4)


def test_a_plan_counts_without_them(folder: Path, server: ChatServer):
    plan = make_plan(read(folder, *GATED), Store(folder / "store"))
    assert plan.units == 3
    assert make_plan(read(folder), Store(folder / "store")).units == 6


def test_a_system_message_does_not_hide_them(folder: Path):
    text = (folder / "questions.jsonl").read_text().replace("}", ', "s": "Be brief."}')
    (folder / "questions.jsonl").write_text(text)
    outcome, _ = run(folder, *GATED, "prompts.system=s")
    dropped = [row for row in published(outcome, "drops") if row["reason"] == "labelled"]
    assert len(dropped) == 3


def test_the_order_of_the_prompts_changes_nothing(folder: Path):
    one, _ = run(folder, *GATED)
    lines = (folder / "questions.jsonl").read_text().splitlines(keepends=True)
    (folder / "questions.jsonl").write_text("".join(reversed(lines)))
    other = run_build(read(folder, *GATED), folder / "other")
    assert one.manifest is not None
    assert other.manifest is not None
    assert one.manifest.content_digest == other.manifest.content_digest


def test_without_the_gate_they_are_prompts_like_others(folder: Path):
    outcome, _ = run(folder)
    assert len({row["prompt_id"] for row in published(outcome, "responses")}) == 6
