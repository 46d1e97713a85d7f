from pathlib import Path

import pytest

from pipelines.build import run_build
from pipelines.calls.ledger import Ledger
from pipelines.calls.meter import Meter
from pipelines.planning.forecaster import Lengths
from pipelines.planning.part_plan import PartPlan
from pipelines.planning.plan import make_plan
from pipelines.publishing.store import Store
from pipelines.recipe import read_recipe
from tests.builds import OVER_HTTP, read, run, write_questions, write_recipe
from tools.chat_server import ChatServer

QUICKSTART = Path(__file__).parents[3] / "flows/recipes/quickstart.toml"
PRICES = tuple(
    f"models.{model}.prices.{way}={price}"
    for model in ("policy", "critic")
    for way, price in (("input", 1.0), ("output", 4.0))
)


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    write_questions(tmp_path, range(40))
    return tmp_path


def at(server: ChatServer, folder: Path) -> Path:
    write_recipe(folder, OVER_HTTP.format(url=server.url))
    return folder


def parts(folder: Path, *overrides: str, units: int = 2000) -> dict[str, PartPlan]:
    plan = make_plan(read(folder, *overrides), Store(folder / "store"), units=units)
    return {part.part: part for part in plan.parts}


def test_a_plan_counts_exactly_what_a_build_then_calls(trial: Path) -> None:
    with ChatServer() as server:
        planned = parts(at(server, trial))
        assert server.stats()["requests"] == 0
        run(trial)
        assert server.stats()["requests"] == 40 * (1 + 4)
    assert planned["samplers.independent"].calls.value == 40
    assert planned["samplers.independent"].samples.value == 160
    assert planned["judges.rating"].calls.value == 160
    assert planned["judges.rating"].calls.plus_minus is None  # answers may be alike


def test_what_the_ledger_holds_is_subtracted(trial: Path) -> None:
    with ChatServer() as server:
        run(at(server, trial), "limit=30")
        planned = parts(trial)
        assert planned["samplers.independent"].calls.value == 10
        assert planned["judges.rating"].samples.value == 40
        more = parts(trial, "samplers.independent.n=6")
        assert more["samplers.independent"].samples.value == 30 * 2 + 10 * 6
        run(trial)
        assert parts(trial) == {}


def test_a_sample_of_units_gives_an_interval_that_holds_the_truth(trial: Path) -> None:
    write_questions(trial, range(400))
    with ChatServer() as server:
        run(at(server, trial), "limit=200")
        rough = parts(trial, units=80)["judges.rating"].calls
    assert rough.plus_minus is not None
    assert rough.plus_minus > 0
    assert abs(rough.value - 800) <= 2 * rough.plus_minus  # twice a 95 % interval


def test_a_pilot_is_paid_once_and_its_lengths_forecast_the_spend(trial: Path) -> None:
    write_questions(trial, range(200))
    with ChatServer() as server:
        recipe, meter = read(at(server, trial), *PRICES), Meter()
        plan = make_plan(recipe, Store(trial / "store"), pilot=30, meter=meter)
        assert meter.calls == 30 * 5
        outcome, spent = run(trial, *PRICES)
    assert spent.samples_replayed >= 30 * 8
    assert outcome.manifest is not None
    total = sum(spend.money for spend in spent.spend.values())
    forecast = plan.money()
    assert forecast is not None
    assert forecast.plus_minus is not None
    assert abs(total - forecast.value) <= max(2 * forecast.plus_minus, 0.15 * total)
    told = outcome.manifest.run.forecast
    assert told.keys() == {"policy", "critic"}
    assert told["policy"].calls == 170
    assert told["policy"].plus_minus["calls"] == 0
    assert told["policy"].plus_minus["completion_tokens"] > 0
    assert told["critic"].money == round(told["critic"].money or 0, 6)
    assert outcome.manifest.run.spent["policy"].calls == 170


