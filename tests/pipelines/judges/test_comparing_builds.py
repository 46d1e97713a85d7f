"""Judges that compare, in whole builds: against a real server that counts, and as pairs and SQL."""

import math
import re
from math import comb

import pytest

from pipelines.planning.plan import make_plan
from pipelines.publishing.store import Store
from pipelines.querying.safe_sql import run_sql
from tests.builds import OVER_HTTP, published, read, run, write_questions, write_recipe
from tests.judge_server import JudgeServer
from tools.chat_server import ChatServer

K, PROMPTS = 6, 5
JUDGE = '[[judges]]\nkind = "rating"\nmodel = "critic"\nscale = [1, 10]\n'
BOTH_ORDERS = 2


@pytest.fixture(scope="module")
def server():
    with ChatServer() as running:
        yield running


def recipe(folder, server, judge, pairing='kind = "best_worst"', score=""):
    write_questions(folder, range(PROMPTS))
    text = OVER_HTTP.format(url=server.url).replace("n = 4", f"n = {K}")
    before, _, after = text.partition(JUDGE)
    assert after
    after = after.replace('kind = "best_worst"', pairing).partition("[[filters]]")[0]
    write_recipe(folder, f'{before}[[judges]]\nmodel = "critic"\n{judge}\n{after}\n{score}')


