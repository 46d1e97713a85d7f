"""Taking over the units of a version: the same content as a replay, or a replay."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from pipelines.build import Outcome, run_build
from pipelines.calls.meter import Meter
from pipelines.publishing.store import Store
from tests.builds import OVER_HTTP, read, write_questions, write_recipe
from tools.chat_server import ChatServer

CASCADE = OVER_HTTP.replace(
    "[[pairings]]",
    """[[judges]]
name = "strong"
kind = "rating"
model = "policy"
scale = [1, 10]
when = {{ judge = "rating", margin_below = 4 }}

[score]
combine = "first"
judges = ["strong", "rating"]

[[pairings]]""",
)
RECORDED = """
name = "recorded"
limit = 9
[sources.answers]
kind = "jsonl"
path = "answers.jsonl"
[prompts]
text = "question"
key = "id"
[[samplers]]
kind = "recorded"
source = "answers"
prompt = "id"
text = "answer"
model = "model"
key = ["id", "model"]
[[judges]]
kind = "recorded"
name = "rating"
source = "answers"
response = ["id", "model"]
score = "rating"
scale = [1, 10]
[[pairings]]
kind = "all_pairs"
[[filters]]
kind = "empty"
[[filters]]
kind = "margin"
min = 1
"""


@pytest.fixture
def trial(tmp_path: Path) -> Iterator[Path]:
    """A recipe over HTTP with questions, and its server."""
    write_questions(tmp_path, range(95, 107))
    with ChatServer(bad_judge=0.1) as server:
        (tmp_path / "url").write_text(server.url)
        yield tmp_path


def write(folder: Path, text: str) -> None:
    lenient = "[gates]\nmin_read_share = 0.5\n"  # some replies of the server cannot be read
    write_recipe(folder, text.format(url=(folder / "url").read_text()) + lenient)


def build(folder: Path, *changes: str, reusing: bool = True, store: str = "store") -> Any:
    """The outcome and the meter."""
    meter = Meter()
    return run_build(read(folder, *changes), folder / store, meter, reusing=reusing), meter


def content(outcome: Outcome) -> Any:
    """All of the manifest that is the same in every run."""
    assert outcome.manifest is not None
    table: Any = json.loads(outcome.manifest.to_json())
    del table["run"]
    table["files"] = {
        path: info["sha256"] for path, info in table["files"].items() if path.endswith(".parquet")
    }
    return table


def spent(outcome: Outcome) -> dict[str, tuple[int, ...]]:
    """What a version took in all."""
    assert outcome.manifest is not None
    run, total = outcome.manifest.run, {}
    for model in {*run.spent, *run.before}:
        parts = [one[model] for one in (run.spent, run.before) if model in one]
        names = ("calls", "prompt_tokens", "completion_tokens")
        total[model] = tuple(sum(getattr(part, name) for part in parts) for name in names)
    return total


def assert_equal_to_a_replay(folder: Path, *changes: str) -> Any:
    """Builds with the changes in two copies of the store: by reuse, and by replay."""
    shutil.copytree(folder / "store", folder / "copy")
    (reused, meter), (replayed, plain) = (
        build(folder, *changes),
        build(folder, *changes, reusing=False, store="copy"),
    )
    assert meter.reused.endswith("@v0001")
    assert (meter.rows_read, meter.calls, meter.units_done) == (0, 0, 0)
    assert plain.rows_read
    assert reused.published
    assert content(reused) == content(replayed)
    assert spent(reused) == spent(replayed)
    return reused


def test_another_margin_on_a_cascade_gives_what_a_replay_gives(trial: Path) -> None:
    write(trial, CASCADE)
    build(trial)
    outcome = assert_equal_to_a_replay(trial, "filters.margin.min=4")
    assert outcome.manifest is not None
    notes = outcome.manifest.judges["strong"].notes
    assert notes["prompts asked"]
    assert notes["calls saved"]


def test_another_pairing_gives_what_a_replay_gives(trial: Path) -> None:
    write(trial, OVER_HTTP)
    build(trial)
    changes = ("pairings.0.kind=all_pairs", "publish.splits={train=0.5, test=0.5}")
    assert_equal_to_a_replay(trial, *changes, "filters.margin.min=1")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A built version of recorded answers, some of them blank, one without a question."""
    folder = tmp_path_factory.mktemp("recorded")
    rows = [
        {
            "id": f"q{number // 4}",
            "question": f"Which one? {number // 4}" if number != 8 else None,
            "answer": "" if number % 7 == 3 else f"The {number % 5} one.",
            "model": f"m{number % 4}",
            "rating": number * 7 % 10 + 1,
        }
        for number in range(48)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "answers.jsonl").write_text(f"{lines}no row\n")
    write_recipe(folder, RECORDED)
    build(folder)
    return folder


