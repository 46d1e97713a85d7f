"""Rows: a searched tree as responses and tree nodes."""

from collections.abc import Collection

from pipelines.sampler import Drawn
from pipelines.searching.node import Node, nodes_below
from schemas.rows import Response, TreeNode, root_id


def drawn_from(root: Node, path: Collection[Node], prompt_id: str, sampler: str) -> Drawn:
    """The responses and nodes of a tree, parents before their children; `path` was decided for."""
    first, nodes = root_id(prompt_id, sampler), list(nodes_below(root))
    rows = [_row(node, first, node in path, prompt_id, sampler) for node in nodes]
    return Drawn([node.origin for node in nodes if node.parent is not None], rows)


def _node_id(node: Node, first: str) -> str:
    """The id of a node: of its response, which its candidate came with; of a root `first`."""
    if node.parent is None:
        return first
    response: Response = node.origin
    return response.response_id


def _row(node: Node, first: str, on_path: bool, prompt_id: str, sampler: str) -> TreeNode:
    above = node.parent
    return TreeNode(
        node_id=_node_id(node, first),
        prompt_id=prompt_id,
        sampler=sampler,
        parent_id=None if above is None else _node_id(above, first),
        depth=node.depth,
        text=node.step,
        n_visits=node.n_visits,
        v=node.v,
        q=None if above is None else node.q,
        r=node.r,
        value=node.value,
        prior=None if above is None else node.prior,
        terminal=node.terminal,
        outcome=node.outcome,
        on_path=on_path,
        flags=" ".join(node.flags) or None,
    )
