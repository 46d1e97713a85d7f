import asyncio
import math
from collections import Counter
from math import ceil, comb, log2
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.backend import Completion, TokenLogprob
from pipelines.errors import RecipeError
from pipelines.judges.pairs_search import UNCONNECTED, PairsSearch
from pipelines.judging.comparator import Comparator, Compared
from pipelines.part import Where, load_part
from pipelines.unit import Unit
from schemas.canonical import draw_unit
from schemas.rows import Message, Prompt, Response, prompt_id


def search(**fields):
    return PairsSearch.model_validate({"kind": "pairs_search", "model": "judge", **fields})


def shown(request):
    words = request.messages[-1].content
    first, second = words.split("# Response A")[1].split("# Response B")
    return tuple(float(part.split("worth ")[1].split()[0]) for part in (first, second))


def odds(p):
    """The reply of a judge that says A with probability `p`."""
    p = min(max(p, 1e-6), 1 - 1e-6)
    top = (("A", math.log(p)), ("B", math.log(1 - p)))
    return Completion("A", finish_reason="stop", logprobs=(TokenLogprob(*top[0], top),))


def knows(request, choice):
    """P(A) = sigma(what A is worth - what B is worth)."""
    one, other = shown(request)
    return odds(1 / (1 + math.exp(other - one)))


def worth(respond, asked, values):
    return [
        respond(asked, f"worth {value} points", f"r{number}") for number, value in enumerate(values)
    ]


def ranks(rows):
    return {row.response_id: row.rank for row in rows if row.response_id is not None}


def comparisons(rows, dimension=None):
    return {row.comparison_id for row in rows if row.comparison_id and row.dimension == dimension}


@pytest.mark.parametrize("count", [2, 3, 4, 5, 8, 13, 32])
async def test_known_scores_are_ranked_exactly_with_the_calls_of_the_formula(
    count, make_unit, model, prompt, respond
):
    asked = prompt("Hello?")
    values = [(7 * number) % 37 for number in range(count)]
    backend = model("judge", knows)
    rows = await search().judge(make_unit(asked, backend), worth(respond, asked, values))

    in_order = sorted(values, reverse=True)
    assert ranks(rows) == {f"r{n}": in_order.index(value) + 1 for n, value in enumerate(values)}
    sorting, rechecks = comparisons(rows), comparisons(rows, "recheck")
    levels = ceil(log2(count))
    assert len(sorting) <= count * levels - 2**levels + 1
    assert len(rechecks) <= 1
    assert len(sorting | rechecks) == len(sorting) + len(rechecks) <= count * levels
    assert len(backend.asked) == 2 * len(sorting | rechecks)
    assert len(rows) == count + len(backend.asked)


async def test_verdicts_rank_as_well(make_unit, model, prompt, respond):
    def answer(request, choice):
        one, other = shown(request)
        return f"Verdict: {'tie' if one == other else 'A' if one > other else 'B'}"

    asked = prompt("Hello?")
    unit = make_unit(asked, model("judge", answer))
    rows = await search(read="verdict").judge(unit, worth(respond, asked, [2, 4, 1, 3, 5]))
    assert ranks(rows) == {"r0": 4, "r1": 2, "r2": 5, "r3": 3, "r4": 1}


async def test_a_judge_that_always_says_a_ranks_nobody_before_another(
    make_unit, model, prompt, respond
):
    asked = prompt("Hello?")
    unit = make_unit(asked, model("judge", lambda *_: odds(0.9)))
    rows = await search().judge(unit, worth(respond, asked, range(6)))
    assert set(ranks(rows).values()) == {1}
    p_a = {(row.order, row.p_a) for row in rows if row.comparison_id}
    assert p_a == {("AB", 0.9), ("BA", 0.1)}


async def test_uncalibrated_takes_one_call_and_shows_both_orders_about_as_often(
    make_unit, model, prompt, respond
):
    orders = Counter()
    for question in range(20):
        asked = prompt(f"Hello {question}?")
        backend = model("judge", knows)
        responses = worth(respond, asked, range(6))
        judge = search(calibrate=False, recheck=0)
        rows = await judge.judge(make_unit(asked, backend), responses)
        assert len(backend.asked) == len(comparisons(rows))
        assert list(ranks(rows).values()) == [6, 5, 4, 3, 2, 1]
        orders += Counter(row.order for row in rows if row.comparison_id)
    assert 0.35 < orders["AB"] / orders.total() < 0.65


async def test_equal_texts_are_compared_once_and_share_their_rank(
    make_unit, model, prompt, respond
):
    asked = prompt("Hello?")
    backend = model("judge", knows)
    rows = await search().judge(make_unit(asked, backend), worth(respond, asked, [1, 2, 1, 2]))
    assert ranks(rows) == {"r0": 2, "r1": 1, "r2": 2, "r3": 1}
    assert len(backend.asked) == 2
    alone = await search().judge(make_unit(asked, backend), worth(respond, asked, [1, 1]))
    assert alone == []