@pytest.fixture
def built(recorded: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(recorded, tmp_path / "trial"))


@pytest.mark.parametrize(
    "changes",
    [
        ["filters.margin.min=3"],
        ["filters.margin.min=0"],
        ["pairings.0.kind=best_worst", "publish.splits={train=0.5, test=0.5}"],
        ['selectors=[{kind="one_per_prompt", prefer="largest_margin"}]'],
        ['filters=[{kind="empty"}, {kind="min_score", min=4}, {kind="variance", min=2}]'],
        ['measures=[{kind="levenshtein"}, {kind="strength", name="difficulty"}]'],
        ["score.combine=zscore", "filters.margin.min=0.5"],
        ["score.control=length", "filters.margin.min=0.5"],
        ["publish.group_near_duplicates=0.5"],
        ["publish.shards=3", "publish.row_group_rows=2048", "publish.report=false"],
    ],
    ids=str,
)
def test_whatever_comes_after_the_units_is_as_a_replay_makes_it(
    built: Path, changes: list[str]
) -> None:
    assert_equal_to_a_replay(built, *changes)


@pytest.mark.parametrize("first", ["score.control=length", "publish.report=false"])
def test_what_a_version_says_of_its_judges_is_said_again_and_no_more(
    built: Path, first: str
) -> None:
    shutil.rmtree(built / "store" / "datasets")
    before, _ = build(built, first)
    assert before.manifest is not None
    had_slope = "length_slope" in before.manifest.judges["rating"].notes
    assert had_slope == (first == "score.control=length")
    outcome = assert_equal_to_a_replay(built, "filters.margin.min=3")
    assert outcome.manifest is not None
    assert "length_slope" not in outcome.manifest.judges["rating"].notes
    assert "tie_rate" in {one.figure for one in outcome.manifest.figures}


def test_what_a_gate_goes_by_is_measured_and_not_believed(trial: Path) -> None:
    write(trial, OVER_HTTP)
    first, _ = build(trial)
    path = first.version.folder / "manifest.json"
    said = json.loads(path.read_text())
    for figure in said["figures"]:
        figure["value"] = figure["low"] = figure["high"] = 0.0
    rating = said["judges"]["rating"]
    assert rating["read"] < rating["asked"]
    rating["read"] = rating["asked"]
    path.write_text(json.dumps(said))
    outcome, meter = build(trial, "gates.min_read_share=1", 'gates.tie_rate="<= 0.0001"')
    assert meter.reused
    assert outcome.refused
    assert [told.split(": ")[0] for told in outcome.failures] == [
        "judge rating",
        "tie_rate of rating",
    ]


def test_recorded_rows_and_dropped_ones_are_counted_as_a_replay_counts_them(built: Path) -> None:
    outcome = assert_equal_to_a_replay(built, "filters.margin.min=3")
    assert outcome.manifest is not None
    steps = {(step.step, step.level): step for step in outcome.manifest.counts}
    assert steps["early filters", "responses"].reasons["empty"]
    assert steps["selection", "prompts"].dropped


def test_units_of_a_query_are_taken_over_too(built: Path) -> None:
    tables = 'tables={rows="answers.jsonl"}'
    query = f'sources.answers={{kind="duckdb", query="FROM rows WHERE id IS NOT NULL", {tables}}}'
    (built / "answers.jsonl").write_text(
        "".join((built / "answers.jsonl").read_text().splitlines(keepends=True)[:-1])
    )
    build(built, query, store="queried")
    shutil.rmtree(built / "store")
    (built / "queried").rename(built / "store")
    assert_equal_to_a_replay(built, query, "filters.margin.min=3")


