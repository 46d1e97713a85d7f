import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import PrivateAttr

from pipelines.backend import Backend, Completion, Reply, Request, Sampling
from pipelines.calls.budget import (
    MESSAGE_TOKENS,
    TEMPLATE_TOKENS,
    Budget,
    BudgetReached,
    Cost,
    worst_case,
)
from pipelines.calls.dispatch import Dispatcher
from pipelines.calls.meter import Meter
from pipelines.calls.prices import Prices, Usage
from pipelines.errors import RecipeError, TransientError
from pipelines.recipe import read_recipe
from schemas.rows import Message, ToolCall
from tests.builds import OVER_HTTP, write_questions, write_recipe

PRICES = Prices(input=1.0, output=10.0)


class Metered(Backend):
    """Takes a given share of the tokens that each request allows, and remembers the most in use."""

    _share: float = PrivateAttr(default=1.0)
    _failures: list[TransientError] = PrivateAttr(default_factory=list)
    _calls: int = PrivateAttr(default=0)

    def model_identity(self) -> str:
        return "metered"

    def endpoint(self) -> str:
        return "metered"

    async def complete(self, request: Request) -> Reply:
        self._calls += 1
        await asyncio.sleep(0)
        if self._failures:
            raise self._failures.pop()
        completion = round(request.n * (request.sampling.max_tokens or 0) * self._share)
        usage = Usage(prompt_tokens=4, completion_tokens=completion) if self._share else None
        return Reply((Completion("x"),) * request.n, usage)


def metered(share: float = 1.0, **fields: Any) -> Metered:
    model = Metered.model_validate({"kind": "metered", "name": "m", "prices": PRICES, **fields})
    model._share = share
    return model


def request(n: int = 1, max_tokens: int = 100) -> Request:
    sampling = Sampling(max_tokens=max_tokens)
    return Request((Message("user", "four"),), None, sampling, n, seed=None)


async def spend(budget: Budget, model: Metered, requests: list[Request]) -> tuple[int, Cost]:
    """Calls all requests at once; returns how many were let through, and what they took."""
    async with Dispatcher({"m": model}, Meter(), budget, backoff_s=0.0) as dispatcher:
        results = await asyncio.gather(
            *(dispatcher.call(model, one) for one in requests), return_exceptions=True
        )
        purse = dispatcher.purse
    assert purse.reserved == Cost()
    assert all(isinstance(result, Reply | BudgetReached | TransientError) for result in results)
    return sum(isinstance(result, Reply) for result in results), purse.spent


def test_the_worst_case_is_a_token_for_each_byte_and_all_that_may_be_answered() -> None:
    prompt = 4 + MESSAGE_TOKENS + TEMPLATE_TOKENS
    cost = worst_case(metered(), request(n=3, max_tokens=50))
    assert cost == Cost(1, prompt + 150, pytest.approx((prompt * 1.0 + 150 * 10.0) / 1e6))


def test_the_worst_case_holds_all_that_is_sent_beside_the_texts() -> None:
    plain = worst_case(metered(), request()).tokens
    calls = (ToolCall("c1", "add", '{"a":1}'),)
    sent = Message("assistant", "four", tool_calls=calls, name="bob")
    sampling = Sampling(max_tokens=100, json_schema={"type": "object"}, extra_body={"min_p": 0.1})
    cost = worst_case(metered(), Request((sent,), None, sampling, 1, seed=None))
    told = "c1" + "add" + '{"a":1}' + "bob" + '{"type":"object"}' + '{"min_p":0.1}'
    assert cost.tokens == plain + len(told) + MESSAGE_TOKENS


def test_the_worst_case_is_at_the_dearest_price_of_each_way() -> None:
    dear = metered(prices=Prices(input=1.0, cached_input=3.0, output=10.0, reasoning=20.0))
    prompt = 4 + MESSAGE_TOKENS + TEMPLATE_TOKENS
    assert worst_case(dear, request()).money == pytest.approx((prompt * 3.0 + 100 * 20.0) / 1e6)


@given(
    limit=st.integers(1, 3000),
    share=st.floats(0.1, 1.0),
    sizes=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 200)), max_size=30),
    window=st.integers(1, 8),
)
def test_tokens_never_exceed_the_budget(
    limit: int, share: float, sizes: list[tuple[int, int]], window: int
) -> None:
    requests = [request(n, max_tokens) for n, max_tokens in sizes]
    done, spent = asyncio.run(spend(Budget(tokens=limit), metered(share, window=window), requests))
    assert spent.tokens <= limit
    assert spent.calls == done
    if done < len(requests):  # one was refused, so no more was left than it might have taken
        assert spent.tokens + max(worst_case(metered(), one).tokens for one in requests) > limit


async def test_what_a_call_did_not_use_is_there_for_the_next_one() -> None:
    worst = worst_case(metered(), request()).tokens  # of which 4 + 10 are used
    done, spent = await spend(Budget(tokens=worst + 14), metered(0.1), [request()] * 2)
    assert done == 2
    assert spent.tokens == 28


