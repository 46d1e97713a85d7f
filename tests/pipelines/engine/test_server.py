"""The server, asked by OpenAI's own client, by our backend, and wrongly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from openai import APIStatusError, AsyncOpenAI, BadRequestError, NotFoundError

from pipelines.backend import SCORING, Backend, Request, Sampling
from pipelines.engine.server import serve
from pipelines.part import Where, load_part
from schemas.rows import Message
from tests.checkpoints import make_checkpoint, write_byte_tokenizer

WHERE = Where("r.toml", "[models.m]", Path())
ASKED = "Hello <|im_end|>"
CHOICE = {"choice": ["A", "B"]}
SAMPLING = {"temperature": 0.8, "top_p": 0.95, "top_k": 40, "max_tokens": 12, "stop": (":", "~")}


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """Where the shipped models and a random one are served."""
    make_checkpoint(tmp_path / "random")
    write_byte_tokenizer(make_checkpoint(tmp_path / "bytes", vocab_size=256 + 3))
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    models = ["policy", "teacher", str(tmp_path / "random"), str(tmp_path / "bytes")]
    serving = asyncio.create_task(
        serve(models, "127.0.0.1", 0, 16, lambda address, _: ready.set_result(address))
    )
    await asyncio.wait((ready, serving), return_when=asyncio.FIRST_COMPLETED)
    yield f"{ready.result()}/v1"
    serving.cancel()
    with suppress(asyncio.CancelledError):
        await serving


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
        yield client


async def opened(kind: str, **fields: Any) -> Backend:
    backend = load_part("backends", {"kind": kind, "name": "m", **fields}, WHERE)
    assert isinstance(backend, Backend)
    await backend.open()
    return backend


@pytest.mark.parametrize("model", ["policy", "random"])
async def test_all_roads_lead_to_the_same_bits(url: str, tmp_path: Path, model: str) -> None:
    folder = str(tmp_path / model) if model == "random" else model
    here = await opened("embedded", model=folder)
    there = await opened("openai_api", model=model, base_url=url, identity="x", scoring="vllm")
    request = Request(
        (Message("system", "Be brief."), Message("user", ASKED)),
        None,
        Sampling(**SAMPLING, top_logprobs=2),
        4,
        7,
    )
    ours, theirs = await here.complete(request), await there.complete(request)
    for one, other in zip(ours.completions, theirs.completions, strict=True):
        assert one.text
        assert (one.text, one.finish_reason) == (other.text, other.finish_reason)
        assert one.logprobs == other.logprobs
    assert ours.usage is not None
    assert theirs.usage is not None
    assert ours.usage.completion_tokens == theirs.usage.completion_tokens
    said = Message("assistant", ours.completions[0].text)
    scored = Request((*request.messages, said), None, SCORING, 1, 7)
    [one], [other] = [(await road.complete(scored)).completions for road in (here, there)]
    assert one.text == other.text
    assert one.logprobs is not None
    assert other.logprobs is not None
    assert [token.token for token in one.logprobs] == [token.token for token in other.logprobs]
    assert [token.logprob for token in one.logprobs] == [
        pytest.approx(token.logprob, abs=1e-5) for token in other.logprobs
    ]
    await here.close()
    await there.close()


@pytest.mark.parametrize("model", ["policy", "bytes"])
@pytest.mark.parametrize("text", ["x é y", "x 🙂 y", "日本", "\ufffd x \ufffd"])
async def test_any_text_has_the_same_score_here_and_there(
    url: str, tmp_path: Path, model: str, text: str
) -> None:
    here = await opened("embedded", model=str(tmp_path / model) if model == "bytes" else model)
    there = await opened("openai_api", model=model, base_url=url, identity="x", scoring="vllm")
    asked = Request((Message("user", "é?"), Message("assistant", text)), None, SCORING, 1, 7)
    [one], [other] = [(await road.complete(asked)).completions for road in (here, there)]
    assert one.logprobs is not None
    assert other.logprobs is not None
    assert "".join(token.token for token in one.logprobs) == text
    assert [token.token for token in one.logprobs] == [token.token for token in other.logprobs]
    assert [token.logprob for token in one.logprobs] == [
        pytest.approx(token.logprob, abs=1e-5) for token in other.logprobs
    ]
    await here.close()
    await there.close()


async def test_a_text_lists_the_token_that_ended_it_too(client: AsyncOpenAI) -> None:
    """As with vLLM; it has no text, so that tokens and text agree as well."""
    reply = await client.completions.create(
        model="policy", prompt="ab", n=8, seed=1, max_tokens=60, logprobs=1
    )
    listed = [choice.logprobs.tokens or [] for choice in reply.choices if choice.logprobs]
    assert reply.usage is not None
    assert sum(map(len, listed)) == reply.usage.completion_tokens
    assert ["".join(tokens) for tokens in listed] == [one.text for one in reply.choices]
    ended = [one for one in reply.choices if one.finish_reason == "stop"]
    assert ended
    assert all(one.logprobs and (one.logprobs.tokens or [])[-1] == "" for one in ended)


async def test_numbers_that_are_none_are_a_400_and_the_model_lives_on(client: AsyncOpenAI) -> None:
    body = b'{"model": "random", "prompt": "Hi", "max_tokens": 2, "temperature": 1e999}'
    with pytest.raises(BadRequestError, match="temperature"):
        await client.post("/completions", content=body, cast_to=object)
    assert (await client.completions.create(model="random", prompt="Hi", max_tokens=2)).choices


async def test_openais_client_chats(client: AsyncOpenAI) -> None:
    asked: Any = {
        "model": "policy",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
        "n": 3,
        "seed": 5,
        "max_completion_tokens": 6,
        "logprobs": True,
        "top_logprobs": 2,
        "user": "somebody",
    }
    reply = await client.chat.completions.create(**asked)
    again = await client.chat.completions.create(**asked)
    assert reply.choices == again.choices
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    choice = reply.choices[0]
    assert choice.logprobs is not None
    assert choice.logprobs.content is not None
    assert "".join(token.token for token in choice.logprobs.content) == choice.message.content
    assert all(len(token.top_logprobs) == 2 for token in choice.logprobs.content)
    assert reply.usage is not None
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens


async def test_openais_client_completes_texts_and_lists_of_tokens(client: AsyncOpenAI) -> None:
    reply = await client.completions.create(
        model="random", prompt=["ab", "cd"], n=2, seed=1, max_tokens=3, stop="~"
    )
    alone = await client.completions.create(
        model="random", prompt=[[71, 72], [73, 74]], n=2, seed=1, max_tokens=3, stop=["~"]
    )
    assert [choice.index for choice in reply.choices] == [0, 1, 2, 3]
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == 4
    assert len(alone.choices) == 4


async def test_an_echo_comes_with_the_log_probabilities_of_the_text(client: AsyncOpenAI) -> None:
    asked: Any = {"model": "random", "prompt": "abc", "seed": 3, "logprobs": 1, "echo": True}
    longer = (await client.completions.create(**asked, max_tokens=4)).choices[0]
    only = (await client.completions.create(**asked, max_tokens=0)).choices[0]
    assert only.text == "abc"
    assert longer.text.startswith("abc")
    assert only.logprobs is not None
    assert longer.logprobs is not None
    assert only.logprobs.tokens == ["a", "b", "c"]
    assert only.logprobs.text_offset == [0, 1, 2]
    assert only.logprobs.token_logprobs is not None
    first, *rest = only.logprobs.token_logprobs
    assert first is None
    assert all(logprob < 0 for logprob in rest)
    assert longer.logprobs.token_logprobs is not None
    assert longer.logprobs.token_logprobs[:3] == only.logprobs.token_logprobs
    assert "".join(longer.logprobs.tokens or ()) == longer.text


async def test_a_prompts_log_probabilities_are_those_that_vllm_gives(client: AsyncOpenAI) -> None:
    """Of all tokens but the first, by token id; also of a conversation that is answered."""
    reply = await client.chat.completions.create(
        model="random",
        messages=[{"role": "user", "content": "Hi"}],
        max_tokens=1,
        extra_body={"prompt_logprobs": 0},
    )
    listed = reply.model_dump()["prompt_logprobs"]
    assert listed[0] is None
    assert [next(iter(one.values()))["decoded_token"] for one in listed[1:]] == [
        "user\n", "H", "i", "<|im_end|>", "\n", "<|im_start|>", "assistant\n",
    ]  # fmt: skip


async def test_one_of_given_texts_is_chosen(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(
        model="random",
        messages=[{"role": "user", "content": "A or B?"}],
        n=8,
        extra_body={"structured_outputs": {"choice": ["A", "B"]}},
    )
    assert {choice.message.content for choice in reply.choices} <= {"A", "B"}


async def test_models_and_health(client: AsyncOpenAI) -> None:
    models = await client.models.list()
    assert [model.id for model in models.data] == ["policy", "teacher", "random", "bytes"]
    root = str(client.base_url).removesuffix("/v1/")
    assert (await client.get(f"{root}/health", cast_to=object)) == {"status": "ok"}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"stream": True}, "stream: answers are not streamed here"),
        ({"logit_bias": {"5": 1}}, "logit_bias: this server does not know it"),
        ({"n": 0}, "n: Input should be greater than or equal to 1"),
        ({"messages": [{"role": "user", "content": "x" * 99}]}, "has a context of 96"),
        ({"messages": []}, "no messages"),
        ({"presence_penalty": 1}, "presence_penalty is not known"),
        ({"presence_penalty": 1, "structured_outputs": CHOICE}, "presence_penalty is not known"),
        ({"prompt_logprobs": 0, "structured_outputs": CHOICE}, "answers of conversations only"),
        (
            {
                "messages": [{"role": "assistant", "content": "A"}],
                "continue_final_message": True,
                "add_generation_prompt": False,
                "structured_outputs": CHOICE,
            },
            "answers of conversations only",
        ),
        ({"seed": 2**70}, "seed: "),
        ({"top_k": 10**30}, "top_k: "),
        ({"max_tokens": 10**30}, "max_tokens: "),
        ({"prompt_logprobs": 5}, "prompt_logprobs"),
        ({"continue_final_message": True}, "one of add_generation_prompt"),
        ({"continue_final_message": True, "add_generation_prompt": False}, "an assistant's"),
    ],
)
async def test_what_cannot_be_answered_is_a_400_that_says_why(
    client: AsyncOpenAI, body: dict[str, Any], said: str
) -> None:
    asked = {"model": "random", "messages": [{"role": "user", "content": "Hi"}]} | body
    with pytest.raises(BadRequestError, match=said):
        await client.post("/chat/completions", body=asked, cast_to=object)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"max_tokens": 0}, "draws nothing: it needs echo"),
        ({"prompt": [5, 1000]}, "tokens are numbers from 0 to 101"),
        ({"prompt": ""}, "0 tokens"),
        ({"best_of": 3}, "best_of"),
        ({"seed": 2**70}, "seed: "),
        ({"structured_outputs": CHOICE}, "answers of conversations only"),
    ],
)
async def test_neither_is_a_text_that_cannot_be_completed(
    client: AsyncOpenAI, body: dict[str, Any], said: str
) -> None:
    asked = {"model": "random", "prompt": "Hi"} | body
    with pytest.raises(BadRequestError, match=said):
        await client.post("/completions", body=asked, cast_to=object)


async def test_a_model_that_is_not_served_is_a_404_and_a_wrong_body_a_400(
    client: AsyncOpenAI,
) -> None:
    with pytest.raises(NotFoundError, match='did you mean "policy"') as absent:
        await client.completions.create(model="polcy", prompt="Hi")
    assert absent.value.code == "model_not_found"
    with pytest.raises(APIStatusError, match="Invalid JSON"):
        await client.post("/completions", content=b"{", options={"headers": {}}, cast_to=object)
