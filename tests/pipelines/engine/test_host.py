from collections.abc import AsyncIterator
from dataclasses import replace
from math import exp

import pytest

from pipelines.backend import SCORING, Reply, Request, Sampling
from pipelines.engine.host import Host
from pipelines.engine.model import Model
from pipelines.errors import RequestRefused
from schemas.rows import Message

HELLO = (Message("user", "Hello"),)


@pytest.fixture
async def host(tiny: Model) -> AsyncIterator[Host]:
    host = Host(tiny, samples=16)
    yield host
    host.close()


async def ask(host: Host, n: int = 1, seed: int | None = 1, **sampling: object) -> Reply:
    return await host.complete(Request(HELLO, None, Sampling(**sampling), n, seed))


async def test_a_reply_has_n_texts_and_the_tokens_of_all(host: Host) -> None:
    reply = await ask(host, n=3, max_tokens=5)
    assert len(reply.completions) == 3
    assert len({one.text for one in reply.completions}) > 1
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == 11
    assert reply.usage.completion_tokens == sum(
        one.completion_tokens or 0 for one in reply.completions
    )
    assert all(one.logprobs is None for one in reply.completions)


async def test_a_fixed_seed_wins_over_that_of_the_request(host: Host) -> None:
    first, second = [
        await host.complete(Request(HELLO, None, Sampling(seed=4, max_tokens=9), 2, seed))
        for seed in (1, 2)
    ]
    assert first == second
    assert first != await ask(host, n=2, seed=1, max_tokens=9)


async def test_without_any_seed_texts_differ(host: Host) -> None:
    texts = {(await ask(host, seed=None, max_tokens=20)).completions[0].text for _ in range(4)}
    assert len(texts) > 1


async def test_log_probabilities_come_when_asked_for(host: Host) -> None:
    [alone] = (await ask(host, max_tokens=4, logprobs=True)).completions
    [beside] = (await ask(host, max_tokens=4, top_logprobs=2)).completions
    assert alone.logprobs is not None
    assert beside.logprobs is not None
    assert "".join(token.token for token in alone.logprobs) == alone.text
    assert [token.logprob for token in alone.logprobs] == [one.logprob for one in beside.logprobs]
    assert [len(token.top) for token in beside.logprobs] == [2] * len(beside.logprobs)


async def test_a_score_is_of_the_last_message_alone(host: Host) -> None:
    [drawn] = (await ask(host, max_tokens=6, logprobs=True)).completions
    said = (*HELLO, Message("assistant", drawn.text))
    reply = await host.complete(Request(said, None, SCORING, 1, 1))
    [scored] = reply.completions
    assert scored.text == drawn.text
    assert scored.logprobs is not None
    assert drawn.logprobs is not None
    assert [one.token for one in scored.logprobs] == [one.token for one in drawn.logprobs]
    assert [one.logprob for one in scored.logprobs] == [
        pytest.approx(one.logprob, abs=1e-5) for one in drawn.logprobs
    ]


@pytest.mark.parametrize(
    "last", [Message("user", "Hello"), Message("assistant", ""), Message("assistant", None)]
)
async def test_what_is_no_answer_is_not_scored(host: Host, last: Message) -> None:
    with pytest.raises(RequestRefused, match="must be an assistant's, with a text"):
        await host.complete(Request((*HELLO, last), None, SCORING, 1, 1))


async def test_one_of_the_given_texts_is_chosen_by_its_probability(host: Host) -> None:
    """300 choices against the share of each, within 4 standard deviations."""
    body = {"structured_outputs": {"choice": ["b", "a", "ab"]}}
    completions = []
    for seed in range(3):
        reply = await ask(host, n=100, seed=seed, extra_body=body, logprobs=True)
        completions += reply.completions
    assert completions[0].logprobs is not None
    [whole] = completions[0].logprobs
    assert sorted(text for text, _ in whole.top) == ["a", "ab", "b"]
    assert whole.logprob == dict(whole.top)[whole.token]
    total = sum(exp(logprob) for _, logprob in whole.top)
    for text, logprob in whole.top:
        share = exp(logprob) / total
        count = sum(one.text == text for one in completions)
        assert abs(count - 300 * share) <= 4 * (300 * share * (1 - share)) ** 0.5


async def test_a_choice_may_end_with_any_of_the_ends(tiny: Model, host: Host) -> None:
    """Twice the same end counts once; of two, the probabilities are added."""
    body = {"structured_outputs": {"choice": ["b", "ab"]}}

    async def shares(*ends: int) -> dict[str, float]:
        one = Host(replace(tiny, ends=ends), samples=4)
        [reply] = (await ask(one, extra_body=body, logprobs=True)).completions
        one.close()
        assert reply.logprobs is not None
        return {text: exp(logprob) for text, logprob in reply.logprobs[0].top}

    first, second, both = await shares(3), await shares(9), await shares(3, 9, 3)
    for text, share in both.items():
        assert share == pytest.approx(first[text] + second[text], rel=1e-5)


async def test_the_greedy_choice_is_the_likeliest(host: Host) -> None:
    body = {"structured_outputs": {"choice": ["b", "a", "ab"]}}
    reply = await ask(host, temperature=0.0, extra_body=body, top_logprobs=3)
    [chosen] = reply.completions
    assert chosen.logprobs is not None
    assert chosen.text == chosen.logprobs[0].top[0][0]


@pytest.mark.parametrize(
    ("sampling", "said"),
    [
        ({"presence_penalty": 1.0}, "presence_penalty is not known"),
        ({"json_schema": {"type": "object"}}, "json_schema is not known"),
        ({"extra_body": {"min_p": 0.1, "top_a": 1}}, "min_p, top_a are not known"),
        ({"extra_body": {"structured_outputs": {"regex": "a"}}}, "structured_outputs is not"),
        (
            {"frequency_penalty": 1.0, "extra_body": {"structured_outputs": {"choice": ["a"]}}},
            "frequency_penalty is not known",
        ),
    ],
)
async def test_what_the_engine_does_not_know_is_refused(
    host: Host, sampling: dict[str, object], said: str
) -> None:
    with pytest.raises(RequestRefused, match=said):
        await ask(host, **sampling)


async def test_a_prompt_beyond_the_context_is_refused_and_its_neighbours_are_not(
    host: Host,
) -> None:
    long = Request((Message("user", "x" * 90),), None, Sampling(), 1, 1)
    with pytest.raises(RequestRefused, match="96 tokens, and the model has a context of 96"):
        await host.complete(long)
    assert (await ask(host, max_tokens=3)).completions[0].text is not None


async def test_an_unfinished_answer_is_gone_on_with(tiny: Model, host: Host) -> None:
    begun = (*HELLO, Message("assistant", "We"))
    extra = {"add_generation_prompt": False, "continue_final_message": True}
    sampling = Sampling(max_tokens=4, logprobs=True, extra_body=extra)
    reply = await host.complete(Request(begun, None, sampling, 2, 1))
    tokens, start = host.begun(begun, None)
    assert tiny.vocabulary.decode(tokens[start:]) == "We"
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == len(tokens)
    [first, _] = reply.completions
    whole = (*HELLO, Message("assistant", "We" + (first.text or "")))
    [scored] = (await host.complete(Request(whole, None, SCORING, 1, None))).completions
    assert first.logprobs is not None
    assert scored.logprobs is not None
    assert first.logprobs[0].logprob == pytest.approx(
        scored.logprobs[len(tokens) - start].logprob, abs=1e-4
    )
