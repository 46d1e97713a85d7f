"""Conversations of several turns: recorded ones with ranked replies, and ones with a simulated user."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from flows.options.shipped_recipes import find_recipe
from pipelines.build import Outcome, run_build
from pipelines.calls.meter import Meter
from pipelines.publishing.store import Store
from pipelines.querying.safe_sql import run_sql
from pipelines.recipe import read_recipe
from tools.chat_server import ChatServer


def ask(store: Path, query: str, name: str) -> list[tuple[Any, ...]]:
    with run_sql(Store(store), query, name) as rows:
        return [tuple(row.values()) for row in rows.read_all().to_pylist()]


def test_ranked_replies_of_oasst_make_every_pair_below_the_conversation_that_leads_there(
    tmp_path: Path, shared_data: Path
) -> None:
    import polars as pl

    meter = Meter()
    outcome = run_build(read_recipe(find_recipe("acceptance/oasst")), tmp_path, meter)
    assert outcome.published
    assert meter.calls == 0

    rows = pl.read_parquet(shared_data / "oasst_en100_tree_ranked.parquet").to_dicts()
    messages = {row["message_id"]: row for row in rows}
    replies: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["role"] == "assistant":
            replies.setdefault(row["parent"], []).append(row)
    wanted = {
        (_conversation(messages, asked), one["text"], other["text"], other["rank"] - one["rank"])
        for asked, below in replies.items()
        for one, other in combinations(
            sorted((row for row in below if row["rank"] is not None), key=lambda row: row["rank"]),
            2,
        )
    }
    pairs = ask(
        tmp_path,
        "SELECT prompt, chosen[1].content, rejected[1].content, score_margin FROM pairs",
        "oasst",
    )
    made = {
        (tuple((one["role"], one["content"]) for one in prompt), chosen, rejected, margin)
        for prompt, chosen, rejected, margin in pairs
    }
    assert made == wanted
    assert len(pairs) == len(wanted) == 754
    assert len(replies) == 254

    lengths = "SELECT len(prompt), count(*) FROM pairs GROUP BY 1 ORDER BY 1"
    assert ask(tmp_path, lengths, "oasst") == [(1, 438), (3, 312), (5, 4)]
    torn = """
        SELECT count(*) FROM (
            SELECT prompt_group_id FROM prompts JOIN pairs USING (prompt_id)
            GROUP BY 1 HAVING count(DISTINCT split) > 1
        )
    """
    assert ask(tmp_path, torn, "oasst") == [(0,)]


def _conversation(
    messages: dict[str, dict[str, Any]], asked: str | None
) -> tuple[tuple[str, str], ...]:
    """(role, text) from the root of a tree down to a message."""
    if asked is None:
        return ()
    row = messages[asked]
    role = "user" if row["role"] == "prompter" else "assistant"
    return (*_conversation(messages, row["parent"]), (role, row["text"]))


def build(name: str, store: Path, server: ChatServer, *settings: str) -> Outcome:
    """A build of a shipped recipe, whose models are all on `server`."""
    models = "policy", "user", "judge"
    long = "samplers.user_turn.sampling.max_tokens=4096"  # else the server cuts many turns off
    places = [long, *(f"models.{model}.base_url={server.url}" for model in models)]
    named = [f"models.{model}.identity={model}" for model in models]
    return run_build(read_recipe(find_recipe(name), [*places, *named, *settings]), store)


def test_the_next_turn_goes_on_along_the_chosen_answers_on_the_same_side_of_the_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    with ChatServer(bad_judge=0) as server:
        first = build("first_turn", tmp_path, server, "limit=40")
        paid = server.stats()["requests"]
        again = build("first_turn", tmp_path, server, "limit=40")
        assert server.stats()["requests"] == paid
        second = build("next_turn", tmp_path, server)
    assert first.published and second.published and not again.published

    turns = """
        SELECT count(*), count(DISTINCT turn.prompt_id), count(judgment_id), bool_and(partial),
            count(*) FILTER (turn.parent_id IN (SELECT chosen_response_id FROM pairs))
        FROM responses AS turn LEFT JOIN judgments USING (response_id)
        WHERE turn.relation = 'user_turn'
    """
    ((of_turns, prompts, judged, partial, along),) = ask(tmp_path, turns, "first_turn")
    assert (of_turns, prompts, judged, partial) == (40, 40, 0, True)
    ((pairs, conversations),) = ask(
        tmp_path, "SELECT count(*), count(DISTINCT prompt_id) FROM pairs", "first_turn"
    )
    assert along == pairs == conversations  # best_worst chooses what the user heard
    follows = """
        SELECT count(*), bool_and(len(later.messages) = 3),
            bool_and(later.messages[1].content = early.messages[1].content),
            bool_and(later.messages[2].content = pairs.chosen[1].content),
            bool_and(later.messages[3].content = turn.text),
            bool_and(later.split = early.split)
        FROM next_turn.prompts AS later
        JOIN first_turn.prompts AS early ON early.prompt_id = later.group_id
        JOIN first_turn.pairs AS pairs ON pairs.prompt_id = early.prompt_id
        JOIN first_turn.responses AS turn
            ON turn.prompt_id = early.prompt_id AND turn.relation = 'user_turn'
    """
    assert ask(tmp_path, follows, "next_turn") == [(along, *[True] * 5)]


CALLED = [
    {"role": "user", "content": "Weather in Bonn?", "name": "ada"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "name": "weather", "arguments": '{"city": "Bonn"}'}],
    },
    {"role": "tool", "content": "12 degrees", "tool_call_id": "c1", "name": "weather"},
]
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]


def test_the_next_turn_keeps_names_tools_and_their_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-test")
    row = {"id": 1, "talk": CALLED, "tools": TOOLS, "licence": "MIT", "lang": "en", "task": "qa"}
    (tmp_path / "talks.jsonl").write_text(json.dumps(row) + "\n")
    judge = 'models.judge={ kind = "scripted", default = "Rating: 2" }'
    models = (
        judge,
        'models.policy={ kind = "scripted", policy = "on", default = "It is 12 degrees." }',
        'models.user={ kind = "scripted", default = "And in Cologne?" }',
        'models.judge.rules=[{ match = "It is 12", answers = ["Rating: 9"] }]',
        "gates.min_pairs=0",
        "publish.report=false",
    )
    columns = 'tools = "tools", licence = "licence", lang = "lang", task = "task"'
    recipe = read_recipe(
        find_recipe("first_turn"),
        [
            f'sources.openings={{ kind = "jsonl", path = "{tmp_path}/talks.jsonl" }}',
            f'prompts=[{{ source = "openings", messages = "talk", {columns} }}]',
            'models.policy2={ kind = "scripted", policy = "on", default = "No idea." }',
            'samplers.independent.model=["policy", "policy2"]',
            *models,
        ],
    )
    assert run_build(recipe, tmp_path / "store").published
    assert run_build(read_recipe(find_recipe("next_turn"), models), tmp_path / "store").published
    fields = "messages, tools, license, lang, task"
    ((early, *of_first),) = ask(tmp_path / "store", f"SELECT {fields} FROM prompts", "first_turn")
    ((later, *of_next),) = ask(tmp_path / "store", f"SELECT {fields} FROM prompts", "next_turn")
    assert later[:3] == early
    assert early[1]["tool_calls"] == CALLED[1]["tool_calls"]
    assert [one["name"] for one in later] == ["ada", None, "weather", None, None]
    assert [one["tool_call_id"] for one in later] == [None, None, "c1", None, None]
    assert [one["content"] for one in later[3:]] == ["It is 12 degrees.", "And in Cologne?"]
    assert of_next == of_first and None not in of_next
