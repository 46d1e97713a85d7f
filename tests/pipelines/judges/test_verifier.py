import importlib.util
from decimal import Decimal
from pathlib import Path

import pytest

from pipelines.errors import RecipeError
from pipelines.judges.verifier import Verifier
from pipelines.part import Where, load_part


def verifier(answer, **fields):
    return Verifier.model_validate({"kind": "verifier", "answer": answer, **fields})


async def verdicts(make_unit, prompt, respond, judge, reference, *texts):
    asked = prompt("How many?", reference=reference)
    responses = [respond(asked, text, f"r{number}") for number, text in enumerate(texts)]
    rows = await judge.judge(make_unit(asked), responses)
    return [(row.score, row.raw, row.error) for row in rows]


async def test_the_answer_is_compared_with_the_reference(make_unit, prompt, respond):
    texts = ("#### 1,000", "It is 999.", r"\boxed{1000.0}")
    found = await verdicts(
        make_unit, prompt, respond, verifier("number"), "So 10 * 100\n#### 1000", *texts
    )
    assert found == [(1.0, "1,000", None), (0.0, "999", None), (1.0, "1000.0", None)]


async def test_a_response_without_an_answer_is_wrong_and_says_so(make_unit, prompt, respond):
    texts = ("I do not know.", "")
    wrong = await verdicts(make_unit, prompt, respond, verifier("number"), "3", *texts)
    unread = await verdicts(
        make_unit, prompt, respond, verifier("number", on_missing="unread"), "3", *texts
    )
    assert wrong == [(0.0, None, "no answer found")] * 2
    assert unread == [(None, None, "no answer found")] * 2


async def test_a_response_that_does_not_exist_is_not_judged(make_unit, prompt, respond):
    assert await verdicts(make_unit, prompt, respond, verifier("number"), "3", None) == []


@pytest.mark.parametrize(
    ("reference", "error"), [(None, "no reference"), ("many", "the reference holds no number")]
)
async def test_without_a_reference_there_is_no_score(make_unit, prompt, respond, reference, error):
    found = await verdicts(make_unit, prompt, respond, verifier("number"), reference, "3")
    assert found == [(None, None, error)]


async def test_choices_and_exact_texts(make_unit, prompt, respond):
    choice = await verdicts(
        make_unit, prompt, respond, verifier("choice"), "B", "The answer is (B).", "C"
    )
    exact = await verdicts(
        make_unit, prompt, respond, verifier("exact"), "Paris", " Paris\n", "paris"
    )
    assert [score for score, *_ in choice] == [score for score, *_ in exact] == [1.0, 0.0]


@pytest.mark.skipif(importlib.util.find_spec("math_verify") is None, reason="pairwright[math]")
async def test_symbolic_answers_are_compared_as_mathematics(make_unit, prompt, respond):
    texts = (r"Hence \boxed{(x+1)^2}.", r'{"answer": "1+2x+x^2"}', r"\boxed{x^2+1}", "No idea.")
    found = await verdicts(make_unit, prompt, respond, verifier("symbolic"), "x^2+2x+1", *texts)
    assert [score for score, *_ in found] == [1.0, 1.0, 0.0, 0.0]
    assert found[3] == (0.0, None, "no answer found")


@pytest.mark.parametrize(
    "fields", [{"answer": "numbr"}, {"answer": "number", "scale": (Decimal(0), Decimal(10))}, {}]
)
def test_a_verifier_that_cannot_work_is_refused(fields):
    where = Where("recipe.toml", "[[judges]] #1 (verifier)", Path())
    with pytest.raises(RecipeError, match=r"\(verifier\)"):
        load_part("judges", {"kind": "verifier", **fields}, where)


def test_symbolic_without_math_verify_is_refused_with_what_to_install(monkeypatch):
    monkeypatch.setattr("pipelines.judges.verifier.is_installed", lambda: False)
    where = Where("recipe.toml", "[[judges]] #1 (verifier)", Path())
    with pytest.raises(RecipeError, match=r'pip install "pairwright\[math\]"'):
        load_part("judges", {"kind": "verifier", "answer": "symbolic"}, where)
