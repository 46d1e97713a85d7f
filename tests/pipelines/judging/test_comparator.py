import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.backend import Completion, TokenLogprob
from pipelines.errors import RecipeError
from pipelines.judges.pairwise import Pairwise
from pipelines.judging.comparator import _p_a
from pipelines.judging.tie_rule import PAIRS
from pipelines.part import Where, load_part
from pipelines.scoring.comparisons import consolidate
from schemas.canonical import draw_integer
from schemas.rows import Judgment
from tests.pipelines.tables import UNIT, rows_of


def comparator(**fields):
    return Pairwise.model_validate({"kind": "pairwise", "model": "judge", **fields})


def letter(**probabilities):
    """A reply of one token whose alternatives have these probabilities."""
    top = tuple((text, math.log(p)) for text, p in probabilities.items())
    return Completion(top[0][0], "stop", logprobs=(TokenLogprob(*top[0], top),))


def shown(request):
    """The texts under A and under B."""
    words = request.messages[-1].content
    first, second = words.split("# Response A")[1].split("# Response B")
    return first, second


def favours(text, **odds):
    """A judge whose odds are `odds` where `text` stands as A, and turned where it stands as B."""
    turned = {"A": "B", "B": "A", "C": "C"}

    def answer(request, choice):
        stands_first = text in shown(request)[0]
        return letter(**{at if stands_first else turned[at]: p for at, p in odds.items()})

    return answer


@pytest.fixture
def compare(make_unit, model, prompt, respond):
    """What a comparator makes of "good" (r1, hence a) and "poor" (r2, hence b)."""

    async def ask(judge, answer, **fields):
        asked = prompt("Hello?")
        one, other = respond(asked, "good", "r1"), respond(asked, "poor", "r2")
        unit = make_unit(asked, model("judge", answer), ledger=f"{fields}")
        return await judge.compare(unit, one, other, **fields)

    return ask


async def test_p_a_is_the_mean_of_both_orders(compare):
    # P(A|AB) = .8 / 1, P(B|BA) = .6: a is better with (.8 + .6) / 2 = .7
    def answer(request, choice):
        good_is_a = "good" in shown(request)[0]
        return letter(A=0.8, B=0.2) if good_is_a else letter(A=0.4, B=0.6)

    compared = await compare(comparator(read="probability"), answer)
    assert [(row.order, row.p_a, row.mass, row.verdict) for row in compared.rows] == [
        ("AB", 0.8, 1.0, None),
        ("BA", 0.6, 1.0, None),
    ]
    assert compared.p_a == pytest.approx(0.7)


async def test_odds_are_renormalised_and_neither_counts_half(compare):
    # .54 / .9 + (.18 / .9) / 2 = .7; the other .1 is no answer
    reply = favours("good", A=0.54, B=0.18, C=0.18)
    compared = await compare(comparator(read="probability"), reply)
    assert [row.p_a for row in compared.rows] == [0.7, 0.7]
    assert [row.mass for row in compared.rows] == [pytest.approx(0.9)] * 2
    without = await compare(comparator(read="probability", ties=False), reply)
    assert [row.p_a for row in without.rows] == [0.75, 0.75]  # .54 / (.54 + .18)


async def test_a_judge_that_always_says_a_is_even_in_both_orders_and_sure_in_one(compare):
    judge = comparator(read="probability")
    for p in (0.9, 0.123457, 0.7000005):
        answer = lambda *_, p=p: letter(A=p, B=1 - p)  # noqa: E731
        both = await compare(judge, answer)
        assert both.p_a == 0.5
    one = await compare(judge, lambda *_: letter(A=0.9, B=0.1), orders=("AB",))
    assert one.p_a == 0.9


async def test_too_little_mass_is_unread_and_takes_no_other_order_with_it(compare):
    def answer(request, choice):
        return letter(A=0.3, no=0.7) if "good" in shown(request)[0] else letter(A=0.2, B=0.8)

    compared = await compare(comparator(read="probability"), answer)
    assert [(row.p_a, row.mass, row.error) for row in compared.rows] == [
        (None, pytest.approx(0.3), "only 0.300 of the probability is on A, B, C"),
        (0.8, 1.0, None),
    ]
    assert compared.p_a is None


