import pytest

from pipelines.rewriting.policy import best_node, is_exhausted, p_aligner, score, subtree_mean
from pipelines.searching.node import Candidate, Node, grow
from pipelines.searching.search import search

REWARDS = {"": 0.5, "A": 0.7, "B": 0.6, "AB": 0.4, "BA": 0.5}


def searched(iterations):
    """The tree of two rules after some iterations, and the paths in the order of their growth."""
    root = Node(candidate=Candidate("raw", value=REWARDS[""]))
    path, grown = {root: ""}, []

    def is_open(node):
        return len(path[node]) + len(node.children or ()) < 2

    for leaves in search(root, p_aligner(is_open), iterations, depth_limit=9):
        for leaf in leaves:
            tried = {path[child][-1] for child in leaf.children or ()}
            rule = next(one for one in "AB" if one not in {*path[leaf], *tried})
            [child] = grow(leaf, [Candidate(rule, value=REWARDS[path[leaf] + rule])])
            path[child] = path[leaf] + rule
            grown.append(path[child])
    return root, grown, is_open


def test_the_oracle_tree_is_grown_in_the_order_worked_out_by_hand():
    # after A and B: 0.7 + 0.1 sqrt(ln 2) = 0.783255 against 0.683255; after AB, 0.624115 (the mean
    # of 0.7 and 0.4, + 0.1 sqrt(ln 3 / 2)) against 0.6 + 0.1 sqrt(ln 3) = 0.704815
    assert searched(4)[1] == ["A", "B", "AB", "BA"]


def test_its_statistics_are_as_worked_out_by_hand():
    root, _, is_open = searched(2)
    a, b = root.children
    assert score(a, is_open, 0.1) == pytest.approx(0.783255, abs=1e-6)
    assert score(b, is_open, 0.1) == pytest.approx(0.683255, abs=1e-6)
    root, _, is_open = searched(3)
    a, b = root.children
    assert (root.n_visits, a.n_visits, b.n_visits) == (3, 2, 1)
    assert (root.q, a.q, b.q) == (0.7, 0.7, 0.6)
    assert root.v == subtree_mean(root) == pytest.approx(0.55)
    assert score(b, is_open, 0.1) == pytest.approx(0.704815, abs=1e-6)


def test_the_best_instruction_of_the_tree_is_a_and_may_be_the_raw_one():
    root, _, _ = searched(3)
    assert best_node(root).step == "A"
    root.value = 0.9
    assert best_node(root) is root


def test_what_nothing_can_be_added_to_is_not_walked_to_again():
    root, _, is_open = searched(3)
    a = root.children[0]
    assert is_exhausted(a, is_open)
    assert score(a, is_open, 0.1) == -float("inf")
    assert not is_exhausted(root, is_open)
