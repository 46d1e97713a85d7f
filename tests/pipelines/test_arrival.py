"""Every sampler and judge on the shelf gives equal rows, whatever the order in which replies arrive."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.backend import Completion
from pipelines.part import Where, kinds, load_part, part_class
from schemas.canonical import draw_integer
from schemas.rows import Judgment

WHERE = Where("recipe.toml", "a shelf", Path())
SAID = (
    "Rating: 3",
    "Rating: 8",
    "Verdict: A",
    "Verdict: B",
    "Verdict: tie",
    "Ranking: D > B = A > C",
    "helpfulness: 3\ncorrectness: 9\nverbosity: 0",
    "c1: yes\nc2: unsure",
    "#### 4",
    "Corrected answer:\n#### 4 and more",
    '{"satisfied": [], "dissatisfied": ["style"], "preferences": ["Short."]}',
    "Who knows?",
)
FIELDS = {
    "model": ("m0", "m1", "m2"),
    "models_per_prompt": 2,
    "n": 3,
    "responder": "m1",
    "reader": "m1",
    "judge": "verifier",
    "samples": 2,
    "sampling": {"temperature": 1.0},
    "answer": "number",
    "of": ("before",),
    "which": "each",
    "text": "text",
    "response": "id",
    "score": "score",
    "read": "verdict",
    "rubric": "helpsteer2",
    "constraints": ({"name": "c1", "text": "Short."}, {"name": "c2", "text": "Kind."}),
}
"""Values for the fields that parts commonly have; a part that needs another one adds it here."""


def load(shelf, kind):
    cls, _ = part_class(shelf, kind, WHERE)
    fields = {name: value for name, value in FIELDS.items() if name in cls.model_fields}
    if "model" in fields and cls.model_fields["model"].annotation != tuple[str, ...]:
        fields["model"] = "m0"
    return load_part(shelf, {"kind": kind, **fields}, WHERE)


def says(request, choice):
    """An answer that depends on the request alone: readable, unreadable or missing."""
    texts = [message.content for message in request.messages]
    drawn = draw_integer(texts, request.seed, choice)
    return Completion(None) if drawn % 11 == 0 else SAID[drawn % len(SAID)]


def pool(model, latency):
    return [model(f"m{number}", says, seed=latency * 10 + number, max_n=1) for number in range(3)]


def fill(recorded, asked, responses):
    """Recorded rows for the parts that take them."""
    recorded.of_samplers += responses
    recorded.of_judges += [
        Judgment(
            f"j{row.response_id}", asked.prompt_id, "recorded", "r", row.response_id, score=1.0
        )
        for row in responses
    ]


@pytest.mark.parametrize("kind", kinds("samplers"))
async def test_a_sampler_does_not_depend_on_arrival(
    kind, make_unit, model, prompt, respond, recorded
):
    asked = prompt("How many?", "Four?", "Sure?", reference="4")
    fill(recorded, asked, [respond(asked, text, text) for text in "abc"])
    drawn = []
    for latency in range(4):
        models = pool(model, latency)
        judges = [load("judges", "verifier")]
        earlier = {"before": [respond(asked, text, text) for text in "de"]}
        unit = make_unit(
            asked, *models, recorded=recorded, ledger=f"{latency}", judges=judges, earlier=earlier
        )
        drawn.append(await load("samplers", kind).draw(unit))
    assert drawn[0].responses
    assert all(rows == drawn[0] for rows in drawn)


@pytest.mark.parametrize("kind", kinds("judges"))
async def test_a_judge_does_not_depend_on_arrival(
    kind, make_unit, model, prompt, respond, recorded
):
    asked = prompt("How many?", "Four?", "Sure?", reference="4")
    responses = [respond(asked, f"#### {number}", f"r{number}") for number in (3, 4, 5, 6)]
    responses.append(replace(responses[0], response_id="twin"))
    fill(recorded, asked, responses)
    judged = []
    for latency in range(4):
        models = pool(model, latency)
        unit = make_unit(asked, *models, recorded=recorded, ledger=f"{latency}")
        judged.append(await load("judges", kind).judge(unit, responses))
    assert judged[0]
    assert all(rows == judged[0] for rows in judged)
    assert len({row.judgment_id for row in judged[0]}) == len(judged[0])


@pytest.mark.parametrize("kind", kinds("judges"))
async def test_a_judgment_does_not_depend_on_the_order_of_the_responses(
    kind, make_unit, model, prompt, respond, recorded
):
    asked = prompt("How many?", reference="4")
    responses = [respond(asked, f"#### {number}", f"r{number}") for number in (3, 4, 5, 6)]
    fill(recorded, asked, responses)
    unit = make_unit(asked, *pool(model, 0), recorded=recorded)
    judge = load("judges", kind)
    forward = await judge.judge(unit, responses)
    backward = await judge.judge(unit, responses[::-1])
    assert {row.judgment_id: row for row in forward} == {row.judgment_id: row for row in backward}
