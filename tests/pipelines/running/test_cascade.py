"""A strong judge is asked only where a cheap one is unsure: counted at a real server."""

from collections import defaultdict
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from flows.texts.plan import plan_text
from pipelines import judge as contract
from pipelines.backend import Completion
from pipelines.build import Outcome
from pipelines.errors import RecipeError
from pipelines.part import Where, kinds, load_part, part_class
from pipelines.planning.plan import make_plan
from pipelines.publishing.passed_over import with_counts
from pipelines.publishing.store import Store
from pipelines.running.cascade import ask_judges, calls_of
from pipelines.unit import OwedError
from schemas.version import Judge, Manifest
from tests.builds import OVER_HTTP, published, read, run, write_questions, write_recipe
from tests.pipelines.running.test_shard import in_shards
from tests.pipelines.test_arrival import WHERE, load
from tools.chat_server import ChatServer

MODELS = OVER_HTTP.partition("[[judges]]")[0].replace(
    "[models.critic]",
    '[models.expert]\nkind = "openai_api"\nbase_url = "{url}"\nidentity = "loopback"\n\n'
    "[models.critic]",
)
SELECTION = """
[score]
combine = "first"
judges = ["strong", "cheap"]

[[pairings]]
kind = "best_worst"
"""
RATINGS = f"""{MODELS}
[[judges]]
name = "strong"
kind = "rating"
model = "expert"
when = {{{{ judge = "cheap", {{when}} }}}}

[[judges]]
name = "cheap"
kind = "rating"
model = "critic"
{SELECTION}"""
PROMPTS, RESPONSES = 40, 4


@pytest.fixture
def trial(tmp_path: Path) -> Path:
    write_questions(tmp_path, range(PROMPTS))
    return tmp_path


def recipe(folder: Path, server: ChatServer, when: str, text: str = RATINGS) -> None:
    write_recipe(folder, text.format(url=server.url, when=when))


def scores(outcome: Outcome, judge: str) -> dict[str, dict[str, float]]:
    """Prompt -> response -> score, of one judge."""
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for row in published(outcome, "judgments"):
        if row["judge"] == judge and row["score"] is not None:
            found[row["prompt_id"]][row["response_id"]] = row["score"]
    return found


def notes(outcome: Outcome, judge: str = "strong") -> dict[str, Any]:
    assert outcome.manifest is not None
    return outcome.manifest.judges[judge].notes


def unsure(of_cheap: dict[str, dict[str, float]], below: float) -> set[str]:
    """The prompts whose best two scores are less than `below` apart, worked out in SQL's manner."""
    ranked = {prompt: sorted(own.values(), reverse=True) for prompt, own in of_cheap.items()}
    return {prompt for prompt, (best, second, *_) in ranked.items() if best - second < below}


def test_the_strong_judge_is_called_only_where_the_cheap_one_is_unsure(trial: Path) -> None:
    with ChatServer() as server:
        recipe(trial, server, "margin_below = 2")
        outcome, _ = run(trial)
        served = server.stats()["requests"]
    asked = unsure(scores(outcome, "cheap"), 2)
    assert 5 < len(asked) < 35
    assert scores(outcome, "strong").keys() == asked
    assert served == PROMPTS * (1 + RESPONSES) + RESPONSES * len(asked)
    assert (
        notes(outcome).items()
        >= {
            "calls saved": RESPONSES * (PROMPTS - len(asked)),
            "prompts asked": len(asked),
            "prompts passed over": PROMPTS - len(asked),
            "responses passed over": RESPONSES * (PROMPTS - len(asked)),
            "unsure: margin": len(asked),
        }.items()
    )


def test_another_threshold_buys_only_the_difference(trial: Path) -> None:
    with ChatServer() as server:
        recipe(trial, server, "margin_below = 2")
        narrow, _ = run(trial)
        recipe(trial, server, "margin_below = 4")
        wide, meter = run(trial)
        more = unsure(scores(wide, "cheap"), 4) - unsure(scores(wide, "cheap"), 2)
        assert more
        assert meter.samples_paid == RESPONSES * len(more)
        recipe(trial, server, "margin_below = 2")
        again, meter = run(trial)
    assert meter.samples_paid == 0
    assert again.manifest is not None
    assert narrow.manifest is not None
    assert again.manifest.content_digest == narrow.manifest.content_digest
    assert notes(again) == notes(narrow)


