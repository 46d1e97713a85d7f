import json
from collections.abc import Callable, Iterator, Sequence
from math import log
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from pipelines.backend import Backend, Completion, TokenLogprob
from pipelines.errors import RecipeError
from pipelines.judges.likelihood import Likelihood
from pipelines.part import Where, load_part
from pipelines.shipped import shipped
from pipelines.unit import Unit
from schemas.rows import Judgment, Message, Prompt, Response, prompt_id
from tests.builds import read, write_recipe
from tests.checkpoints import make_bigrams

WHERE = Where("r.toml", "[[judges]] likelihood", Path())
SHARES = {"assistant\n": {"a": 0.5, "b": 0.5}, "a": {"b": 0.25, "a": 0.75}, "b": {"b": 1.0}}
"""After "a", "b" has a probability of 1/4, and so on."""


def load(root: Path = Path(), **fields: Any) -> Likelihood:
    where = Where("r.toml", "[[judges]] likelihood", root)
    judge = load_part("judges", {"kind": "likelihood", "model": "teacher", **fields}, where)
    assert isinstance(judge, Likelihood)
    return judge


async def judged(judge: Likelihood, unit: Unit, responses: Sequence[Response]) -> list[Judgment]:
    models = unit.workshop.models.values()
    for model in models:
        await model.open()
    try:
        return await judge.judge(unit, responses)
    finally:
        for model in models:
            await model.close()


def teacher(folder: Path) -> Backend:
    backend = load_part(
        "backends", {"kind": "embedded", "name": "teacher", "model": str(folder)}, WHERE
    )
    assert isinstance(backend, Backend)
    return backend


@pytest.mark.parametrize(
    ("statistic", "score"),
    [("min", log(0.25)), ("mean", log(0.5 * 0.75 * 0.25) / 3), ("sum", log(0.5 * 0.75 * 0.25))],
)
async def test_an_oracle_by_hand(
    tmp_path: Path, make_unit: Any, prompt: Any, respond: Any, statistic: str, score: float
) -> None:
    """ "aab" has probabilities 1/2, 3/4 and 1/4 after the marks before an answer."""
    asked = prompt("Q")
    unit = make_unit(asked, teacher(make_bigrams(tmp_path / "bigrams", SHARES)))
    [row] = await judged(load(statistic=statistic), unit, [respond(asked, "aab", "r1")])
    assert row.score == pytest.approx(score, abs=1e-5)
    assert row.response_id == "r1"
    assert row.raw == f"'b', token 3 of 3: {log(0.25):.4g}"
    assert row.error is None


def says(*logprobs: float) -> Callable[..., Completion]:
    tokens = tuple(TokenLogprob(str(number), one) for number, one in enumerate(logprobs))
    return lambda request, choice: Completion("x", logprobs=tokens)


async def test_the_response_is_the_answer_to_the_prompts_own_conversation(
    make_unit: Any, model: Any, prompt: Any, respond: Any
) -> None:
    asked = prompt("One?", "Two", "Three?")
    teacher = model("teacher", says(-1.0))
    unit = make_unit(asked, teacher)
    await judged(load(system="Solve."), unit, [respond(asked, "Four", "r1")])
    assert [(one.role, one.content) for one in teacher.asked[0].messages] == [
        ("system", "Solve."),
        ("user", "One?"),
        ("assistant", "Two"),
        ("user", "Three?"),
        ("assistant", "Four"),
    ]


async def test_a_prompts_own_system_message_stays(make_unit: Any, model: Any, respond: Any) -> None:
    messages = (Message("system", "Own."), Message("user", "Q"))
    asked = Prompt(prompt_id(messages), messages)
    teacher = model("teacher", says(-1.0))
    await judged(load(system="Solve."), make_unit(asked, teacher), [respond(asked, "A", "r1")])
    assert [one.content for one in teacher.asked[0].messages] == ["Own.", "Q", "A"]


async def test_a_template_puts_the_problem_in_its_own_words(
    tmp_path: Path, make_unit: Any, model: Any, prompt: Any, respond: Any
) -> None:
    (tmp_path / "solve.jinja").write_text("SOLVE: {{ prompt }} ({{ conversation | length }})")
    asked = prompt("One?", "Two", "Three?")
    teacher = model("teacher", says(-1.0))
    judge = load(tmp_path, template="solve.jinja")
    await judged(judge, make_unit(asked, teacher), [respond(asked, "Four", "r1")])
    assert [one.content for one in teacher.asked[0].messages] == ["SOLVE: Three? (3)", "Four"]
    (tmp_path / "solve.jinja").write_text("other")
    assert load(tmp_path, template="solve.jinja").identity() != judge.identity()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Completion("x"), "the reply has no log-probabilities"),
        (Completion("x", logprobs=()), "the reply has no log-probabilities"),
        (Completion(None, error="too long", status=400), "the endpoint refused the request: too"),
    ],
)
async def test_what_cannot_be_read_has_no_score(
    make_unit: Any, model: Any, prompt: Any, respond: Any, answer: Completion, error: str
) -> None:
    asked = prompt("Q")
    unit = make_unit(asked, model("teacher", lambda request, choice: answer))
    [row] = await judged(load(), unit, [respond(asked, "A", "r1")])
    assert row.score is None
    assert row.error is not None
    assert row.error.startswith(error)


