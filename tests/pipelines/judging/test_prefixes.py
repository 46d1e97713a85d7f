"""All judgments of a prompt begin alike, up to the first word of what is judged.

A server keeps what requests begin with (vLLM's prefix cache, a provider's cached input), so that
the conversation, the reference and the instructions are read once for all responses to a prompt.
"""

from collections.abc import Sequence
from typing import Any

import pytest

from pipelines.part import kinds, part_class
from pipelines.wire.body import request_body
from tests.pipelines.test_arrival import WHERE, load, says

ASKING = [
    kind for kind in kinds("judges") if "model" in part_class("judges", kind, WHERE)[0].model_fields
]
QUESTION = "Why is the sky blue? " * 200
ANSWERS = ["It scatters.", "Because of the sea.", "Rayleigh: 1/wavelength^4.", "No idea."]


def common_start(texts: Sequence[str]) -> str:
    """What all of them begin with."""
    first, last = min(texts), max(texts)
    pairs = enumerate(zip(first, last, strict=False))
    return first[: next((at for at, (one, other) in pairs if one != other), len(first))]


@pytest.mark.parametrize("kind", ASKING)
async def test_the_judgments_of_a_prompt_share_all_before_the_first_response(
    kind: str, make_unit: Any, model: Any, prompt: Any, respond: Any
) -> None:
    asked = prompt(QUESTION, "A" * 500, "Go on.", reference="Rayleigh scattering. " * 20)
    judge = load("judges", kind)
    models = [model(name, says) for name in sorted({*judge.models()})]
    unit = make_unit(asked, *models)
    responses = [respond(asked, text, f"r{number}") for number, text in enumerate(ANSWERS)]
    await judge.judge(unit, responses)
    for one in models:
        bodies = [request_body(request, "m").decode() for request in one.asked]
        assert len(bodies) > 1
        shared = common_start(bodies)
        assert QUESTION in shared
        assert "A" * 500 in shared
        first = min(body.index(text) for body in bodies for text in ANSWERS if text in body)
        assert not any(text in shared for text in ANSWERS), "else it would not be judged"
        assert len(shared) > 0.9 * first


async def test_another_prompt_shares_only_the_instructions(
    make_unit: Any, model: Any, prompt: Any, respond: Any
) -> None:
    """The marks around a prompt are its own: nobody can know those of another."""
    judge, bodies = load("judges", "rating"), []
    for text in ("One?", "Two?"):
        asked = prompt(text)
        one = model("m0", says)
        await judge.judge(make_unit(asked, one), [respond(asked, "A", "r1")])
        bodies.append(request_body(one.asked[0], "m").decode())
    assert "<<<" in common_start(bodies)
    assert "# Conversation" not in common_start(bodies)