def test_assumed_lengths_are_bounded_by_max_tokens_and_have_no_interval(trial: Path) -> None:
    with ChatServer() as server:
        plan = make_plan(
            read(at(server, trial)), Store(trial / "store"), Lengths(answer=10_000, judgment=20)
        )
    answers = next(part for part in plan.parts if part.part == "samplers.independent")
    assert answers.completion_tokens.value == pytest.approx(160 * 64, rel=0.02)  # max_tokens = 64
    assert answers.completion_tokens.plus_minus is None
    assert answers.money is None
    assert answers.worst is not None
    assert answers.worst.tokens is not None
    assert answers.worst.tokens >= 160 * 64


TWICE = """
[[samplers]]
kind = "independent"
name = "more"
model = "policy"
n = 6
"""


@pytest.mark.parametrize("known", [0, 20])
def test_what_two_samplers_ask_alike_is_counted_once(trial: Path, known: int) -> None:
    with ChatServer() as server:
        write_recipe(trial, OVER_HTTP.format(url=server.url) + TWICE)
        if known:
            run(trial, f"limit={known}")
        before = server.stats()["requests"]
        planned = parts(trial)
        run(trial)
        paid = server.stats()["requests"] - before
    assert paid == (40 - known) * (1 + 1 + 6)
    # a known answer that is drawn twice for one prompt is judged once
    assert sum(part.calls.value for part in planned.values()) == pytest.approx(paid, rel=0.05)


def test_a_plan_after_a_pilot_of_few_does_not_take_the_others_for_paid(trial: Path) -> None:
    write_questions(trial, range(600))
    with ChatServer() as server:
        recipe, store = read(at(server, trial)), Store(trial / "store")
        plan = make_plan(recipe, store, units=60, pilot=40)
        again = make_plan(recipe, store, units=60)
    for one in (plan, again):
        calls = {part.part: part.calls for part in one.parts}
        judged = calls["judges.rating"]
        assert judged.plus_minus is not None
        # counted on the pilot's own prompts, a third of all would seem to be left
        assert abs(judged.value - 560 * 4) <= 2 * judged.plus_minus
        assert {part.known_answers for part in one.parts} == {40 * 4}


def test_a_pilot_measures_replies_and_is_counted_as_the_budget_counts(trial: Path) -> None:
    with ChatServer(latency_ms=(30,)) as server:
        recipe = read(at(server, trial), "budget.calls=1000", *PRICES)
        plan = make_plan(recipe, Store(trial / "store"), pilot=10)
        nothing_left = make_plan(recipe, Store(trial / "store"), pilot=10)
    assert plan.pilot is not None
    assert plan.pilot.spent.calls == 10 * 5
    assert plan.pilot.spent.tokens > 0
    assert plan.pilot.spent.money > 0
    assert plan.pilot.latency.keys() == {"policy", "critic"}
    assert all(seconds >= 0.03 for seconds in plan.pilot.latency.values())
    assert plan.seconds is not None
    assert plan.seconds >= 30 * 5 * 0.03 / 8  # a window of 8
    assert nothing_left.pilot is not None
    assert (nothing_left.pilot.latency, nothing_left.seconds) == ({}, None)


def test_no_build_takes_more_than_the_worst_case(trial: Path) -> None:
    bounded = ("models.critic.sampling={max_tokens=30}", *PRICES)
    with ChatServer(bad_judge=1) as server:
        worst = make_plan(read(at(server, trial), *bounded), Store(trial / "store")).worst()
        _, meter = run(trial, *bounded)
    assert worst.calls == meter.calls == 40 * (1 + 4 * 2)  # each judgment is asked for again
    spent = list(meter.spend.values())
    assert worst.tokens is not None
    assert sum(one.prompt_tokens + one.completion_tokens for one in spent) <= worst.tokens
    assert worst.money is not None
    assert sum(one.money for one in spent) <= worst.money


@pytest.mark.parametrize("count", [3, 5, 8])
def test_a_search_takes_no_more_than_its_worst_case(trial: Path, count: int) -> None:
    """Whatever the judge says: of each prompt as many comparisons as a merge sort may take."""
    searched = (
        "judges=[{kind='pairs_search',model='critic',read='verdict'}]",
        f"samplers.independent.n={count}",
        "models.critic.sampling={max_tokens=30}",
    )
    most = {3: 3, 5: 9, 8: 18}[count]  # and the one recheck, where a pair is left for it
    with ChatServer() as server:
        worst = make_plan(read(at(server, trial), *searched), Store(trial / "store")).worst()
        _, meter = run(trial, *searched)
    assert worst.calls == 40 * (1 + most * 2 * 2)  # in both orders, and each asked for again
    assert 40 * (1 + 2 * (count - 1)) <= meter.calls <= 40 * (1 + most * 2 * 2)


