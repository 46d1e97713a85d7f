"""Judges on labelled pairs over real HTTP: calls are counted at the server."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from pipelines.calibration.check import calibration, judges_to_check, run_on
from pipelines.calibration.labelled import LabelSet, label_set
from pipelines.calibration.run import Run
from pipelines.calls.meter import Meter
from pipelines.publishing.store import Store
from tests.builds import OVER_HTTP, read, run, write_questions, write_recipe
from tests.pipelines.calibration.pairs import Row, pair, turned
from tools.chat_server import ChatServer

PAIRS = 12


def rows() -> list[Row]:
    """Two pairs for each of six of the build's own questions."""
    return [
        {
            "prompt": f"How much is {number} and 1?",
            "response_a": f"{number + 1}, {wrong}",
            "response_b": f"{number + wrong}",
            "label": "a",
        }
        for number in range(PAIRS // 2)
        for wrong in (3, 5)
    ]


def labels(given: Sequence[Row] | None = None) -> LabelSet:
    return label_set("x.jsonl", map(pair, rows() if given is None else given), Counter())


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        yield server


COMPARING = OVER_HTTP.replace("rating", "pairwise").replace("scale = [1, 10]\n", "")
RECORDED = """
[[samplers]]
kind = "recorded"
text = "a"
"""


@pytest.fixture
def folder(tmp_path: Path, server: ChatServer) -> Path:
    write_questions(tmp_path, range(3))
    write_recipe(tmp_path, OVER_HTTP.format(url=server.url))
    return tmp_path


def check(folder: Path, *overrides: str, on: LabelSet | None = None) -> tuple[Run, Meter]:
    recipe, meter, on = read(folder, *overrides), Meter(), on or labels()
    judges = judges_to_check(recipe, [], on)
    return run_on(recipe, Store(folder / "store"), judges, on, meter), meter


def test_a_rating_takes_a_call_for_each_response_and_nothing_is_paid_twice(folder, server):
    found, meter = check(folder)
    assert meter.calls == server.stats()["requests"] == 2 * PAIRS
    assert len(found.opinions["rating"]) == PAIRS
    again, meter = check(folder)
    assert again.opinions == found.opinions
    assert meter.calls == 0
    assert server.stats()["requests"] == 2 * PAIRS


def test_a_comparison_takes_a_call_for_each_order(folder, server):
    write_recipe(folder, COMPARING.format(url=server.url))
    found, _ = check(folder)
    assert server.stats()["requests"] == 2 * PAIRS
    assert {one.asked for one in found.opinions["pairwise"].values()} == {(True, True)}


def test_swapped_sides_ask_nothing_new_and_swap_the_orders_alone(folder, server):
    write_recipe(folder, COMPARING.format(url=server.url))
    found, _ = check(folder)
    other, meter = check(folder, on=labels([turned(one) for one in rows()]))
    assert meter.calls == 0
    for pair_id, one in found.opinions["pairwise"].items():
        same = other.opinions["pairwise"][pair_id]
        assert same.orders == tuple(None if x is None else -x for x in reversed(one.orders))
        assert same.verdict == (None if one.verdict is None else -one.verdict)


def test_a_check_that_stops_at_its_budget_goes_on_and_pays_the_rest_alone(folder, server):
    found, meter = check(folder, "budget.calls=7")
    assert found.budget_reached
    assert found.owed
    assert meter.calls <= 7
    found, again = check(folder)
    assert not found.owed
    assert meter.calls + again.calls == server.stats()["requests"] == 2 * PAIRS
    assert server.stats()["paid_twice"] == 0


def test_failed_calls_are_tried_again_and_change_nothing(folder, server):
    calm, _ = check(folder)
    with ChatServer(e500=0.2, e429=0.2, retry_after=0.01) as rough:
        write_recipe(folder, OVER_HTTP.format(url=rough.url))
        found = run_on(read(folder), Store(folder / "other"), judges_to_check(
            read(folder), [], labels()), labels(), Meter())  # fmt: skip
        assert rough.stats()["paid_twice"] == 0
    assert found.opinions == calm.opinions


def test_what_cannot_be_read_is_unread(folder, server):
    server.set(bad_judge=1.0)
    found, _ = check(folder)
    one = calibration(read(folder), "rating", labels(), found.opinions["rating"])
    assert one.figures["read"].value == one.figures["accuracy"].value == 0
    assert one.lower_bound == 0


def test_a_build_pays_nothing_for_pairs_that_a_check_has_asked_about(folder, server):
    answers = {"prompt": "How much is 0 and 1?", "response_a": "1", "response_b": "2", "label": "a"}
    check(folder, on=labels([answers]))
    before = server.stats()["requests"]
    answered = [{"question": answers["prompt"], "a": text} for text in ("1", "2")]
    (folder / "questions.jsonl").write_text("".join(json.dumps(one) + "\n" for one in answered))
    text = OVER_HTTP.format(url=server.url).replace('key = "id"\n', "")
    head, _, rest = text.partition("[[samplers]]")
    write_recipe(folder, head + RECORDED + "[[judges]]" + rest.partition("[[judges]]")[2])
    _, meter = run(folder, "gates.min_pairs=0")
    assert (meter.calls, meter.samples_replayed) == (0, 2)
    assert server.stats()["requests"] == before