async def test_what_cannot_be_read_is_not_ranked_and_the_rest_is(make_unit, model, prompt, respond):
    def answer(request, choice):
        return "I will not say." if 3 in shown(request) else knows(request, choice)

    asked = prompt("Hello?")
    unit = make_unit(asked, model("judge", answer))
    rows = await search().judge(unit, worth(respond, asked, range(6)))
    assert ranks(rows) == {"r5": 1, "r4": 2, "r3": None, "r2": 3, "r1": 4, "r0": 5}
    assert [row.error for row in rows if row.response_id == "r3"] == [UNCONNECTED]
    silent = make_unit(asked, model("judge", lambda *_: "No."), ledger="silent")
    rows = await search().judge(silent, worth(respond, asked, range(6)))
    assert set(ranks(rows).values()) == {None}


async def test_a_recheck_closes_a_triple_of_neighbours(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    unit = make_unit(asked, model("judge", knows))
    rows = await search(recheck=9).judge(unit, worth(respond, asked, range(12)))
    rank = ranks(rows)
    looks = {(row.response_a_id, row.response_b_id) for row in rows if row.dimension == "recheck"}
    asked_before = {(row.response_a_id, row.response_b_id) for row in rows if row.dimension is None}
    assert looks
    assert {abs(rank[a] - rank[b]) for a, b in looks} == {2}
    assert not looks & asked_before


async def test_a_beam_never_asks_twice(make_unit, model, prompt, respond):
    asked = prompt("Hello?")
    backend = model("judge", lambda request, _: odds(0.5 + (shown(request)[0] % 3 - 1) / 50))
    judge = search(beam_size=4, prob_gap=0.05, recheck=0)
    rows = await judge.judge(make_unit(asked, backend), worth(respond, asked, range(9)))
    pairs = len(comparisons(rows))
    greedy = search(recheck=0)
    fewer = await greedy.judge(make_unit(asked, backend), worth(respond, asked, range(9)))
    assert len(comparisons(fewer)) < pairs <= comb(9, 2)
    assert len({repr(request) for request in backend.asked}) == 2 * len(
        comparisons(rows) | comparisons(fewer)
    )


class Known(PairsSearch):
    """Compares without a model, by `p`."""

    async def compare(self, unit, one, other, *, orders=(), dimension=None):
        p = self.p(unit, *sorted((one.response_id, other.response_id)))
        return Compared((), p)

    def p(self, unit, a, b):
        noise = 0.2 * (draw_unit("noise", unit.prompt.prompt_id, a, b) - 0.5)
        return round(min(max((0.75 if int(a) < int(b) else 0.25) + noise, 0), 1), 6)

    def judge_identity(self, unit):
        return "known"


@settings(max_examples=40)
@given(count=st.integers(2, 32), data=st.data())
def test_up_to_32_responses_in_any_order_have_the_same_ranks(count, data):
    messages = (Message("user", f"{data.draw(st.integers(0, 99))}?"),)
    asked = Prompt(prompt_id(messages), messages)

    class Quiet(Unit):
        def draw(self, *path):
            return draw_unit(self.prompt.prompt_id, *path)

    responses = [
        Response(f"{n:02}", asked.prompt_id, f"text {n}", "m", "m", "s") for n in range(count)
    ]
    mixed = data.draw(st.permutations(responses))
    judge = Known.model_validate({"kind": "known", "model": "judge"})
    rows = asyncio.run(judge.judge(Quiet(asked, None), mixed))
    # the noise never turns a comparison round: the order is that of the ids
    assert ranks(rows) == {one.response_id: n for n, one in enumerate(responses, 1)}


def test_a_gap_without_a_beam_is_refused():
    where = Where("recipe.toml", "[[judges]] #1 (pairs_search)", Path())
    table = {"kind": "pairs_search", "model": "judge", "prob_gap": 0.2}
    with pytest.raises(RecipeError, match="prob_gap: needs beam_size above 1"):
        load_part("judges", table, where)


def test_it_asks_as_pairwise_does_so_that_neither_pays_what_the_other_paid():
    assert issubclass(PairsSearch, Comparator)
    assert search().own_template.name == "pairwise.jinja"


def test_of_how_many_samples_a_rank_is_made_is_in_its_identity(make_unit, model, prompt):
    unit = make_unit(prompt("Hi"), model("judge", lambda *_: ""))
    warm = {"read": "verdict", "sampling": {"temperature": 1.0}}
    identities = {search(samples=samples, **warm).judge_identity(unit) for samples in (1, 3)}
    assert len(identities) == 2
