"""The search: the oracle tree of MCTS-DPO, walks in lock-step, and what must hold of any tree."""

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.searching.best_first import best_first
from pipelines.searching.node import Candidate, Node, grow, nodes_below
from pipelines.searching.puct import puct
from pipelines.searching.search import Policy, search
from pipelines.searching.uct import uct

VALUES = {"a": 0.6, "b": 0.5, "aa": -0.5, "ab": 1.7, "ba": -0.6, "bb": -0.7}
"""Of the oracle tree (methods, section 3), by the path to the node; all priors are 0.5."""


def expand(leaf: Node) -> None:
    grow(
        leaf,
        [Candidate(step, 0.5, VALUES[leaf.text + step], terminal=leaf.depth == 1) for step in "ab"],
    )


def searched(
    iterations: int,
    policy: Policy | None = None,
    expansion: Callable[[Node], None] = expand,
    depth_limit: int = 3,
    width: int = 1,
) -> Node:
    root = Node()
    for leaves in search(root, policy or puct(), iterations, depth_limit=depth_limit, width=width):
        for leaf in leaves:
            expansion(leaf)
    return root


def at(root: Node) -> dict[str, Node]:
    return {node.text: node for node in nodes_below(root)}


@pytest.mark.parametrize(
    ("iterations", "expected"),
    [
        (1, {"": (2, 0.55), "a": (1, 0.0, 0.6), "b": (0, 0.0, 0.5), "ab": (1, 0.0, 1.1),
             "aa": (0, 0.0, -1.1)}),
        (2, {"": (4, -0.025), "b": (1, -1.15, -0.65), "ba": (1,)}),
        (3, {"": (6, 0.427778), "a": (2, 0.366667, 0.966667), "ab": (2,)}),
        (20, {"": (40, 1.478), "a": (19, 0.99, 1.59), "ab": (19,), "aa": (0,),
              "b": (1, -1.15, -0.65)}),
    ],
)  # fmt: skip
def test_the_oracle_tree_to_six_decimals(
    iterations: int, expected: dict[str, tuple[float, ...]]
) -> None:
    nodes = at(searched(iterations))
    for text, figures in expected.items():
        node = nodes[text]
        found = node.n_visits, round(node.v, 6), round(node.q, 6)
        assert found[: len(figures)] == figures, text
