"""Answered: the response that a model's completion is, as a sampler's row."""

from collections.abc import Mapping
from math import fsum
from typing import TYPE_CHECKING, Any

from pipelines.backend import Completion, Sampling
from pipelines.judging.refusal import is_refusal
from schemas.canonical import canonical_json
from schemas.rows import Response, response_id

if TYPE_CHECKING:
    from pipelines.unit import Unit


def answered(
    unit: "Unit",
    sampler: str,
    model: str,
    sampling: Sampling,
    index: int,
    completion: Completion,
    *,
    parent_id: str | None = None,
    part: str | None = None,
    params: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Response:
    """The row of sample `index` of `model`.

    `part` tells apart the responses that one completion holds, and those of one index; `params` are
    further ones that decided the text; `fields` stand in the place of what the completion says, but
    the id is that of its own text (of a part, of the part's).
    """
    backend = unit.model(model)
    identity = backend.qualified_model
    canonical = canonical_json({**backend.effective(sampling).given, **(params or {})}).decode()
    text = completion.text if part is None else fields.get("text")
    row = {
        "text": completion.text,
        "reasoning": completion.reasoning,
        "tool_calls": completion.tool_calls,
        "finish_reason": completion.finish_reason,
        "refused": _is_refused(completion),
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": completion.completion_tokens,
        "sum_logprob": _sum_logprob(completion),
        "error": completion.error,
    }
    return Response(
        response_id=response_id(
            prompt_id=unit.prompt.prompt_id,
            parent_id=parent_id,
            model_identity=identity,
            sampler=sampler,
            params=canonical,
            index=index if part is None else f"{index}.{part}",
            text=text,
        ),
        prompt_id=unit.prompt.prompt_id,
        model=model,
        model_identity=identity,
        sampler=sampler,
        policy=backend.policy,
        parent_id=parent_id,
        params=canonical,
        sample_index=index,
        **{**row, **fields},
    )


def _is_refused(completion: Completion) -> bool:
    """By the API's own word, by its content filter, or by the opening words of the text."""
    filtered = completion.finish_reason == "content_filter"
    return completion.refusal is not None or filtered or is_refusal(completion.text)


def _sum_logprob(completion: Completion) -> float | None:
    logprobs = completion.logprobs
    return None if logprobs is None else fsum(token.logprob for token in logprobs)