def test_a_build_that_failed_goes_on_where_it_was(trial: Path) -> None:
    with ChatServer(e500=0.5) as server:
        recipe(trial, server, "margin_below = 2")
        overrides = [f"models.{name}.max_tries=1" for name in ("policy", "critic", "expert")]
        runs = []
        for _ in range(30):
            outcome, meter = run(trial, *overrides)
            runs.append(meter.samples_paid)
            if outcome.version is not None:
                break
        served = server.stats()
    assert len(runs) > 1
    asked = unsure(scores(outcome, "cheap"), 2)
    assert sum(runs) == PROMPTS * 2 * RESPONSES + RESPONSES * len(asked)
    assert served["paid_twice"] == 0
    assert notes(outcome)["prompts asked"] == len(asked)


def test_a_plan_says_what_the_cascade_saves_and_a_build_then_calls_as_much(trial: Path) -> None:
    with ChatServer() as server:
        recipe(trial, server, "margin_below = 2")
        built, _ = run(trial)
        asked = unsure(scores(built, "cheap"), 2)
        plan = make_plan(read(trial), Store(trial / "store"))
        assert not plan.parts
        assert plan.spared["strong"].value == RESPONSES * (PROMPTS - len(asked))
        recipe(trial, server, "margin_below = 9")
        planned = make_plan(read(trial), Store(trial / "store"))
        _, meter = run(trial)
    assert sum(part.calls.value for part in planned.parts) == meter.calls


def test_a_plan_guesses_from_a_pilot_and_knows_that_it_does(trial: Path) -> None:
    write_questions(trial, range(160))
    with ChatServer() as server:
        recipe(trial, server, "margin_below = 2")
        blind = make_plan(read(trial), Store(trial / "store"))
        piloted = make_plan(read(trial), Store(trial / "store"), pilot=40)
        outcome, meter = run(trial)
    assert blind.spared["strong"].plus_minus is None
    assert "`--pilot 20` tells what its `when` saves" in plan_text(blind, read(trial))
    [planned] = [part for part in piloted.parts if part.part == "judges.strong"]
    paid, saved = meter.spend["expert"].calls, piloted.spared["strong"]
    assert planned.calls.plus_minus is not None
    assert saved.plus_minus is not None
    assert 0 < abs(planned.calls.value - paid) < planned.calls.plus_minus
    assert abs(saved.value - notes(outcome)["calls saved"]) < saved.plus_minus
    assert "its `when` saves" in plan_text(piloted, read(trial))


def test_extremes_are_judged_anew_and_what_is_inverted_is_swapped_and_counted(trial: Path) -> None:
    with ChatServer() as server:
        recipe(trial, server, 'of = "extremes"')
        outcome, _ = run(trial)
        served = server.stats()["requests"]
    student, teacher = scores(outcome, "cheap"), scores(outcome, "strong")
    signs = []
    for prompt, own in student.items():
        best = min(own, key=lambda name: (-own[name], name))
        worst = min(own.keys() - {best}, key=lambda name: (own[name], name))
        assert teacher[prompt].keys() == {best, worst}
        signs.append((best, worst, teacher[prompt][best] - teacher[prompt][worst]))
    assert served == PROMPTS * (1 + RESPONSES + 2)
    told = notes(outcome)
    assert told["calls saved"] == PROMPTS * (RESPONSES - 2)
    assert told["agreed"] == sum(sign > 0 for *_, sign in signs)
    assert told["inverted"] == sum(sign < 0 for *_, sign in signs) > 0
    assert told["tied"] == sum(sign == 0 for *_, sign in signs)
    pairs = {
        (row["chosen_response_id"], row["rejected_response_id"])
        for row in published(outcome, "pairs")
    }
    assert pairs == {
        (best, worst) if sign > 0 else (worst, best) for best, worst, sign in signs if sign
    }


COMPARED = f"""{MODELS}
[[judges]]
name = "strong"
kind = "pairwise"
model = "expert"
pairs = "all"
when = {{{{ judge = "cheap", {{when}} }}}}

[[judges]]
name = "cheap"
kind = "pairwise"
model = "critic"
pairs = "adjacent"

[[pairings]]
kind = "compared"
"""


