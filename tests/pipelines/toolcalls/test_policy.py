import pytest

from pipelines.searching.node import Candidate, Node, grow
from pipelines.searching.search import search
from pipelines.toolcalls.policy import decided_path, is_searched, itool, score

CHILDREN = {
    "": [("a", 0.5, 0.8), ("b", 0.2, 0.4)],
    "a": [("a", -0.3, 0.5), ("b", 0.1, 0.1)],
}
"""Text -> step, reward and prior of each child; what is not there has ended."""


def grown(root, iterations, depth_limit=9):
    """The nodes that are expanded, in order."""
    expanded = []
    policy = itool()
    for leaves in search(root, policy, iterations, depth_limit=depth_limit):
        for leaf in leaves:
            expanded.append(leaf.text)
            grow(leaf, [
                Candidate(step, prior, reward, terminal=leaf.text + step not in CHILDREN)
                for step, reward, prior in CHILDREN[leaf.text]
            ])  # fmt: skip
    return expanded


def statistics(node):
    return node.n_visits, round(node.q, 9), round(node.v, 9)


def test_the_tree_of_three_iterations_is_as_worked_out_by_hand():
    root = Node()
    assert grown(root, 1) == [""]
    a, b = root.children
    assert (statistics(root), statistics(a)) == ((2, 0.7, 0.35), (1, 0.5, 0.5))
    # 0.5/2 + 0.8 sqrt(ln 2 / 2) and 0.2/2 + 0.4 sqrt(ln 2 / 2)
    assert (score(a, 1.0), score(b, 1.0)) == pytest.approx((0.720964, 0.335482), abs=1e-6)
    assert grown(root, 1) == ["a"]
    assert (statistics(root), statistics(a)) == ((4, 0.5, 0.125), (3, 0.3, 0.1))
    assert score(a, 1.0) == pytest.approx(0.545964, abs=1e-6)  # 0.3/4 + 0.8 sqrt(ln 4 / 4)
    assert score(b, 1.0) == pytest.approx(0.433022, abs=1e-6)  # 0.2/2 + 0.4 sqrt(ln 4 / 2)
    # aa has ended: visited once more, for 0.220576 against 0.124115 of ab
    assert grown(root, 1) == []
    assert statistics(a.children[0]) == (2, -0.6, -0.3)
    assert (statistics(a), statistics(root)) == ((4, 0.0, 0.0), (5, 0.2, 0.04))


def test_no_visits_of_a_parent_have_no_logarithm():
    root = Node()
    [child] = grow(root, [Candidate("a", 0.5, 0.5)])
    child.q = 0.5
    assert score(child, 1.0) == 0.5


def test_a_node_is_expanded_once():
    expanded = grown(Node(), 20)
    assert len(expanded) == len(set(expanded)) == 2


def test_a_search_is_done_where_nothing_is_left_to_expand():
    root = Node()
    assert not is_searched(root, 2)
    grown(root, 2)
    b = root.children[1]
    assert b.terminal
    assert is_searched(root, 2)
    b.terminal = False
    assert not is_searched(root, 2)
    assert is_searched(root, 1)
    grow(b, [])
    assert is_searched(root, 2)  # nothing could follow b


def test_the_search_decides_for_the_best_mean_reward():
    root = Node()
    grown(root, 3)
    assert [node.text for node in decided_path(root)] == ["", "b"]
