"""The shipped recipes of searches for tool calls and for instructions, with what they publish."""

from pathlib import Path
from typing import Any

import pytest

from flows.options.shipped_recipes import find_recipe
from pipelines.build import Outcome, run_build
from pipelines.recipe import read_recipe
from tests.builds import published


def built(name: str, store: Path, *overrides: str) -> Outcome:
    return run_build(read_recipe(find_recipe(name), overrides), store)


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What the recipe of tool calls publishes."""
    return built("tool_calls", tmp_path_factory.mktemp("calls"))


def by_id(outcome: Outcome, table: str, id_: str) -> dict[str, dict[str, Any]]:
    return {row[id_]: row for row in published(outcome, table)}


def test_steps_of_tool_calls_are_paired_by_value_and_hardly_ever_against_the_gold_answer(
    calls: Outcome,
) -> None:
    prompts = by_id(calls, "prompts", "prompt_id")
    pairs = published(calls, "pairs")
    assert len(pairs) > 60
    right = [
        prompts[pair["prompt_id"]]["reference"].startswith(pair["chosen"][0]["content"])
        for pair in pairs
    ]
    assert sum(right) >= 0.95 * len(pairs)
    assert all(pair["score_margin"] >= 0.1 and pair["score_chosen"] >= -0.3 for pair in pairs)
    for pair in pairs:
        prefix = pair["chosen"][0]["content"][: pair["n_chars_prefix"]]
        assert pair["rejected"][0]["content"].startswith(prefix)


def test_every_node_of_a_search_is_published_and_only_ended_answers_are_judged(
    calls: Outcome,
) -> None:
    nodes, responses = (
        by_id(calls, "tree_nodes", "node_id"),
        by_id(calls, "responses", "response_id"),
    )
    assert {id_ for id_, node in nodes.items() if node["parent_id"]} == set(responses)
    judged = {row["response_id"]: row["score"] for row in published(calls, "judgments")}
    ended = {id_: node["outcome"] for id_, node in nodes.items() if node["terminal"]}
    assert judged == ended
    assert {0.0, 1.0} == set(ended.values())


def test_the_search_decides_for_right_calls_in_every_kind_of_task(calls: Outcome) -> None:
    prompts = by_id(calls, "prompts", "prompt_id")
    decided = [
        node for node in published(calls, "tree_nodes") if node["on_path"] and node["terminal"]
    ]
    right = {prompts[node["prompt_id"]]["task"] for node in decided if node["outcome"] == 1}
    assert right == {"one", "parallel", "later", "none"}


def test_a_rewritten_instruction_is_paired_with_a_worse_one_by_what_a_real_model_makes_of_it(
    tmp_path: Path,
) -> None:
    outcome = built("instructions", tmp_path, "limit=4", "samplers.instruction_search.iterations=8")
    pairs = published(outcome, "pairs")
    assert pairs
    roots = {
        node["prompt_id"]: node for node in published(outcome, "tree_nodes") if not node["depth"]
    }
    for pair in pairs:
        assert pair["prompt"][0]["role"] == "system"
        assert pair["score_chosen"] >= roots[pair["prompt_id"]]["value"] >= pair["score_rejected"]
    assert all(row["partial"] for row in published(outcome, "responses"))
    assert published(outcome, "judgments") == []
