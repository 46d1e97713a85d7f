"""Exactly N pairs: which prompts are drawn, which pairs are kept, and what more of them costs."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipelines.build import Outcome
from pipelines.errors import RecipeError
from schemas.canonical import draw_unit
from schemas.rows import Message, prompt_id
from tests.builds import OVER_HTTP, published, read, run, write_questions, write_recipe
from tests.pipelines.running.test_shard import in_shards
from tools.chat_server import ChatServer

SEED = 7

RECORDED = f"""
name = "trial"
seed = {SEED}

[sources.answers]
kind = "jsonl"
path = "answers.jsonl"

[prompts]
text = "question"
key = "question"

[[samplers]]
kind = "recorded"
prompt = "question"
text = "answer"
key = "id"

[[judges]]
kind = "recorded"
response = "id"
score = "score"

[[pairings]]
kind = "all_pairs"

[exactly]
pairs = 4
prompts_per_round = 3
"""


def question(number: int) -> str:
    return f"Question {number}?"


def place(number: int) -> float:
    """Where a question stands among others."""
    return draw_unit(SEED, "exactly", prompt_id((Message("user", question(number)),)))


def order(prompts: int) -> list[int]:
    return sorted(range(prompts), key=place)


def write_answers(folder: Path, pairs_of: Sequence[int]) -> None:
    """Recorded answers, of which the question at each place of the order gives so many pairs."""
    rows = []
    for at, number in enumerate(order(len(pairs_of))):
        scores = [5, *([1] * pairs_of[at] or [5])]  # equal scores make no pair
        rows += [
            {"question": question(number), "id": f"{number}.{n}", "answer": f"{n}!", "score": score}
            for n, score in enumerate(scores)
        ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "answers.jsonl").write_text(text, encoding="utf-8")


def drawn(outcome: Outcome) -> set[int]:
    """Numbers of the questions that were drawn."""
    texts = (row["messages"][0]["content"] for row in published(outcome, "prompts"))
    return {int(text.split()[1].rstrip("?")) for text in texts}


def kept(outcome: Outcome) -> list[int]:
    """The question of each kept pair, sorted by its place in the order."""
    texts = (row["prompt"][0]["content"] for row in published(outcome, "pairs"))
    return sorted((int(text.split()[1].rstrip("?")) for text in texts), key=place)


def steps(outcome: Outcome) -> dict[tuple[str, str], tuple[int, int, dict[str, int]]]:
    assert outcome.manifest is not None
    counts = outcome.manifest.counts
    return {(one.step, one.level): (one.in_, one.kept, one.reasons) for one in counts}


#          round 1   round 2   round 3   round 4
PATTERN = (1, 0, 0,  0, 2, 0,  0, 3, 1,  1, 1, 1)  # fmt: skip
"""Pairs of the prompt at each place: 1, 3, 7 and 10 after the rounds."""


def test_rounds_are_drawn_until_there_are_enough_pairs_and_those_of_the_first_prompts_stay(
    tmp_path: Path,
) -> None:
    write_answers(tmp_path, PATTERN)
    write_recipe(tmp_path, RECORDED)
    places = order(len(PATTERN))
    outcome, meter = run(tmp_path)
    assert drawn(outcome) == set(places[:9])
    assert kept(outcome) == [places[0], places[4], places[4], places[7]]
    assert steps(outcome)["exactly", "prompts"] == (12, 9, {"not_needed": 3})
    assert steps(outcome)["exactly", "pairs"] == (7, 4, {"not_needed": 3})
    assert (meter.units, meter.units_done, outcome.missing) == (9, 9, 0)
    stay = {row["pair_id"]: row["prompt_id"] for row in published(outcome, "pairs")}
    drops = [row for row in published(outcome, "drops") if row["reason"] == "not_needed"]
    gone = {row["id"]: row["prompt_id"] for row in drops}
    assert len(gone) == 3
    (divided,) = set(stay.values()) & set(gone.values())
    ids = [[pair for pair in of if of[pair] == divided] for of in (stay, gone)]
    assert max(ids[0]) < min(ids[1])


@pytest.mark.parametrize(("pairs", "rounds"), [(1, 1), (3, 2), (7, 3), (8, 4), (10, 4)])
def test_no_round_is_drawn_that_is_not_needed(tmp_path: Path, pairs: int, rounds: int) -> None:
    write_answers(tmp_path, PATTERN)
    write_recipe(tmp_path, RECORDED)
    outcome, _ = run(tmp_path, f"exactly.pairs={pairs}")
    assert drawn(outcome) == set(order(len(PATTERN))[: 3 * rounds])
    assert len(kept(outcome)) == pairs


def test_prompts_that_run_out_publish_nothing_and_say_so(tmp_path: Path) -> None:
    write_answers(tmp_path, PATTERN)
    write_recipe(tmp_path, RECORDED)
    short, _ = run(tmp_path, "exactly.pairs=11")
    assert short.version is None
    assert short.missing == 1
    assert short.failures == ["11 pairs are wanted, and 12 prompts, which is all of them, gave 10"]
    outcome, _ = run(tmp_path, "exactly.pairs=11", "exactly.on_limit='publish'")
    assert len(kept(outcome)) == 10
    assert outcome.missing == 1
    assert ("exactly", "prompts") not in steps(outcome)


def test_a_selector_that_shrinks_what_came_before_draws_on(tmp_path: Path) -> None:
    """Half of 1, 3, 7, 10 pairs are 0, 1, 3, 5."""
    write_answers(tmp_path, PATTERN)
    write_recipe(tmp_path, RECORDED)
    half = "selectors=[{kind='sample',fraction=0.5}]"
    outcome, _ = run(tmp_path, half, "exactly.pairs=3")
    assert len(drawn(outcome)) == 9
    assert len(kept(outcome)) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (["exactly.pairs=0"], "pairs: a number of at least 1 is wanted, not 0"),
        (["exactly.prompts_per_round=0"], "prompts_per_round: a number of at least 1"),
        (["selectors=[{kind='sample',n=3}]"], "selectors.sample keeps 3 at the most"),
        (["gates.min_pairs=5"], "gates.min_pairs is 5, and exactly.pairs 4"),
        (["exactly.more_samples.most=9"], "no sampler of the recipe has one"),
    ],
)
def test_what_can_never_be_is_refused(tmp_path: Path, change: list[str], said: str) -> None:
    write_answers(tmp_path, PATTERN)
    write_recipe(tmp_path, RECORDED)
    with pytest.raises(RecipeError, match=re.escape(said)):
        read(tmp_path, *change)


@pytest.mark.parametrize("kind", ["negatively_correlated", "system_messages", "mcts"])
def test_only_an_n_that_adds_to_what_there_is_can_be_raised(tmp_path: Path, kind: str) -> None:
    """A set of four is no set of three and one more: it would be paid anew, or break off."""
    write_recipe(tmp_path, OVER_HTTP.format(url="http://127.0.0.1:9"))
    write_questions(tmp_path, range(2))
    with pytest.raises(RecipeError, match=r"more_samples\.sampler.*has one that only adds"):
        read(
            tmp_path,
            f"samplers=[{{kind='{kind}',model='policy'}}]",
            "pairings.0.kind='all_pairs'",
            "exactly.pairs=4",
            "exactly.more_samples.most=9",
        )


def test_one_pair_of_each_of_too_few_prompts_is_refused_before_any_call(tmp_path: Path) -> None:
    write_answers(tmp_path, PATTERN)
    write_recipe(tmp_path, RECORDED)
    one = "selectors=[{kind='one_per_prompt'}]"
    with pytest.raises(RecipeError, match="one_per_prompt keeps 12 of 12 prompts"):
        run(tmp_path, one, "exactly.pairs=13")
    assert len(kept(run(tmp_path, one)[0])) == 4


EXACTLY = "\n[exactly]\npairs = 12\nprompts_per_round = 8\n"
PAID = 8  # samples of a prompt: four answers, and a judgment of each


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    write_questions(tmp_path, range(60))
    return tmp_path


def at(server: ChatServer, folder: Path) -> Path:
    write_recipe(folder, OVER_HTTP.format(url=server.url) + EXACTLY)
    return folder


def digest(outcome: Outcome) -> str:
    assert outcome.manifest is not None
    return outcome.manifest.content_digest


def test_arrival_and_shards_change_nothing_and_more_pairs_cost_the_difference(trial: Path) -> None:
    with ChatServer(latency_ms=(1.0, 40.0)) as server:
        first, meter = run(at(server, trial))
        few = len(published(first, "prompts"))
        assert len(published(first, "pairs")) == 12
        assert few % 8 == 0
        assert few < 60
        assert meter.samples_paid == few * PAID
        more, meter = run(trial, "exactly.pairs=24")
        many = len(published(more, "prompts"))
        assert len(published(more, "pairs")) == 24
        assert meter.samples_paid == (many - few) * PAID
    chosen = {row["pair_id"] for row in published(first, "pairs")}
    assert chosen < {row["pair_id"] for row in published(more, "pairs")}
    with ChatServer() as server:
        again, _ = run(at(server, trial), store="other")
        sharded, _ = in_shards(trial, 3)
    assert digest(first) == digest(again) == digest(sharded)


def test_where_prompts_run_out_their_samples_are_raised(trial: Path) -> None:
    write_questions(trial, range(12))
    wanted = ("exactly.pairs=13", "pairings.0.kind='all_pairs'", "filters.margin.min=8")
    more = ("exactly.more_samples.step=2", "exactly.more_samples.most=8")
    with ChatServer() as server:
        short, meter = run(at(server, trial), *wanted)
        assert short.missing > 0
        assert meter.samples_paid == 12 * PAID
        outcome, meter = run(trial, *wanted, *more)
        again, replayed = run(trial, *wanted, *more, store="other")
    assert len(published(outcome, "pairs")) == 13
    answers = [row["prompt_id"] for row in published(outcome, "responses")]
    counts = {answers.count(one) for one in answers}
    assert counts <= {4, 6, 8}
    assert max(counts) > 4
    assert meter.samples_paid == 2 * (len(answers) - 12 * 4)  # and a judgment of each
    assert digest(again) == digest(outcome)
    assert replayed.samples_paid == 12 * PAID + meter.samples_paid


def test_a_budget_that_ends_first_says_so_and_the_next_run_goes_on(trial: Path) -> None:
    with ChatServer() as server:
        stopped, _ = run(at(server, trial), "budget.calls=30")
        assert stopped.version is None
        assert stopped.budget_reached
        assert 0 < stopped.missing <= 12
        assert server.stats()["requests"] == 30
        done, _ = run(trial)
        whole, _ = run(trial, store="other")
        partial, _ = run(trial, "budget.calls=30", "budget.on_limit='publish'", store="third")
    assert digest(done) == digest(whole)
    assert partial.published
    assert partial.missing == 12 - len(published(partial, "pairs"))
    assert steps(partial)["exactly", "prompts"] == (60, 8, {"budget_reached": 52})


BUILD = "from tests.builds import run; from pathlib import Path; import sys; run(Path(sys.argv[1]))"


def test_a_build_that_is_killed_between_rounds_comes_out_the_same_for_the_same_calls(
    trial: Path,
) -> None:
    with ChatServer(latency_ms=(20.0, 60.0)) as server:
        whole, _ = run(at(server, trial), "exactly.pairs=24", store="whole")
        calls = server.stats()["completions"]
        server.reset()
        write_recipe(trial, (trial / "recipe.toml").read_text().replace("= 12", "= 24"))
        for least in (calls // 4, calls // 2):
            child = subprocess.Popen([sys.executable, "-c", BUILD, str(trial)])
            until = time.monotonic() + 60
            while server.stats()["completions"] < least and time.monotonic() < until:
                time.sleep(0.02)
            child.send_signal(signal.SIGKILL)
            assert child.wait(30) == -signal.SIGKILL
        finished, meter = run(trial)
        served = server.stats()
    assert digest(finished) == digest(whole)
    assert meter.samples_replayed > 0
    assert served["completions"] - served["paid_twice"] == calls


def test_more_samples_that_the_budget_breaks_off_leave_what_there_was(trial: Path) -> None:
    write_questions(trial, range(12))
    wanted = ("exactly.pairs=40", "pairings.0.kind='all_pairs'", "filters.margin.min=8")
    more = ("exactly.more_samples.most=8", "budget.calls=9", "budget.on_limit='publish'")
    with ChatServer() as server:
        run(at(server, trial), *wanted)
        plain, _ = run(trial, *wanted, "exactly.on_limit='publish'")
        broken, meter = run(trial, *wanted, *more)
    assert meter.calls == 9
    assert broken.budget_reached
    assert broken.missing == 40 - len(published(broken, "pairs"))
    for table in ("prompts", "responses", "pairs"):
        assert published(broken, table) == published(plain, table), table
    assert steps(broken)["sampling", "prompts"] == (12, 12, {})