async def test_a_reply_without_log_probabilities_says_what_needs_none(compare):
    compared = await compare(comparator(read="probability"), lambda *_: "A")
    assert {row.error for row in compared.rows} == {
        'the reply has no log-probabilities; read = "verdict" needs none'
    }


async def test_the_verdict_after_a_reason_has_its_odds_at_its_own_token(compare):
    def answer(request, choice):
        a, b = ("A", "B") if "good" in shown(request)[0] else ("B", "A")
        top = ((f" {a}", math.log(0.75)), (f" {b}", math.log(0.25)))
        texts = ["A", " and", " B", " differ", ".\n", "Verdict", ":"]
        tokens = [*(TokenLogprob(text, -0.1) for text in texts), TokenLogprob(*top[0], top)]
        said = "".join(token.token for token in tokens)
        return Completion(said, finish_reason="stop", logprobs=tuple(tokens))

    judge = comparator(read="probability", sampling={"max_tokens": 64})
    compared = await compare(judge, answer)
    assert [row.p_a for row in compared.rows] == [0.75, 0.75]


async def test_one_token_is_asked_for_with_its_alternatives(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    backend = model("judge", lambda *_: letter(A=0.9, B=0.1))
    judge = comparator(read="probability")
    pair = respond(asked, "good", "r1"), respond(asked, "poor", "r2")
    await judge.compare(make_unit(asked, backend), *pair)
    assert len(backend.asked) == 2
    given = [request.sampling.given for request in backend.asked]
    assert given == [{"temperature": 0, "max_tokens": 1, "logprobs": True, "top_logprobs": 20}] * 2


async def test_what_all_comparisons_of_a_prompt_share_comes_first(
    make_unit, model, prompt, respond
):
    asked = prompt("A question of some length, which is shown to the judge?")
    backend = model("judge", lambda *_: "Verdict: A")
    unit, judge = make_unit(asked, backend), comparator()
    responses = [respond(asked, text, text) for text in ("one", "two", "three")]
    await judge.judge(unit, responses)
    messages = [request.messages[-1].content for request in backend.asked]
    assert len(messages) == 6
    assert len({words.split("# Response A")[0] for words in messages}) == 1
    assert all("some length" in words.split("# Response A")[0] for words in messages)


async def test_a_judge_without_ties_is_not_offered_one_and_may_not_give_one(compare):
    asked = []

    def answer(request, choice):
        asked.append(request.messages[0].content)
        return "Verdict: tie"

    compared = await compare(comparator(ties=False, reask=0), answer)
    assert {row.error for row in compared.rows} == {"a tie is no verdict here: it must be A or B"}
    assert compared.p_a is None
    assert not any("tie" in words for words in asked)
    offered = await compare(comparator(), answer)
    assert [row.verdict for row in offered.rows] == ["tie", "tie"]
    assert offered.p_a == 0.5


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"read": "probability", "samples": 2}, "one token are equal each time"),
        ({"samples": 2}, "above 0"),
        ({"read": "probability", "reask": 1}, "not asked for again"),
        ({"read": "probability", "sampling": {"logprobs": False}}, "needs log-probabilities"),
        ({"band": 0.5}, "below 0.5|less than 0.5"),
    ],
)
def test_what_cannot_be_is_refused(fields, message):
    where = Where("recipe.toml", "[[judges]] #1 (pairwise)", Path())
    with pytest.raises(RecipeError, match=message):
        load_part("judges", {"kind": "pairwise", "model": "judge", **fields}, where)


