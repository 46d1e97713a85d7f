"""Rows: the responses that a search over instructions leaves behind."""

from pipelines.backend import Sampling
from pipelines.unit import Unit
from schemas.canonical import canonical_json
from schemas.rows import Response, response_id, root_id

RAW = "raw"
"""The model, in words, of an instruction that nobody has rewritten."""


def raw_response(unit: Unit, instruction: str, sampler: str) -> Response:
    """The raw instruction as an answer to the request: "leave it as it is". Its id is the root's.

    It is partial, as all of them are: what a judge of the recipe scores are the answers to them.
    """
    prompt_id = unit.prompt.prompt_id
    return Response(
        root_id(prompt_id, sampler), prompt_id, instruction, RAW, RAW, sampler,
        finish_reason="stop", partial=True,
    )  # fmt: skip


def rewrite_response(
    unit: Unit,
    parent: Response,
    instruction: str,
    rules: tuple[str, ...],
    attempt: int,
    *,
    model: str,
    sampling: Sampling,
) -> Response:
    """A rewrite of `parent` by the last of `rules`, which `notes` has with those before it."""
    backend = unit.model(model)
    params = canonical_json(backend.effective(sampling).given).decode()
    id_ = response_id(
        prompt_id=parent.prompt_id,
        parent_id=parent.response_id,
        model_identity=backend.qualified_model,
        sampler=parent.sampler,
        params=params,
        index=f"{rules[-1]} {attempt}",
        text=instruction,
    )
    return Response(
        id_,
        parent.prompt_id,
        instruction,
        model,
        backend.qualified_model,
        parent.sampler,
        policy=backend.policy,
        parent_id=parent.response_id,
        params=params,
        sample_index=attempt,
        finish_reason="stop",
        partial=True,
        relation="step",
        notes=canonical_json({"rules": rules}).decode(),
    )