@pytest.mark.parametrize("count", [4, 12])
def test_answers_rated_together_are_counted_as_read_however_many(trial: Path, count: int) -> None:
    rated = (
        "judges=[{kind='rubric',model='critic',rubric='helpsteer2',all_together=true}]",
        f"samplers.independent.n={count}",
    )
    with ChatServer() as server:
        at(server, trial)
    found = parts(trial, *rated)
    assert found["judges.rubric"].calls.value == 40


def test_without_max_tokens_only_the_calls_have_a_worst_case(trial: Path) -> None:
    with ChatServer() as server:
        worst = make_plan(read(at(server, trial), *PRICES), Store(trial / "store")).worst()
    assert (worst.calls, worst.tokens, worst.money) == (40 * 9, None, None)


SEARCH = """
name = "trial"
seed = 3
[sources.questions]
kind = "jsonl"
path = "questions.jsonl"
[prompts]
text = "question"
[models.policy]
kind = "openai_api"
base_url = "{url}"
identity = "loopback"
[[samplers]]
kind = "mcts"
model = "policy"
evaluation = {{ votes = 1 }}
iterations = 4
max_new_tokens = 16
max_tokens = 48
[[pairings]]
kind = "step_siblings"
"""


def test_what_repeats_in_the_pilot_is_expected_to_repeat(tmp_path: Path) -> None:
    """Small models say the same eight times over: a judge is asked once, and before that unknown."""
    recipe, store = (
        read_recipe(QUICKSTART, ["limit=60", "publish.report=false"]),
        Store(tmp_path / "s"),
    )
    cold = {part.part: part.calls for part in make_plan(recipe, store).parts}
    plan = make_plan(recipe, store, pilot=20)
    meter = Meter()
    run_build(recipe, tmp_path / "s", meter)
    found = {part.part: part for part in plan.parts}["judges.likelihood"]
    assert (cold["judges.likelihood"].value, cold["judges.likelihood"].plus_minus) == (480, None)
    assert found.calls.plus_minus is not None
    taken = meter.spend["teacher"]
    assert 0 < found.calls.plus_minus < 100
    assert abs(found.calls.value - taken.calls) <= found.calls.plus_minus
    assert found.prompt_tokens.plus_minus is not None
    assert abs(found.prompt_tokens.value - taken.prompt_tokens) <= found.prompt_tokens.plus_minus
    assert (found.completion_tokens.value, taken.completion_tokens) == (0, 0)


def test_a_tree_search_is_forecast_to_grow_as_those_of_the_pilot(tmp_path: Path) -> None:
    write_questions(tmp_path, range(24))
    with ChatServer() as server:
        write_recipe(tmp_path, SEARCH.format(url=server.url))
        blind = make_plan(read(tmp_path), Store(tmp_path / "store"))
        plan = make_plan(read(tmp_path), Store(tmp_path / "store"), pilot=6)
        paid = server.stats()["requests"]
        run(tmp_path)
        total = server.stats()["requests"]
    assert sum(part.calls.value for part in blind.parts) == pytest.approx(total, rel=0.5)
    assert sum(part.calls.value for part in plan.parts) == pytest.approx(total - paid, rel=0.25)


@pytest.mark.parametrize("n", [4, 8])
def test_a_sample_of_the_ledger_counts_once_whatever_leads_to_it(trial: Path, n: int) -> None:
    twins = "models.policy.sampling.max_tokens=1"  # so that many answers are alike
    with ChatServer() as server:
        run(at(server, trial), twins)
        with Ledger(trial / "store" / "ledger") as ledger:
            held = ledger.samples
        recipe = read(trial, twins, f"samplers.independent.n={n}")
        assert make_plan(recipe, Store(trial / "store")).replayed == held < 40 * 8
