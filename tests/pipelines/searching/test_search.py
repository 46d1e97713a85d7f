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
from pipelines.searching.search import Policy, by_score, search
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


def test_the_pair_of_each_level_has_the_smoothing_of_the_oracle() -> None:
    nodes = at(searched(20))

    def smoothing(lost: str, won: str) -> float:
        return min(1 - 1 / (1 + nodes[lost].n_visits / max(1, nodes[won].n_visits)), 0.5)

    assert nodes["a"].q > nodes["b"].q
    assert round(smoothing("b", "a"), 6) == 0.05
    assert nodes["ab"].q > nodes["aa"].q
    assert smoothing("aa", "ab") == 0


def drawn_tree(seed: int) -> Callable[[Node], None]:
    """Expansions whose children depend on (seed, text of the leaf) alone."""

    def expansion(leaf: Node) -> None:
        draws = random.Random(f"{seed} {leaf.text}")
        grow(
            leaf,
            [
                Candidate(step, draws.random(), draws.uniform(-1, 1), terminal=draws.random() < 0.2)
                for step in "abc"[: draws.randint(0, 3)]
            ],
        )

    return expansion


POLICIES = {"puct": puct, "uct": uct, "best_first": best_first}


@pytest.mark.parametrize("name", POLICIES)
@given(
    seed=st.integers(0, 10**6),
    iterations=st.integers(1, 40),
    width=st.integers(1, 5),
    depth=st.integers(1, 4),
)
def test_what_holds_of_every_tree(
    name: str, seed: int, iterations: int, width: int, depth: int
) -> None:
    root = searched(iterations, POLICIES[name](), drawn_tree(seed), depth, width)

    assert root.n_visits == iterations * (2 if name == "puct" else 1)
    for node in nodes_below(root):
        assert node.pending == 0
        assert node.depth <= depth
        assert node.terminal is False or node.children is None
        children = node.children or []
        came_through = sum(child.n_visits for child in children)
        own = iterations if node is root else node.n_visits
        assert came_through <= own  # each walk goes through at most one child
        if children and node.n_visits:
            low, high = min(c.q for c in children), max(c.q for c in children)
            if name != "uct":  # its V is a mean of walks, not of the children
                assert low - 1e-9 <= node.v <= high + 1e-9
        if node.parent is not None and node.n_visits:
            assert math.isclose(node.q, node.r + node.v, abs_tol=1e-12)


@given(seed=st.integers(0, 10**6), iterations=st.integers(1, 30))
def test_with_gamma_1_the_root_expects_a_mean_of_values_of_leaves(
    seed: int, iterations: int
) -> None:
    root = searched(iterations, puct(), drawn_tree(seed))
    ends = [node.value for node in nodes_below(root) if not node.children]
    assert min(ends) - 1e-9 <= root.v <= max(ends) + 1e-9


def test_the_order_of_siblings_matters_only_where_their_scores_are_equal() -> None:
    def reversed_expansion(leaf: Node) -> None:
        expand(leaf)
        assert leaf.children is not None
        leaf.children.reverse()

    forward, backward = at(searched(20)), at(searched(20, expansion=reversed_expansion))
    for text, node in forward.items():
        twin = backward[text]
        assert (node.n_visits, round(node.q, 9)) == (twin.n_visits, round(twin.q, 9))


def test_walks_of_one_round_go_to_different_leaves() -> None:
    batches = []
    root = Node()
    for leaves in search(root, puct(), 4, depth_limit=2, width=4):
        batches.append([leaf.text for leaf in leaves])
        for leaf in leaves:
            expand(leaf)
    assert batches == [[""], ["a", "b"]]
    assert root.n_visits == 8
    assert [child.n_visits for child in root.children or ()] == [2, 2]


def test_a_node_is_expanded_once_however_many_walks_wait_for_it() -> None:
    expanded: list[str] = []
    root = Node()
    for leaves in search(root, puct(), 32, depth_limit=3, width=8):
        for leaf in leaves:
            expanded.append(leaf.text)
            expand(leaf)
    assert len(expanded) == len(set(expanded))


@given(seed=st.integers(0, 10**6), width=st.integers(1, 5), w=st.floats(0, 3))
def test_puct_chooses_by_its_formula_walks_under_way_included(
    seed: int, width: int, w: float
) -> None:
    root, chosen = searched(9, puct(w), drawn_tree(seed), 3, width), 0
    draws = random.Random(seed)
    for node in nodes_below(root):
        node.pending = draws.randint(0, 2)

    def score(child: Node) -> float:
        assert child.parent is not None
        return child.worth + w * child.prior * math.sqrt(child.parent.visits) / (1 + child.visits)

    for node in nodes_below(root):
        if node.children:
            assert puct(w).choose(node) is by_score(score)(node)
            chosen += 1
    assert chosen or not root.children


def endless(leaf: Node) -> None:
    grow(leaf, [Candidate("a", 0.6, 0.2), Candidate("b", 0.4, 0.1)])


def test_a_re_rooted_search_keeps_what_is_known_and_goes_deeper() -> None:
    root = searched(8, expansion=endless, depth_limit=2)
    [child, _] = root.children or []
    before, above = child.n_visits, root.n_visits
    for leaves in search(child, puct(), 5, depth_limit=2):
        for leaf in leaves:
            endless(leaf)
    assert child.n_visits == before + 2 * 5
    assert root.n_visits == above
    assert max(node.depth for node in nodes_below(child)) == child.depth + 2


def test_best_first_expands_the_most_valuable_node_of_the_whole_tree() -> None:
    values = {"a": 0.5, "b": 0.4, "aa": 0.1, "ab": 0.3, "ba": 0.9, "bb": 0.2}

    def expansion(leaf: Node) -> None:
        steps = [step for step in "ab" if leaf.text + step in values]
        grow(leaf, [Candidate(step, value=values[leaf.text + step]) for step in steps])

    expanded = []
    root = Node()
    for leaves in search(root, best_first(), 5, depth_limit=3):
        expanded += [leaf.text for leaf in leaves]
        for leaf in leaves:
            expansion(leaf)
    assert expanded == ["", "a", "b", "ba", "ab"]
    assert root.v == pytest.approx(0.9)


def test_uct_tries_every_child_before_it_prefers_one() -> None:
    def expansion(leaf: Node) -> None:
        grow(leaf, [Candidate(step, value=worth, terminal=True) for step, worth in ARMS.items()])

    root = searched(30, uct(w=0.5), expansion)
    visits = {child.step: child.n_visits for child in root.children or ()}
    assert min(visits.values()) >= 1
    assert visits["c"] == max(visits.values())
    assert {child.step: child.q for child in root.children or ()} == pytest.approx(ARMS)


ARMS = {"a": 0.1, "b": 0.5, "c": 0.9}


def test_a_walk_may_end_with_the_child_that_was_just_added() -> None:
    """P-Aligner's way: one child at a time, until a node has as many as it may have."""

    def backup(path: list[Node]) -> None:
        for node in path:
            node.n_visits += 1

    def is_open(node: Node) -> bool:
        return len(node.children or ()) < 2

    def newest(node: Node) -> Node:
        return (node.children or [])[-1]

    least = by_score(lambda child: -child.n_visits)
    way = Policy(least, backup, is_open=is_open, after="child", follow=newest)

    def expansion(leaf: Node) -> None:
        grow(leaf, [Candidate("ab"[len(leaf.children or ())])])

    assert {text: node.n_visits for text, node in at(searched(4, way, expansion)).items()} == {
        "": 4, "a": 2, "b": 2, "aa": 1, "ba": 1,
    }  # fmt: skip
