import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelines.backend import REWARDING, Completion
from pipelines.errors import RecipeError
from pipelines.judges.reward_model import RewardModel
from pipelines.part import Where, load_part
from pipelines.planning.plan import make_plan
from pipelines.publishing.store import Store
from schemas.rows import Message, Prompt, Response, ToolCall, prompt_id
from tests.builds import published, read, run, write_questions, write_recipe
from tests.reward_server import RewardServer, by_length

WHERE = Where("r.toml", "[[judges]] reward_model", Path())
RECIPE = """
name = "rewarded"

[sources.questions]
kind = "jsonl"
path = "questions.jsonl"

[prompts]
text = "question"
key = "id"

[models.policy]
kind = "scripted"
rules = [{{ match = '(\\d+) and 1', answers = ['\\1 and one more', 'It is \\1.', 'No idea'] }}]

[models.rm]
kind = "reward_api"
base_url = "{url}"
identity = "rm@1"
prices = {{ input = 10, output = 0 }}

[[samplers]]
kind = "independent"
model = "policy"
n = 4
sampling = {{ temperature = 1.0 }}

[[judges]]
kind = "reward_model"
model = "rm"

[[pairings]]
kind = "best_worst"
"""
SECOND = """
extends = "recipe.toml"

[models.other]
kind = "reward_api"
base_url = "{url}"
identity = "rm@2"

[[judges]]
kind = "reward_model"
model = "rm"

[[judges]]
kind = "reward_model"
name = "other"
model = "other"
"""


def load(**fields: Any) -> RewardModel:
    judge = load_part("judges", {"kind": "reward_model", "model": "rm", **fields}, WHERE)
    assert isinstance(judge, RewardModel)
    return judge


async def test_a_score_is_the_number_to_the_last_bit(
    make_unit: Any, model: Any, prompt: Any, respond: Any
) -> None:
    asked = prompt("Q")
    rewards = {"a": 0.1 + 0.2, "b": -1e-12}
    unit = make_unit(
        asked, model("rm", lambda request, _: repr(rewards[request.messages[-1].content]))
    )
    rows = await load().judge(unit, [respond(asked, text, text) for text in "ab"])
    assert [(row.response_id, row.score) for row in rows] == list(rewards.items())
    assert [row.raw for row in rows] == ["0.30000000000000004", "-1e-12"]
    assert {row.error for row in rows} == {None}


async def test_the_model_reads_the_conversation_with_the_response_as_its_end(
    make_unit: Any, model: Any
) -> None:
    messages = (Message("user", "One?"), Message("assistant", "Two"), Message("user", "Three?"))
    asked = Prompt(prompt_id(messages, "[1]"), messages, tools="[1]")
    calls = (ToolCall("c1", "add", "{}"),)
    said = Response("r1", asked.prompt_id, "Four", "m", "m", "s", tool_calls=calls)
    rm = model("rm", lambda *_: "1.0")
    await load(system="Solve.").judge(make_unit(asked, rm), [said])
    [request] = rm.asked
    assert (request.sampling, request.tools) == (REWARDING, "[1]")
    answer = Message("assistant", "Four", tool_calls=calls)
    assert request.messages == (Message("system", "Solve."), *messages, answer)


async def test_a_prompts_own_system_message_stays(make_unit: Any, model: Any, respond: Any) -> None:
    messages = (Message("system", "Own."), Message("user", "Q"))
    asked = Prompt(prompt_id(messages), messages)
    rm = model("rm", lambda *_: "1.0")
    await load(system="Solve.").judge(make_unit(asked, rm), [respond(asked, "A", "r1")])
    assert [one.content for one in rm.asked[0].messages] == ["Own.", "Q", "A"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("nan", "the reply has no number that a score can be"),
        ("-inf", "the reply has no number that a score can be"),
        ("1e+300", "the reply has no number that a score can be"),
        ('no number at /score: "Rating: 10"', "the reply has no number that a score can be"),
        (Completion(None), "the reply has no number that a score can be"),
        ("10.5", "outside the scale 0 to 10"),
        ("-0.001", "outside the scale 0 to 10"),
        (Completion(None, error="too long", status=400), "the endpoint refused the request: too"),
    ],
)
async def test_what_is_no_score_is_unread_and_keeps_what_was_there(
    make_unit: Any, model: Any, prompt: Any, respond: Any, answer: Any, error: str
) -> None:
    asked = prompt("Q")
    unit = make_unit(asked, model("rm", lambda *_: answer))
    judge = load(scale=(Decimal(0), Decimal(10)))
    [row] = await judge.judge(unit, [respond(asked, "A", "r1")])
    assert row.score is None
    assert row.raw == (answer if isinstance(answer, str) else answer.text)
    assert str(row.error).startswith(error)