@pytest.mark.parametrize(
    ("judge", "calls"),
    [
        ('kind = "pairwise"', BOTH_ORDERS * comb(K, 2)),
        ('kind = "pairwise"\npairs = "adjacent"', BOTH_ORDERS * (K - 1)),
        ('kind = "listwise"\nreask = 0', 2),
        ('kind = "listwise"\nreask = 0\nrotations = 9', K),
        ('kind = "tournament"\nformat = "knockout"', BOTH_ORDERS * (K - 1)),
        ('kind = "tournament"', BOTH_ORDERS * 3 * (K // 2)),
        ('kind = "tournament"\nformat = "round_robin"', BOTH_ORDERS * comb(K, 2)),
    ],
)
def test_the_server_counts_the_calls_of_the_formula(judge, calls, server, tmp_path):
    recipe(tmp_path, server, judge)
    server.reset()
    _, meter = run(tmp_path)
    sampling = PROMPTS
    assert server.stats()["requests"] == meter.calls == sampling + PROMPTS * calls


@pytest.mark.parametrize(
    ("calibrate", "orders"), [("true", BOTH_ORDERS), ("false", 1)], ids=["both", "one"]
)
def test_a_search_stays_below_k_log_k_and_its_plan_comes_near(calibrate, orders, server, tmp_path):
    recipe(tmp_path, server, f'kind = "pairs_search"\nread = "verdict"\ncalibrate = {calibrate}')
    server.reset()
    most = PROMPTS * K * 3 * orders  # ceil(log2 6) = 3
    plan = make_plan(read(tmp_path), Store(tmp_path / "other"))
    [planned] = [part for part in plan.parts if part.part == "judges.pairs_search"]
    assert planned.worst is not None
    run(tmp_path)
    calls = server.stats()["requests"] - PROMPTS
    assert calls <= most
    assert calls == pytest.approx(planned.calls.value, rel=0.3)
    assert most * 2 >= planned.worst.calls >= calls


@pytest.mark.parametrize(
    ("judge", "calls"),
    [('kind = "listwise"', 2), ('kind = "pairwise"', BOTH_ORDERS * comb(K, 2)),
     ('kind = "tournament"', BOTH_ORDERS * 3 * (K // 2))],
)  # fmt: skip
def test_a_plan_counts_what_the_formula_says(judge, calls, server, tmp_path):
    recipe(tmp_path, server, judge)
    plan = make_plan(read(tmp_path), Store(tmp_path / "other"))
    [planned] = [part for part in plan.parts if part.part.startswith("judges.")]
    assert planned.calls.value == PROMPTS * calls
    assert planned.worst is not None
    assert planned.worst.calls == PROMPTS * calls * 2  # each asked for again


def test_ranks_make_pairs_and_the_second_looks_a_figure(server, tmp_path):
    recipe(tmp_path, server, 'kind = "pairs_search"\nread = "verdict"\nrecheck = 4')
    outcome, _ = run(tmp_path)
    version = outcome.version
    assert version is not None
    rank = {
        row["response_id"]: row["rank"] for row in published(outcome, "judgments") if row["rank"]
    }
    pairs = published(outcome, "pairs")
    assert pairs
    for pair in pairs:
        chosen, rejected = pair["chosen_response_id"], pair["rejected_response_id"]
        assert rank[chosen] < rank[rejected]
        assert pair["score_margin"] == rank[rejected] - rank[chosen]
    notes = version.manifest.judges["pairs_search"].notes
    sql = "SELECT sum(n_rechecks), sum(n_agreed) / sum(n_decided) FROM transitivity"
    with run_sql(Store(tmp_path / "store"), sql, "trial") as rows:
        [row] = (tuple(one.values()) for one in rows.read_all().to_pylist())
    assert row[0] == notes["rechecks"] > 0
    assert row[1] == pytest.approx(notes["transitivity"], abs=1e-6)


def test_a_looser_rule_makes_more_pairs_and_costs_no_call(server, tmp_path):
    recipe(tmp_path, server, 'kind = "pairwise"', 'kind = "compared"')
    strict, _ = run(tmp_path)
    found = []
    for rule in ("tie", "drop", "average"):
        outcome, meter = run(tmp_path, f"judges.pairwise.inconsistent={rule}")
        assert meter.calls == 0
        found.append(len(published(outcome, "pairs")))
    assert len(published(strict, "pairs")) == found[0] == found[1] < found[2]


def test_a_tournament_beside_pairwise_buys_nothing_that_pairwise_has(server, tmp_path):
    judges = 'kind = "pairwise"\n[[judges]]\nmodel = "critic"\nkind = "tournament"'
    recipe(tmp_path, server, judges, score='[score]\njudges = ["tournament"]')
    server.reset()
    run(tmp_path)
    assert server.stats()["requests"] == PROMPTS * (1 + BOTH_ORDERS * comb(K, 2))


def odds(p):
    return "A", {"A": math.log(p), "B": math.log(1 - p)}


def knows(message, choice):
    """Answers with a number; as a judge finds the larger one better, and A a little."""
    worths = [int(worth) for worth in re.findall(r"It is (\d+)\.", message)]
    if len(worths) < 2:
        return f"It is {choice}."
    return odds(1 / (1 + math.exp(worths[1] - worths[0] - 0.3)))


def always_a(message, choice):
    return odds(0.8) if "# Response B" in message else f"It is {choice}."


def over_http(folder, server, more=""):
    judge = 'kind = "pairs_search"\n' + more
    recipe(folder, server, judge, 'kind = "ranked"', "[gates]\nmin_pairs = 0")


def test_probabilities_over_http_rank_exactly_within_the_bound(tmp_path):
    with JudgeServer(knows) as server:
        over_http(tmp_path, server)
        outcome, _ = run(tmp_path)
        asked = [body for body in server.asked if body.get("max_tokens") == 1]
    judgments = published(outcome, "judgments")
    assert len(asked) == sum(row["comparison_id"] is not None for row in judgments)
    assert len(asked) <= PROMPTS * K * 3 * BOTH_ORDERS
    assert {(body["logprobs"], body["top_logprobs"]) for body in asked} == {(True, 20)}
    text = {row["response_id"]: row["text"] for row in published(outcome, "responses")}
    ranks = {(text[row["response_id"]], row["rank"]) for row in judgments if row["rank"]}
    assert ranks == {(f"It is {K - rank}.", rank) for rank in range(1, K + 1)}
    assert len(published(outcome, "pairs")) == PROMPTS * (K - 1)


def test_a_judge_that_always_says_a_makes_no_pair_over_http(tmp_path):
    with JudgeServer(always_a) as server:
        over_http(tmp_path, server)
        outcome, _ = run(tmp_path)
    judgments = published(outcome, "judgments")
    assert {row["rank"] for row in judgments if row["response_id"]} == {1}
    assert {(row["shown_order"], row["p_a"]) for row in judgments if row["comparison_id"]} == {
        ("AB", 0.8),
        ("BA", 0.2),
    }
    assert published(outcome, "pairs") == []