async def test_calls_and_money_are_bounds_too() -> None:
    done, _ = await spend(Budget(calls=3), metered(), [request()] * 10)
    assert done == 3
    each = (4 * 1.0 + 100 * 10.0) / 1e6
    done, spent = await spend(Budget(money=each * 5), metered(window=1), [request()] * 10)
    assert done == 4  # a fifth might cost up to (148 + 1000) millionths, and 1004 are left
    assert spent.money == pytest.approx(4 * each)


async def test_a_reply_without_usage_counts_as_the_worst_case() -> None:
    worst = worst_case(metered(), request()).tokens
    done, spent = await spend(Budget(tokens=worst), metered(0.0), [request()] * 2)
    assert done == 1
    assert spent.tokens == worst


async def test_a_call_that_broke_off_may_have_been_billed_and_counts_in_full() -> None:
    worst = worst_case(metered(), request()).tokens
    model = metered(0.1, max_tries=2)
    model._failures = [TransientError("cut", broke_off=True)]
    _, spent = await spend(Budget(tokens=10 * worst), model, [request()])
    assert spent == Cost(2, worst + 14, pytest.approx(spent.money))
    model._failures = [TransientError("busy", overload=True)]
    _, spent = await spend(Budget(tokens=10 * worst), model, [request()])
    assert spent.tokens == 14


async def test_no_call_is_started_after_the_time_is_over() -> None:
    model, meter = metered(), Meter()
    meter.started -= 60
    async with Dispatcher({"m": model}, meter, Budget(wall_s=30)) as dispatcher:
        with pytest.raises(BudgetReached, match="wall_s"):
            await dispatcher.call(model, request())
    assert model._calls == 0


async def test_a_call_that_the_budget_refuses_waits_for_no_start_of_a_slow_endpoint() -> None:
    async with asyncio.timeout(10):
        done, _ = await spend(Budget(calls=1), metered(requests_per_minute=1), [request()] * 3)
    assert done == 1


async def test_no_pause_before_a_start_or_a_further_attempt_outlasts_the_time() -> None:
    slow, busy = metered(requests_per_minute=1), metered(max_tries=9)
    busy._failures = [TransientError("busy", retry_after=300.0)]
    async with asyncio.timeout(10):
        done, spent = await spend(Budget(wall_s=0.2), slow, [request()] * 2)
        assert (done, spent.calls) == (1, 1)
        done, spent = await spend(Budget(wall_s=0.2), busy, [request()])
        assert (done, spent.calls) == (0, 1)


@pytest.mark.parametrize("limit", ["max_tokens", "max_completion_tokens"])
def test_a_length_limit_that_wins_over_the_one_reserved_is_refused(
    tmp_path: Path, limit: str
) -> None:
    write_questions(tmp_path, range(3))
    path = write_recipe(tmp_path, OVER_HTTP.format(url="http://127.0.0.1:1/v1"))
    raised = f"models.policy.sampling.extra_body.{limit}=5000"
    read_recipe(path, [raised, "budget.calls=5"])
    with pytest.raises(RecipeError, match=f"{limit} in sampling.extra_body"):
        read_recipe(path, [raised, "budget.tokens=900"])


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        ("budget.money=1.5", "prices"),
        ("budget.tokens=1000", "max_tokens"),
        ("budget.tokens=0", "a number of at least 1"),
        ("budget.dollars=1", "money"),
    ],
)
def test_a_budget_that_cannot_be_held_is_refused(tmp_path: Path, budget: str, message: str) -> None:
    write_questions(tmp_path, range(3))
    path = write_recipe(tmp_path, OVER_HTTP.format(url="http://127.0.0.1:1/v1"))
    with pytest.raises(RecipeError, match=r"\[budget\]") as refusal:
        read_recipe(path, [budget])
    assert message in str(refusal.value)


def test_a_budget_is_not_in_the_fingerprint(tmp_path: Path) -> None:
    write_questions(tmp_path, range(3))
    path = write_recipe(tmp_path, OVER_HTTP.format(url="http://127.0.0.1:1/v1"))
    assert read_recipe(path, ["budget.calls=5"]).fingerprint() == read_recipe(path).fingerprint()


async def test_a_call_that_reached_nobody_counts_as_nothing() -> None:
    model = metered(0.1, max_tries=2)
    model._failures = [TransientError("refused", unsent=True)]
    done, spent = await spend(Budget(calls=1), model, [request()])
    assert (done, spent.calls) == (1, 1)


async def test_the_bound_that_is_reached_is_named() -> None:
    model = metered()
    async with Dispatcher({"m": model}, Meter(), Budget(calls=1, tokens=10**6)) as dispatcher:
        await dispatcher.call(model, request())
        with pytest.raises(BudgetReached, match=r"reached: calls = 1$"):
            await dispatcher.call(model, request())