def test_judges_of_comparisons_make_a_cascade_too(trial: Path) -> None:
    with ChatServer() as server:
        recipe(trial, server, "even_within = 0", COMPARED)
        outcome, _ = run(trial, "samplers.independent.n=2")
        served = server.stats()["requests"]
    verdicts = defaultdict(list)
    for row in published(outcome, "judgments"):
        if row["judge"] == "cheap":
            verdicts[row["prompt_id"]].append(row["verdict"])
    split = {prompt for prompt, said in verdicts.items() if sorted(said) not in _SURE}
    asked = {row["prompt_id"] for row in published(outcome, "judgments") if row["judge"] != "cheap"}
    assert asked == split
    assert 5 < len(asked) < 35
    assert served == PROMPTS * (1 + 2) + 2 * len(asked)
    assert notes(outcome)["calls saved"] == 2 * (PROMPTS - len(asked))
    assert notes(outcome)["unsure: even"] == len(asked)
    assert notes(outcome)["votes"] == len(asked)  # beside what a judge of comparisons tells anyway


_SURE = (["a", "a"], ["b", "b"], ["a", "tie"], ["b", "tie"])


def test_neither_latency_nor_shards_change_a_byte_or_a_count(trial: Path) -> None:
    built = []
    for number, latency in enumerate([(0.0,), (0.0, 40.0)]):
        with ChatServer(latency_ms=latency) as server:
            recipe(trial, server, 'of = "extremes", margin_below = 4')
            outcome, _ = run(trial, store=f"store{number}")
            built.append(outcome.manifest)
    first, second = built
    assert first is not None
    assert second is not None
    assert first.content_digest == second.content_digest
    assert first.judges == second.judges
    assert list(first.judges["strong"].notes) == list(second.judges["strong"].notes)
    with ChatServer() as server:
        recipe(trial, server, 'of = "extremes", margin_below = 4')
        third = in_shards(trial, 3)[0].manifest
    assert third is not None
    assert third.content_digest == first.content_digest
    assert third.judges == first.judges


def test_counts_of_shards_add_up_beside_the_other_notes() -> None:
    judge = Judge(identity="i", asked=3, read=3, notes={"votes": 3})
    manifest = Manifest(
        name="m", recipe_fingerprint="", content_digest="", seed=0, files={}, schema_hashes={},
        judges={"strong": judge}, code_version="0",
    )  # fmt: skip
    shards = [{"strong": {"calls saved": 2}}, {}, {"strong": {"calls saved": 3}, "more": {"x": 1}}]
    found = with_counts(manifest, shards).judges
    assert found["strong"].notes == {"votes": 3, "calls saved": 5}
    assert (found["more"].asked, found["more"].notes) == (0, {"x": 1})
    assert with_counts(manifest, [{}]) == manifest


async def test_several_samples_that_one_request_asks_for_are_one_call(
    make_unit: Callable[..., Any],
    model: Callable[..., Any],
    prompt: Callable[..., Any],
    respond: Callable[..., Any],
) -> None:
    asked = prompt("How many?")
    responses = [respond(asked, text, text) for text in ("five", "eight", "eleven")]
    sampled = {"samples": 4, "sampling": {"temperature": 1.0}}
    judges = [
        _judge("cheap"),
        _judge("strong", when={"judge": "cheap", "spread_above": 9}, **sampled),
    ]
    for max_n, calls in ((8, 3), (3, 6), (1, 12)):
        models = [model(name, _rates, max_n=max_n) for name in ("cheap", "strong")]
        judged = await ask_judges(make_unit(asked, *models, ledger=f"{max_n}"), judges, responses)
        assert judged.counts["strong"]["calls saved"] == calls
        always = await _judge("strong", **sampled).judge(
            make_unit(asked, *models, ledger=f"{max_n}"), responses
        )
        assert len(always) == 12
        assert len(models[1].asked) == calls  # what it says is saved is what it would have called


def writes(kind: str) -> bool:
    """Whether a judge reads what a model writes, and so has a specimen of it."""
    return part_class("judges", kind, WHERE)[0].specimen is not contract.Judge.specimen


