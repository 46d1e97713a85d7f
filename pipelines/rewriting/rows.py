"""Rows: a finished search over instructions as responses and nodes."""

from pipelines.backend import Sampling
from pipelines.rewriting.policy import best_node
from pipelines.sampler import Drawn
from pipelines.searching.node import Node, nodes_below
from pipelines.unit import Unit
from schemas.canonical import canonical_json
from schemas.rows import Response, TreeNode, response_id, root_id

RAW = "raw"
"""The model, in words, of an instruction that nobody has rewritten."""


def rules_on(node: Node) -> list[str]:
    """Names of the rules on the path to a node, in order; `origin` holds rule and try."""
    return [one.origin[0] for one in node.lineage() if one.parent is not None]


def instruction_rows(
    unit: Unit, root: Node, *, sampler: str, model: str, sampling: Sampling
) -> Drawn:
    """The instructions, parents first, and their tree.

    The root has a response too, of the root's id: the raw instruction, "leave it as it is". All are
    partial: what a judge of the recipe scores are the answers to them.
    """
    prompt_id = unit.prompt.prompt_id
    path = set(best_node(root).lineage())
    ids = {root: root_id(prompt_id, sampler)}
    responses = [Response(ids[root], prompt_id, root.step, RAW, RAW, sampler, partial=True)]
    for node in nodes_below(root):
        if node.parent is not None:
            rewrite = _response(unit, node, ids[node.parent], sampler, model, sampling)
            ids[node] = rewrite.response_id
            responses.append(rewrite)
    nodes = [_node(node, ids, prompt_id, sampler, node in path) for node in ids]
    return Drawn(responses, nodes)


def _response(
    unit: Unit, node: Node, parent_id: str, sampler: str, model: str, sampling: Sampling
) -> Response:
    backend, (rule, attempt) = unit.model(model), node.origin
    params = canonical_json(backend.effective(sampling).given).decode()
    id_ = response_id(
        prompt_id=unit.prompt.prompt_id,
        parent_id=parent_id,
        model_identity=backend.qualified_model,
        sampler=sampler,
        params=params,
        index=f"{rule} {attempt}",
        text=node.step,
    )
    return Response(
        id_,
        unit.prompt.prompt_id,
        node.step,
        model,
        backend.qualified_model,
        sampler,
        policy=backend.policy,
        parent_id=parent_id,
        params=params,
        sample_index=attempt,
        finish_reason="stop",
        partial=True,
        relation="step",
        notes=canonical_json({"rules": rules_on(node)}).decode(),
    )


def _node(
    node: Node, ids: dict[Node, str], prompt_id: str, sampler: str, on_path: bool
) -> TreeNode:
    parent = node.parent
    return TreeNode(
        ids[node],
        prompt_id,
        sampler,
        None if parent is None else ids[parent],
        node.depth,
        node.step,
        node.n_visits,
        v=node.v if node.n_visits else None,
        q=node.q if node.n_visits else None,
        r=None if parent is None else node.value - parent.value,
        value=node.value,
        prior=None,
        terminal=False,
        on_path=on_path,
        flags=" ".join(node.flags) or None,
    )
