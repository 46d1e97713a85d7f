"""The shipped recipe of tree search, on the embedded model: trees, their flags, pairs of steps."""

from pathlib import Path

from flows.shipped_recipes import find_recipe
from pipelines.build import run_build
from pipelines.recipe import read_recipe
from tests.builds import published


def test_the_shipped_search_makes_pairs_of_steps_that_begin_alike(tmp_path: Path) -> None:
    built = run_build(read_recipe(find_recipe("mcts"), ["limit=8"]), tmp_path)
    assert built.published
    nodes = {row["node_id"]: row for row in published(built, "tree_nodes")}
    responses = {row["response_id"]: row for row in published(built, "responses")}

    assert len([row for row in nodes.values() if row["parent_id"] is None]) == 8
    ended = [row for row in nodes.values() if row["terminal"]]
    assert {row["outcome"] for row in ended} <= {1.0, -1.0}
    assert all(row["flags"] in (None, "too_long") for row in nodes.values())
    for id_, response in responses.items():
        node = nodes[id_]
        above = responses.get(node["parent_id"])
        assert response["text"] == (above["text"] if above else "") + node["text"]
        assert response["partial"] is not node["terminal"]
    pairs = published(built, "pairs")
    assert pairs
    assert all(pair["n_chars_prefix"] is not None for pair in pairs)
    assert all(0.5 <= pair["p_chosen"] <= 1 for pair in pairs)