@pytest.mark.parametrize("kind", [kind for kind in kinds("judges") if writes(kind)])
async def test_what_a_judge_on_the_shelf_is_spared_is_what_it_calls(
    kind: str,
    make_unit: Callable[..., Any],
    model: Callable[..., Any],
    prompt: Callable[..., Any],
    respond: Callable[..., Any],
) -> None:
    """As far as it can be told beforehand: a judge that can read every reply at once."""
    judge = load("judges", kind)
    asked = prompt("How many?", reference="4")
    responses = [respond(asked, f"#### {number}", f"r{number}") for number in (3, 4, 5)]
    [name] = judge.models()
    obedient = model(name, lambda *_: judge.specimen(), max_n=1)
    unit = make_unit(asked, obedient)
    spared = await calls_of(unit, judge, responses)
    assert obedient.asked == []
    await judge.judge(unit, responses)
    assert spared == len(obedient.asked) > 0


def test_a_judge_that_is_never_asked_makes_no_call_and_is_told_of_all_the_same(trial: Path) -> None:
    with ChatServer() as server:
        recipe(trial, server, "spread_above = 9")
        outcome, _ = run(trial, "score.judges=['cheap', 'strong']")
        assert server.stats()["requests"] == PROMPTS * (1 + RESPONSES)
    assert outcome.manifest is not None
    assert outcome.manifest.judges["strong"].asked == 0
    assert notes(outcome)["prompts passed over"] == PROMPTS


def _judge(name: str, **table: Any) -> Any:
    where = Where("recipe.toml", f"[[judges]] {name}", Path())
    return load_part("judges", {"kind": "rating", "name": name, "model": name, **table}, where)


def _rates(request: Any, _choice: int) -> Completion | str:
    return "Rating: 5" if "five" in request.messages[-1].content else "Rating: 8"


async def test_a_chain_of_three_is_asked_in_turn_whatever_their_order_in_the_recipe(
    make_unit: Callable[..., Any],
    model: Callable[..., Any],
    prompt: Callable[..., Any],
    respond: Callable[..., Any],
) -> None:
    asked = prompt("How many?")
    responses = [respond(asked, text, text) for text in ("five", "eight", "also eight")]
    chain = [
        _judge("first"),
        _judge("second", when={"judge": "first", "margin_below": 1}),
        _judge("third", when={"judge": "second", "of": "extremes"}),
    ]
    found = []
    for number, order in enumerate(permutations(chain)):
        models = [model(name, _rates, seed=number) for name in ("first", "second", "third")]
        unit = make_unit(asked, *models, ledger=f"{number}")
        judged = await ask_judges(unit, order, responses)
        assert [len(one.asked) for one in models] == [3, 3, 2]
        assert [row.judge for row in judged.judgments[:1]] == [order[0].name]
        found.append({row.judgment_id: row for row in judged.judgments})
        assert judged.counts["third"] == {
            "prompts asked": 1,
            "responses passed over": 1,
            "calls saved": 1,
            "agreed": 1,
        }
    assert all(rows == found[0] for rows in found)


async def test_what_the_first_judge_owes_the_unit_owes(
    make_unit: Callable[..., Any],
    model: Callable[..., Any],
    prompt: Callable[..., Any],
    respond: Callable[..., Any],
) -> None:
    asked = prompt("How many?")
    strong = model("strong", _rates)
    unit = make_unit(
        asked, model("cheap", lambda *_: (_ for _ in ()).throw(OwedError("x"))), strong
    )
    judges = [_judge("strong", when={"judge": "cheap", "margin_below": 1}), _judge("cheap")]
    with pytest.raises(OwedError):
        await ask_judges(unit, judges, [respond(asked, "five", "r")])
    assert strong.asked == []


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ('judge = "cheep", margin_below = 1', r'no such judge "cheep".*cheap'),
        ('judge = "strong", margin_below = 1', "waits for itself: strong after strong"),
        ("margin_below = 1", "when.*judge"),
    ],
)
def test_a_cascade_that_cannot_work_is_refused(trial: Path, when: str, words: str) -> None:
    text = RATINGS.replace('judge = "cheap", ', "")
    write_recipe(trial, text.format(url="http://127.0.0.1:1/v1", when=when))
    with pytest.raises(RecipeError, match=words):
        read(trial)


def test_judges_that_wait_for_each_other_are_refused(trial: Path) -> None:
    text = RATINGS.replace(
        'model = "critic"\n', 'model = "critic"\nwhen = {{ judge = "strong" }}\n'
    )
    write_recipe(trial, text.format(url="http://127.0.0.1:1/v1", when="unread = true"))
    with pytest.raises(RecipeError, match="waits for itself: strong after cheap after strong"):
        read(trial)
