"""Rows: a finished search for tool calls as responses and nodes."""

from pipelines.backend import Sampling
from pipelines.errors import JudgmentError
from pipelines.judging.refusal import is_refusal
from pipelines.sampler import Drawn
from pipelines.searching.node import Node, nodes_below
from pipelines.toolcalls.calls import same_calls
from pipelines.toolcalls.policy import decided_path
from pipelines.toolcalls.reading import read_calls
from pipelines.unit import Unit
from schemas.canonical import canonical_json
from schemas.rows import Response, TreeNode, response_id, root_id

NO_GOLD = "no_gold"
"""Flag of a node whose immediate reward nobody can tell."""


def tool_rows(unit: Unit, root: Node, *, sampler: str, model: str, sampling: Sampling) -> Drawn:
    """A response for each node but the root, parents first, and the tree."""
    prompt = unit.prompt
    path = set(decided_path(root))
    ids = {root: root_id(prompt.prompt_id, sampler)}
    responses = []
    for node in nodes_below(root):
        if node.parent is not None:
            step = _response(unit, node, ids[node.parent], sampler, model, sampling)
            ids[node] = step.response_id
            responses.append(step)
    nodes = [
        _node(node, ids, prompt.prompt_id, sampler, node in path, outcome(node, prompt.reference))
        for node in ids
    ]
    return Drawn(responses, nodes)


def outcome(node: Node, gold: str | None) -> float | None:
    """Whether an ended answer makes the calls of the gold one: 1 or 0; None where nobody can say."""
    if not node.terminal or not gold:
        return None
    try:
        right = read_calls(gold)
    except JudgmentError:
        return None
    try:
        return float(same_calls(read_calls(node.text), right))
    except JudgmentError:
        return 0.0


def _response(
    unit: Unit, node: Node, parent_id: str, sampler: str, model: str, sampling: Sampling
) -> Response:
    backend, index, is_first = unit.model(model), node.origin.index, node.depth == 1
    params = canonical_json(backend.effective(sampling).given).decode()
    id_ = response_id(
        prompt_id=unit.prompt.prompt_id,
        parent_id=parent_id,
        model_identity=backend.qualified_model,
        sampler=sampler,
        params=params,
        index=index,
        text=node.text,
    )
    return Response(
        id_,
        unit.prompt.prompt_id,
        node.text,
        model,
        backend.qualified_model,
        sampler,
        policy=backend.policy,
        parent_id=None if is_first else parent_id,
        params=params,
        sample_index=index,
        finish_reason="stop" if node.terminal else None,
        refused=node.terminal and is_refusal(node.text),
        partial=not node.terminal,
        relation=None if is_first else "step",
    )


def _node(
    node: Node,
    ids: dict[Node, str],
    prompt_id: str,
    sampler: str,
    on_path: bool,
    outcome: float | None,
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
        r=None if parent is None or NO_GOLD in node.flags else node.r,
        value=None if parent is None else node.value,
        prior=None if parent is None else node.prior,
        terminal=node.terminal,
        outcome=outcome,
        on_path=on_path,
        flags=" ".join(node.flags) or None,
    )
