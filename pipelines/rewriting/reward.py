"""The reward of an instruction: how good the answers to it are, as answers to the raw one."""

from collections.abc import Sequence
from dataclasses import replace
from math import fsum

from pipelines.backend import Completion, Sampling
from pipelines.judging.marks import marks_of
from pipelines.unit import Unit
from schemas.canonical import MICRO
from schemas.rows import Prompt, Response, response_id

SYSTEM_ROLES = ("system", "developer")


def raw_prompt(prompt: Prompt) -> Prompt:
    """The prompt without the request to rewrite, which its system message is.

    It keeps its id: calls and draws for it belong to the unit of the prompt.
    """
    messages = tuple(one for one in prompt.messages if one.role not in SYSTEM_ROLES)
    return replace(prompt, messages=messages)


async def reward_of(
    unit: Unit, instruction: str, *, responder: str, judge: str, n: int, sampling: Sampling
) -> float | None:
    """The mean score of `n` answers to `instruction`, judged as answers to the raw one.

    None where the judge scores none of them.
    """
    raw = raw_prompt(unit.prompt)
    asked = (*raw.messages[:-1], replace(raw.messages[-1], content=instruction))
    completions = await unit.sample(responder, asked, sampling=sampling, tools=raw.tools, n=n)
    answers = _answers(unit, raw, instruction, responder, completions)
    said = await replace(unit, prompt=raw).judge(judge, answers)
    means = marks_of(said, [answer.response_id for answer in answers]).means()
    scores = [float(mean) / MICRO for mean in means.values()]
    return fsum(scores) / len(scores) if scores else None


def _answers(
    unit: Unit, raw: Prompt, instruction: str, responder: str, completions: Sequence[Completion]
) -> list[Response]:
    """What the judge is given; these are no rows of the build."""
    identity = unit.model(responder).qualified_model
    return [
        Response(
            response_id(
                prompt_id=raw.prompt_id,
                parent_id=None,
                model_identity=identity,
                sampler=unit.caller,
                params=instruction,
                index=index,
                text=completion.text,
            ),
            raw.prompt_id,
            completion.text,
            responder,
            identity,
            unit.caller,
            tool_calls=completion.tool_calls,
            sample_index=index,
            finish_reason=completion.finish_reason,
        )
        for index, completion in enumerate(completions)
        if completion.error is None
    ]