@pytest.mark.parametrize("kind", ["pairwise", "pairs_search", "tournament"])
async def test_probabilities_do_not_depend_on_arrival(kind, make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    responses = [respond(asked, f"text {n}", f"r{n}") for n in range(7)]
    responses.append(respond(asked, "text 3", "twin"))

    def answer(request, choice):
        drawn = draw_integer(request.messages[-1].content) % 97
        return letter(A=(drawn + 1) / 100, B=(98 - drawn) / 100) if drawn % 9 else "Who knows?"

    judge = load_part(
        "judges",
        {"kind": kind, "model": "judge", "read": "probability"},
        Where("r.toml", "", Path()),
    )
    judged = []
    for latency, shown_in in enumerate((responses, responses, responses[::-1])):
        unit = make_unit(asked, model("judge", answer, seed=latency), ledger=f"{latency}")
        judged.append(await judge.judge(unit, shown_in))
    assert judged[0] == judged[1]
    assert sorted(map(repr, judged[0])) == sorted(map(repr, judged[2]))
    assert len({row.judgment_id for row in judged[0]}) == len(judged[0])
    assert any(row.error for row in judged[0])


SAID = st.one_of(
    st.none(),
    st.sampled_from(["a", "b", "tie"]),
    st.integers(0, UNIT).map(lambda micro: micro / UNIT),
)


@given(st.lists(st.tuples(SAID, SAID), min_size=1, max_size=4))
def test_a_search_and_selection_make_the_same_of_the_orders(samples):
    rows = [
        Judgment(
            f"{index}{order}",
            "p",
            "j",
            "j",
            response_a_id="r1",
            response_b_id="r2",
            comparison_id="c",
            order=order,
            sample_index=index,
            verdict=said if isinstance(said, str) else None,
            p_a=said if isinstance(said, float) else None,
        )
        for index, orders in enumerate(samples)
        for order, said in zip(("AB", "BA"), orders, strict=True)
    ]
    columns = ("response_a_id", "response_b_id", "comparison_id", "order", "sample_index")
    read = ("prompt_id", "judge", "verdict", "p_a")
    frame = rows_of(
        "judgments", [{name: getattr(row, name) for name in (*columns, *read)} for row in rows]
    )
    [consolidated] = consolidate(frame, (), {"j": PAIRS}).rows(named=True)
    p = _p_a(rows)
    if p is None:
        assert consolidated["p_a"] is None
    else:
        assert consolidated["p_a"] == pytest.approx(p * UNIT, abs=1)
    if len(samples) == 1:
        verdict = None if p is None else "tie" if p == 0.5 else "a" if p > 0.5 else "b"
        assert consolidated["verdict"] == verdict


def test_a_judge_that_compares_says_how_its_orders_are_read():
    assert comparator(inconsistent="drop", band=0.1).tie_rule().inconsistent == "drop"
    assert comparator(band=0.1).tie_rule().band == 100_000
    assert comparator().tie_rule().inconsistent is None


async def test_a_tie_of_several_tokens_counts_by_the_first(compare):
    def answer(request, choice):
        a, b = ("A", "B") if "good" in shown(request)[0] else ("B", "A")
        top = (("t", math.log(0.6)), (a, math.log(0.3)), (b, math.log(0.1)))
        tokens = (TokenLogprob("Verdict: ", -0.1), TokenLogprob(*top[0], top))
        tokens += (TokenLogprob("ie", -0.1),)
        said = "".join(token.token for token in tokens)
        return Completion(said, finish_reason="stop", logprobs=tokens)

    judge = comparator(read="probability", sampling={"max_tokens": 9})
    compared = await compare(judge, answer)
    assert [row.p_a for row in compared.rows] == [0.6, 0.6]  # .3 + .6 / 2


def test_whether_odds_or_words_are_read_is_in_the_identity(make_unit, model, prompt):
    sampling = {"temperature": 0.0, "max_tokens": 99, "logprobs": True, "top_logprobs": 20}
    unit = make_unit(prompt("Hi"), model("judge", lambda *_: ""))
    read = [comparator(read=one, sampling=sampling) for one in ("verdict", "probability")]
    assert read[0].judge_identity(unit) != read[1].judge_identity(unit)
