"""The shipped recipe of tree search, on the embedded model: trees, their flags, pairs of steps."""

from pathlib import Path

from flows.options.shipped_recipes import find_recipe
from pipelines.build import run_build
from pipelines.recipe import read_recipe
from tests.builds import published
from tools.chat_server import ChatServer


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


GSM8K = """
name = "gsm8k"
limit = 4
[sources.problems]
kind = "parquet"
path = "{path}"
[prompts]
text = "question"
reference = "answer"
[models.policy]
kind = "openai_api"
base_url = "{url}"
identity = "a stub"
[[samplers]]
kind = "mcts"
model = "policy"
outcome = "verifier"
continuation = "ask"
iterations = 4
[[judges]]
kind = "verifier"
answer = "number"
[[pairings]]
kind = "step_siblings"
"""


def test_questions_of_gsm8k_are_searched_over_http_and_replayed_without_a_call(
    shared_data: Path, tmp_path: Path
) -> None:
    path = tmp_path / "gsm8k.toml"
    with ChatServer() as server:
        path.write_text(GSM8K.format(path=shared_data / "gsm8k.parquet", url=server.url))
        built = run_build(read_recipe(path), tmp_path / "store")
        paid = server.stats()
        again = run_build(read_recipe(path), tmp_path / "store")
        assert server.stats()["requests"] == paid["requests"]
    assert paid["paid_twice"] == 0
    assert built.published and not again.published
    nodes = published(built, "tree_nodes")
    assert sum(node["parent_id"] is None for node in nodes) == 4
    ended = [node for node in nodes if node["terminal"]]
    assert ended
    assert {node["outcome"] for node in ended} <= {1.0, -1.0}  # the gold answers can be read
    assert all(0 < node["prior"] <= 1 for node in nodes if node["parent_id"])
