"""Shipped recipes of people who want different things: values, levels of a rubric, personas."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from flows.options.shipped_recipes import find_recipe
from pipelines.build import Outcome, run_build
from pipelines.calls.meter import Meter
from pipelines.publishing.store import Store
from pipelines.querying.safe_sql import run_sql
from pipelines.recipe import read_recipe

WRITER = """models.writer={ kind = "scripted", rules = [
    { match = '(?s)- style: ([^\\n]*)\\n.*', answers = ['You are an assistant. Style wanted: \\1.'] },
] }"""


def built(name: str, store: Path, *overrides: str) -> tuple[Outcome, Meter]:
    meter = Meter()
    return run_build(read_recipe(find_recipe(name), overrides), store, meter), meter


def ask(store: Path, name: str, query: str) -> list[tuple[Any, ...]]:
    with run_sql(Store(store), query, name) as rows:
        return [tuple(row.values()) for row in rows.read_all().to_pylist()]


def test_the_answer_to_a_system_message_is_chosen_over_one_to_another_message(
    tmp_path: Path,
) -> None:
    _, meter = built("values", tmp_path, "limit=6", WRITER)
    assert meter.calls <= 18
    messages = "SELECT count(*), count(DISTINCT text), bool_and(partial) FROM responses"
    assert ask(tmp_path, "values", messages + " WHERE relation = 'system_message'")[0][0] == 18
    answerer = """models.answerer={ kind = "scripted", rules = [
        { search = "conversation", match = 'Style wanted: ([^\\n]*?)\\.\\n', answers = ['In this style: \\1'] },
    ], default = "?" }"""
    built("value_answers", tmp_path, answerer)
    assert ask(
        tmp_path, "value_answers", "SELECT count(*), count(DISTINCT group_id) FROM prompts"
    ) == [(18, 6)]

    _, meter = built("value_pairs", tmp_path, "name='every'", "selectors=[]")
    assert meter.calls == 0
    of_instruction = "SELECT DISTINCT count(*) FROM pairs GROUP BY prompt_group_id"
    assert ask(tmp_path, "every", of_instruction) == [(6,)]  # 3 messages: 6 ordered candidates
    sampled, _ = built("value_pairs", tmp_path)
    _ = built("value_pairs", tmp_path, "seed=2", "name='other'")
    assert sampled.published
    assert ask(tmp_path, "value_pairs", of_instruction) == [(1,)]

    rows = ask(tmp_path, "value_pairs", "SELECT prompt, chosen, rejected, pair_id FROM pairs")
    assert len(rows) == 6
    for prompt, chosen, rejected, _ in rows:
        assert [one["role"] for one in prompt] == ["system", "user"]  # it is published
        wanted = re.findall("Style wanted: (.*)[.]", prompt[0]["content"])[0]
        assert chosen[0]["content"] == f"In this style: {wanted}"
        assert rejected[0]["content"] != chosen[0]["content"]
    drawn = {
        name: {row[0] for row in ask(tmp_path, name, "SELECT pair_id FROM pairs")}
        for name in ("value_pairs", "other", "every")
    }
    assert drawn["value_pairs"] != drawn["other"]
    assert drawn["value_pairs"] | drawn["other"] <= drawn["every"]


def test_k_levels_make_mirrored_rows_of_the_answers_that_reached_their_level(
    tmp_path: Path,
) -> None:
    answerer = """models.answerer={ kind = "scripted", rules = [
        { search = "conversation", match = '(?s)plainly.*Chidi', answers = ['level 4'] },
        { search = "conversation", match = 'plainly', answers = ['level 1'] },
        { search = "conversation", match = 'everyday', answers = ['level 3'] },
        { search = "conversation", match = 'journal', answers = ['level 4'] },
    ] }"""
    judge = """models.judge={ kind = "scripted", rules = [
        { match = '(?s).*level (\\d).*', answers = ['Rating: \\1'] },
    ] }"""
    built("levels", tmp_path, answerer, judge, "limit=9")
    outcome, meter = built("level_pairs", tmp_path)
    assert outcome.published
    assert meter.calls == 0
    made = """
        SELECT prompt_group_id, task, chosen[1].content, rejected[1].content, score_margin
        FROM pairs ORDER BY ALL
    """
    of_instruction: dict[str, list[tuple[Any, ...]]] = {}
    for group, *row in ask(tmp_path, "level_pairs", made):
        of_instruction.setdefault(group, []).append(tuple(row))
    # k = 3 levels: k (k - 1) = 6 rows, each with its mirror
    assert Counter(map(tuple, of_instruction.values())) == {
        (
            ("1", "level 1", "level 3", 2.0),
            ("1", "level 1", "level 4", 3.0),
            ("3", "level 3", "level 1", 2.0),
            ("3", "level 3", "level 4", 1.0),
            ("5", "level 4", "level 1", 3.0),
            ("5", "level 4", "level 3", 1.0),
        ): 2,
        (  # where the plain answer missed its level, it is on no side
            ("3", "level 3", "level 4", 1.0),
            ("5", "level 4", "level 3", 1.0),
        ): 1,
    }


def test_each_persona_has_pairs_of_its_own_and_none_that_contradict_each_other(
    tmp_path: Path,
) -> None:
    policy = """models.policy={ kind = "scripted", policy = "on", default = "Do as you like.", rules = [
        { match = 'represent diverse values', answers = [\"\"\"
### 1
Stay with your family.
### 2
Go and be free.
### 3
Count the money first.\"\"\"] },
    ] }"""
    values = """models.judge={ kind = "scripted", default = "Rating: 5" }"""
    built(
        "diverse_values",
        tmp_path,
        policy,
        values,
        "limit=5",
        "gates.min_read_share=0",
        "gates.min_pairs=0",
    )
    judge = """models.judge={ kind = "scripted", default = "Rating: 5", rules = [
        { match = '(?s)seventy-eight.*response.*family', answers = ['Rating: 9'] },
        { match = '(?s)seventy-eight.*response.*free', answers = ['Rating: 2'] },
        { match = '(?s)founds companies.*response.*family', answers = ['Rating: 1'] },
        { match = '(?s)founds companies.*response.*free', answers = ['Rating: 8'] },
    ] }"""
    outcome, _ = built("personas", tmp_path, judge)
    assert outcome.published
    made = """
        SELECT task, chosen[1].content, rejected[1].content, score_margin, count(*),
            count(DISTINCT prompt_group_id), bool_and(prompt[1].role = 'system')
        FROM pairs GROUP BY ALL ORDER BY ALL
    """
    assert ask(tmp_path, "personas", made) == [
        ("elder", "Stay with your family.", "Go and be free.", 7.0, 5, 5, True),
        ("founder", "Go and be free.", "Stay with your family.", 7.0, 5, 5, True),
    ]
    cycles = """
        SELECT count(*) FROM pairs AS a JOIN pairs AS b ON a.prompt_id = b.prompt_id
            AND a.chosen_response_id = b.rejected_response_id
    """
    assert ask(tmp_path, "personas", cycles) == [(0,)]
    split = "SELECT count(*) FROM (FROM pairs SELECT prompt_group_id, count(DISTINCT prompt_id) AS n GROUP BY 1) WHERE n <> 2"
    assert ask(tmp_path, "personas", split) == [(0,)]
