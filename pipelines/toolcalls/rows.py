"""Rows: the response that a step makes of an answer, and whether an ended one calls what it should."""

from pipelines.backend import Sampling
from pipelines.errors import JudgmentError
from pipelines.judging.refusal import is_refusal
from pipelines.searching.node import Node
from pipelines.toolcalls.calls import same_calls
from pipelines.toolcalls.continuation import Continuation
from pipelines.toolcalls.reading import read_calls
from pipelines.unit import Unit
from schemas.canonical import canonical_json
from schemas.rows import Response, response_id


def step_response(
    unit: Unit, leaf: Node, drawn: Continuation, *, sampler: str, model: str, sampling: Sampling
) -> Response:
    """The answer that `drawn` makes of the one up to `leaf`; partial unless it ends there."""
    backend, text = unit.model(model), leaf.text + drawn.step
    parent_id = leaf.origin.response_id if leaf.origin else None
    params = canonical_json(backend.effective(sampling).given).decode()
    return Response(
        response_id(
            prompt_id=unit.prompt.prompt_id,
            parent_id=parent_id,
            model_identity=backend.qualified_model,
            sampler=sampler,
            params=params,
            index=drawn.index,
            text=text,
        ),
        unit.prompt.prompt_id,
        text,
        model,
        backend.qualified_model,
        sampler,
        policy=backend.policy,
        parent_id=parent_id,
        params=params,
        sample_index=drawn.index,
        finish_reason="stop" if drawn.is_whole else None,
        refused=drawn.is_whole and is_refusal(text),
        partial=not drawn.is_whole,
        relation="step" if parent_id else None,
    )


def call_outcome(answer: str, gold: str | None) -> float | None:
    """Whether an answer makes the calls of the gold one: 1 or 0; None where nobody can say.

    >>> call_outcome("[f(a=1, b=2)]", "[f(b=2, a=1)]"), call_outcome("[f(a=1", "[f(a=1)]")
    (1.0, 0.0)
    """
    if not gold:
        return None
    try:
        right = read_calls(gold)
    except JudgmentError:
        return None
    try:
        return float(same_calls(read_calls(answer), right))
    except JudgmentError:
        return 0.0