def test_no_two_versions_share_a_file(built: Path) -> None:
    outcome, _ = build(built, "filters.margin.min=3")
    [first] = Store(built / "store").versions("recorded")[:-1]
    for path in first.manifest.files:
        assert (first.folder / path).stat().st_nlink == 1
    shutil.rmtree(first.folder)
    assert Store(built / "store").verify(outcome.version) == []


KILLED = """
import os, signal, sys
from importlib import import_module
from pathlib import Path
from pipelines.build import run_build
from pipelines.recipe import read_recipe

folder, module, function = Path(sys.argv[1]), import_module(sys.argv[2]), sys.argv[3]
setattr(module, function, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
recipe = read_recipe(folder / "recipe.toml", ["filters.margin.min=3"])
run_build(recipe, folder / "store", reusing=True)
"""


@pytest.mark.parametrize(
    "moment",
    [
        ("pipelines.reusing.taking", "_before"),
        ("pipelines.publishing.units", "_link"),
        ("pipelines.publishing.publish", "drop_rows"),
        ("pipelines.publishing.claiming", "claim"),
        ("pipelines.querying.catalog", "rebuild"),
    ],
    ids="-".join,
)
def test_a_store_is_sound_whenever_a_build_is_killed(built: Path, moment: tuple[str, str]) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(built), *moment], check=False)
    assert killed.returncode == -signal.SIGKILL
    store, there = Store(built / "store"), 1 + (moment[1] == "rebuild")
    versions = store.versions("recorded")
    assert len(versions) == there
    assert [fault for version in versions for fault in store.verify(version)] == []
    outcome, meter = build(built, "filters.margin.min=3")
    assert meter.reused == versions[-1].ref
    assert outcome.published == (there == 1)
    assert store.verify(outcome.version) == []
    assert store.stale_staging() == []


def test_a_version_that_was_taken_over_is_taken_over_in_turn(trial: Path) -> None:
    write(trial, OVER_HTTP)
    build(trial)
    _, second = build(trial, "filters.margin.min=3")
    third, meter = build(trial, "filters.margin.min=4")
    assert (second.reused, meter.reused) == ("trial@v0001", "trial@v0002")
    assert third.manifest.run.reused == "trial@v0002"


def test_what_a_gate_refused_is_taken_over_once_the_gate_lets_it_through(trial: Path) -> None:
    write(trial, OVER_HTTP)
    refused, _ = build(trial, "gates.min_pairs=1000")
    assert refused.refused
    outcome, meter = build(trial)
    assert outcome.published
    assert (meter.reused, meter.calls) == ("trial@refused", 0)


def test_another_row_in_a_source_makes_a_replay(trial: Path) -> None:
    write(trial, OVER_HTTP)
    build(trial)
    write_questions(trial, range(95, 108))
    _, meter = build(trial)
    assert not meter.reused
    assert meter.samples_paid >= 8  # four answers and their judgments, and those asked for again


def test_a_changed_byte_makes_a_replay_that_says_so(trial: Path) -> None:
    write(trial, OVER_HTTP)
    first, _ = build(trial)
    [file] = first.version.files("judgments")
    tampered = bytearray(file.read_bytes())
    tampered[len(tampered) // 2] ^= 1
    file.write_bytes(tampered)
    second, meter = build(trial, "filters.margin.min=3")
    assert second.published
    assert not meter.reused
    assert "trial@v0001 is not reused: the bytes of judgments/" in meter.not_reused


def test_a_build_that_owes_calls_is_not_taken_over(trial: Path) -> None:
    write(trial, OVER_HTTP)
    partial, _ = build(trial, "budget={calls=20, on_limit='publish'}")
    assert partial.owed
    outcome, meter = build(trial)
    assert not meter.reused
    assert not outcome.owed


def test_the_command_says_what_it_took_over_and_replays_when_told(
    trial: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(trial, OVER_HTTP)
    words = ["build", str(trial / "recipe.toml"), "--store", str(trial / "store")]
    assert main(words) == 0
    assert main([*words, "--set", "filters.margin.min=3"]) == 0
    assert main([*words, "--set", "filters.margin.min=4", "--replay"]) == 0
    _, _, taken, replayed = capsys.readouterr().out.split("published trial@")
    assert "all that comes before selection is from trial@v0001" in taken
    assert "samples from the ledger" in replayed
    assert "comes before selection" not in replayed