async def test_a_response_without_a_text_is_not_asked_about(
    make_unit: Any, model: Any, prompt: Any, respond: Any
) -> None:
    asked, rm = prompt("Q"), model("rm", lambda *_: "1.0")
    none = [respond(asked, text, f"r{number}") for number, text in enumerate(["", " \n", None])]
    assert await load().judge(make_unit(asked, rm), none) == []
    assert rm.asked == []


@pytest.fixture
def server() -> Iterator[RewardServer]:
    with RewardServer() as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, server: RewardServer) -> Path:
    """A recipe with one reward model behind `server`, and another with two of them."""
    write_questions(tmp_path, range(20))
    write_recipe(tmp_path, RECIPE.format(url=server.url))
    (tmp_path / "second.toml").write_text(SECOND.format(url=server.url))
    return tmp_path


def texts(server: RewardServer) -> list[tuple[str, str]]:
    """Prompt and response of each call."""
    bodies = [json.loads(body)["messages"] for _, body in server.asked]
    return [(asked["content"], said["content"]) for asked, said in bodies]


def test_each_response_costs_one_call_and_none_again(folder: Path, server: RewardServer) -> None:
    outcome, meter = run(folder)
    responses = published(outcome, "responses")
    distinct = {(row["prompt_id"], row["text"]) for row in responses}
    assert len(server.asked) == len(set(texts(server))) == len(distinct) < len(responses)
    judgments = published(outcome, "judgments")
    said = {row["response_id"]: row["text"] for row in responses}
    assert len(judgments) == len(responses) == 80
    assert all(row["score"] == len(said[row["response_id"]]) / 8 for row in judgments)
    pairs = published(outcome, "pairs")
    assert pairs
    lengths = [[len(row[side][0]["content"]) for side in ("chosen", "rejected")] for row in pairs]
    assert all(chosen > rejected for chosen, rejected in lengths)
    spend = meter.spend["rm"]
    words = sum(len(text.split()) for call in texts(server) for text in call)
    assert (spend.calls, spend.prompt_tokens, spend.completion_tokens) == (len(distinct), words, 0)
    assert spend.money == pytest.approx(words * 10 / 1e6)


def test_the_same_recipe_again_calls_nobody(folder: Path, server: RewardServer) -> None:
    run(folder)
    server.asked.clear()
    outcome, meter = run(folder)
    assert (server.asked, meter.calls, outcome.published) == ([], 0, False)


def test_a_second_judge_later_costs_its_own_calls_alone(folder: Path, server: RewardServer) -> None:
    first, _ = run(folder)
    bought = texts(server)
    server.asked.clear()
    (folder / "recipe.toml").rename(folder / "first.toml")
    (folder / "recipe.toml").write_text(
        (folder / "second.toml").read_text().replace('"recipe.toml"', '"first.toml"')
    )
    second, meter = run(folder)
    assert sorted(texts(server)) == sorted(bought)
    assert {json.loads(body)["model"] for _, body in server.asked} == {"other"}
    assert meter.calls == len(server.asked)
    kept = [row for row in published(second, "judgments") if row["judge"] == "reward_model"]
    assert kept == published(first, "judgments")
    assert len(published(second, "judgments")) == 2 * len(kept)


def test_a_reply_without_a_number_is_an_unread_row_beside_its_neighbours(
    folder: Path, server: RewardServer
) -> None:
    def gives_up(body: dict[str, Any]) -> Any:
        no_idea = body["messages"][-1]["content"] == "No idea"
        return {"data": [{"data": [None]}]} if no_idea else by_length(body)

    server.rule = gives_up
    outcome, _ = run(folder, "gates.min_read_share=0")
    said = {row["response_id"]: row["text"] for row in published(outcome, "responses")}
    for row in published(outcome, "judgments"):
        read = said[row["response_id"]] != "No idea"
        assert (row["score"] is not None) == (row["error"] is None) == read
        assert read or row["raw"] == "no number at /data/0/data: null"
    assert "No idea" in said.values()


def test_a_plan_counts_the_calls_and_no_token_of_an_answer(
    folder: Path, server: RewardServer
) -> None:
    plan = make_plan(read(folder), Store(folder / "store"))
    [part] = [one for one in plan.parts if one.model == "rm"]
    assert (part.calls.value, part.completion_tokens.value) == (80, 0)
    assert part.money is not None
    assert part.money.value == pytest.approx(part.prompt_tokens.value * 10 / 1e6)
    assert server.asked == []


def test_a_model_that_gives_no_reward_is_refused_before_any_call(
    folder: Path, server: RewardServer
) -> None:
    with pytest.raises(RecipeError, match=r"models.rm is no reward model"):
        read(folder, "models.rm.kind=openai_api")
    with pytest.raises(RecipeError, match=r"samplers.*models.rm is a reward model"):
        read(folder, "samplers.0.model=rm")
    assert server.asked == []
