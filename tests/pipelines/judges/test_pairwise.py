from pathlib import Path

import pytest

from pipelines.errors import RecipeError
from pipelines.judges.pairwise import Pairwise
from pipelines.part import Where, load_part


def pairwise(**fields):
    return Pairwise.model_validate({"kind": "pairwise", "model": "judge", **fields})


def always(text):
    return lambda request, choice: text


def prefers(text):
    """A judge that finds `text` better wherever it stands."""

    def answer(request, choice):
        words = request.messages[-1].content
        _, first, second = words.split("# Response ")
        return f"Verdict: {'A' if text in first else 'B' if text in second else 'tie'}"

    return answer


async def test_both_orders_are_asked_and_agree_on_a_and_b(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    judge = model("judge", prefers("good"))
    responses = [respond(asked, "good", "r2"), respond(asked, "poor", "r1")]

    judgments = await pairwise().judge(make_unit(asked, judge), responses)

    assert [
        (row.response_a_id, row.response_b_id, row.order, row.verdict) for row in judgments
    ] == [("r1", "r2", "AB", "b"), ("r1", "r2", "BA", "b")]
    assert len({row.comparison_id for row in judgments}) == 1
    assert len({row.judgment_id for row in judgments}) == 2
    assert len(judge.asked) == 2


async def test_a_judge_that_always_says_a_contradicts_itself(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    responses = [respond(asked, "one", "r1"), respond(asked, "two", "r2")]
    judgments = await pairwise().judge(
        make_unit(asked, model("judge", always("Verdict: A"))), responses
    )
    assert [row.verdict for row in judgments] == ["a", "b"]


async def test_a_comparison_does_not_depend_on_the_order_of_the_responses(
    make_unit, model, prompt, respond
):
    asked = prompt("Hello?")
    unit = make_unit(asked, model("judge", prefers("two")))
    responses = [respond(asked, text, text) for text in ("one", "two", "three")]

    forward = await pairwise().judge(unit, responses)
    backward = await pairwise().judge(unit, responses[::-1])

    assert {row.judgment_id: row for row in forward} == {row.judgment_id: row for row in backward}


async def test_an_unreadable_order_has_no_verdict_and_leaves_the_other_alone(
    make_unit, model, prompt, respond
):
    asked = prompt("Hello?")
    first_asked = []

    def answer(request, choice):
        first_asked.append(request.messages[0].content)
        return "Both are nice." if request.messages[0].content == first_asked[0] else "Verdict: B"

    responses = [respond(asked, "one", "r1"), respond(asked, "two", "r2")]
    judge = model("judge", answer)
    judgments = await pairwise().judge(make_unit(asked, judge), responses)

    unread = [row for row in judgments if row.verdict is None]
    assert [(row.raw, row.error) for row in unread] == [
        ("Both are nice.", 'no line starts with "Verdict:"')
    ]
    assert len(judge.asked) == 3


async def test_equal_texts_are_never_compared(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    responses = [respond(asked, text, id_) for text, id_ in (("x", "r1"), ("x", "r2"), ("y", "r3"))]
    judgments = await pairwise().judge(
        make_unit(asked, model("judge", always("Verdict: tie"))), responses
    )
    assert {(row.response_a_id, row.response_b_id) for row in judgments} == {
        ("r1", "r3"),
        ("r2", "r3"),
    }


async def test_adjacent_compares_each_with_the_next(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    responses = [respond(asked, text, text) for text in "dcba"]
    judgments = await pairwise(pairs="adjacent").judge(
        make_unit(asked, model("judge", always("Verdict: tie"))), responses
    )
    compared = [(row.response_a_id, row.response_b_id) for row in judgments[::2]]
    assert compared == [("c", "d"), ("b", "c"), ("a", "b")]


async def test_max_pairs_is_a_draw_by_seed_and_ids(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    judge = model("judge", always("Verdict: tie"))
    responses = [respond(asked, text, text) for text in "abcdef"]

    async def drawn(seed, shown):
        unit = make_unit(asked, judge, seed=seed)
        rows = await pairwise(max_pairs=4).judge(unit, shown)
        return {(row.response_a_id, row.response_b_id) for row in rows}

    draws = [await drawn(seed, responses) for seed in range(6)]
    assert {len(draw) for draw in draws} == {4}
    assert len(set(map(frozenset, draws))) > 1
    assert await drawn(3, responses[::-1]) == draws[3]


def test_a_scale_is_refused():
    where = Where("recipe.toml", "[[judges]] #1 (pairwise)", Path())
    table = {"kind": "pairwise", "model": "judge", "scale": (1, 10)}
    with pytest.raises(RecipeError, match="has no scale"):
        load_part("judges", table, where)


@pytest.mark.parametrize(
    ("words", "absent"),
    [("", "response_a"), ("{{ response_a }} {{ form }}", "response_b")],
)
def test_a_template_without_both_responses_is_refused(tmp_path, words, absent):
    (tmp_path / "mine.jinja").write_text(words)
    where = Where("recipe.toml", "[[judges]] #1 (pairwise)", tmp_path)
    table = {"kind": "pairwise", "model": "judge", "template": "mine.jinja"}
    with pytest.raises(RecipeError, match=f"template: mine.jinja: {{{{ {absent} }}}} is not in it"):
        load_part("judges", table, where)