async def test_empty_and_missing_texts_are_not_judged(
    make_unit: Any, model: Any, prompt: Any, respond: Any
) -> None:
    asked = prompt("Q")
    responses = [respond(asked, text, f"r{text}") for text in (None, "", " \n")]
    assert await judged(load(), make_unit(asked, model("teacher", says(-1.0))), responses) == []


async def test_another_statistic_is_another_judge_and_costs_no_call(
    make_unit: Any, model: Any, prompt: Any, respond: Any
) -> None:
    asked, teacher = prompt("Q"), model("teacher", says(-1.0, -3.0))
    unit, response = make_unit(asked, teacher), respond(asked, "A", "r1")
    rows = [
        row
        for statistic in ("min", "mean", "sum")
        for row in await judged(load(statistic=statistic), unit, [response])
    ]
    assert [row.score for row in rows] == [-3.0, -2.0, -4.0]
    assert len({row.judge_identity for row in rows}) == len({row.judgment_id for row in rows}) == 3
    assert len(teacher.asked) == 1


@pytest.mark.parametrize(
    ("template", "said"),
    [("{{ response }}", 'no such variable "response"'), ("{{", "line 1")],
)
def test_a_wrong_template_is_told_before_any_call(tmp_path: Path, template: str, said: str) -> None:
    (tmp_path / "t.jinja").write_text(template)
    with pytest.raises(RecipeError, match=said):
        load(tmp_path, template="t.jinja")


RECIPE = """
name = "trial"
[sources.questions]
kind = "builtin"
dataset = "sums_held_out"
[prompts]
text = "question"
[models.teacher]
{model}
[[samplers]]
kind = "independent"
model = "teacher"
[[judges]]
kind = "likelihood"
model = "teacher"
[[pairings]]
kind = "best_worst"
[[filters]]
kind = "{filter}"
min = {min}
"""
REMOTE = 'kind = "openai_api"\nbase_url = "https://api.openai.com/v1"'


def recipe(folder: Path, model: str, **changed: Any) -> None:
    write_recipe(folder, RECIPE.format(model=model, **{"filter": "margin", "min": 2} | changed))
    read(folder)


def test_a_model_that_gives_no_log_probabilities_of_a_text_is_told_before_any_call(
    tmp_path: Path,
) -> None:
    recipe(tmp_path, 'kind = "embedded"')
    recipe(tmp_path, f'{REMOTE}\nscoring = "vllm"')
    for model in (REMOTE, 'kind = "scripted"\ndefault = "x"'):
        with pytest.raises(
            RecipeError, match=r"judges.* likelihood: model: models\.teacher gives no"
        ):
            recipe(tmp_path, model)


def test_thresholds_are_held_against_log_probabilities(tmp_path: Path) -> None:
    recipe(tmp_path, 'kind = "embedded"', filter="min_score", min=-3)
    with pytest.raises(RecipeError, match="no score can be 2: the scale of likelihood is"):
        recipe(tmp_path, 'kind = "embedded"', filter="min_score", min=2)


def test_a_bounded_budget_needs_no_length_of_what_is_only_scored(tmp_path: Path) -> None:
    """The sampler's answers need one, the judge's do not."""
    model = 'kind = "embedded"\nsampling = { max_tokens = 9 }'
    recipe(tmp_path, f"{model}\n[budget]\ntokens = 1000")


async def test_the_shipped_teacher_tells_right_from_wrong(make_unit: Any) -> None:
    """AUC over real samples of the shipped policy; docs/embedded.md has it over more of them."""
    policy, teacher = (shipped_model(name) for name in ("policy", "teacher"))
    sampler = load_part("samplers", {"kind": "independent", "model": ("policy",), "n": 8}, WHERE)
    verifier = load_part("judges", {"kind": "verifier", "answer": "number"}, WHERE)
    await policy.open()
    await teacher.open()
    scores: dict[float, list[float]] = {0.0: [], 1.0: []}
    for asked in sums(80):
        unit = make_unit(asked, policy, teacher)
        responses = list({one.text: one for one in (await sampler.draw(unit)).responses}.values())
        likelihoods = await load().judge(unit, responses)
        verdicts = await verifier.judge(unit, responses)
        for likelihood, verdict in zip(likelihoods, verdicts, strict=True):
            scores[verdict.score].append(likelihood.score)
    await policy.close()
    await teacher.close()
    wins = [(a > b) + (a == b) / 2 for a in scores[1.0] for b in scores[0.0]]
    assert min(map(len, scores.values())) > 50
    assert fmean(wins) > 0.82


def shipped_model(name: str) -> Backend:
    table = {"kind": "embedded", "name": name, "sampling": {"temperature": 0.8, "max_tokens": 96}}
    backend = load_part("backends", table, WHERE)
    assert isinstance(backend, Backend)
    return backend


def sums(count: int) -> Iterator[Prompt]:
    for line in shipped("prompts/sums_held_out.jsonl").read_text().splitlines()[:count]:
        row = json.loads(line)
        messages = (Message("user", row["question"]),)
        yield Prompt(prompt_id(messages), messages, reference=str(row["answer"]))
