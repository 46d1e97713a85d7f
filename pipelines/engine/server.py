"""The server: embedded models behind OpenAI's protocol, for whatever speaks it.

GET  /health    /v1/models
POST /v1/chat/completions    conversations; `prompt_logprobs` scores one, as with vLLM
POST /v1/completions         plain texts; `echo` returns them, with their log-probabilities
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import orjson
from aiohttp import web

from pipelines.backend import Completion, Reply, Request, TokenLogprob
from pipelines.calls.prices import Usage
from pipelines.engine.bodies import ChatBody, TextBody, read_body, refused
from pipelines.engine.checkpoint import find_checkpoint, shipped_models
from pipelines.engine.host import Host
from pipelines.engine.model import load_model
from pipelines.engine.replies import Json, chat_reply, error_reply, prompt_logprobs, text_reply
from pipelines.errors import RecipeError, RequestRefused, nearest

MOST_BYTES = 2**24
"""Longest body that is read."""


class NoSuchModel(Exception):
    """A body names a model that is not served."""


class Application:
    """The routes, over models by their names."""

    def __init__(self, hosts: Mapping[str, Host]) -> None:
        self._hosts = hosts

    def routes(self) -> web.Application:
        """As aiohttp runs them. Ending it ends the models' threads."""
        application = web.Application(client_max_size=MOST_BYTES)
        application.router.add_get("/health", self._health)
        application.router.add_get("/v1/models", self._models)
        application.router.add_post("/v1/chat/completions", _answering(self._chat))
        application.router.add_post("/v1/completions", _answering(self._text))
        application.cleanup_ctx.append(self._until_closed)
        return application

    async def _until_closed(self, _: web.Application) -> AsyncIterator[None]:
        yield
        for host in self._hosts.values():
            await asyncio.to_thread(host.close)

    async def _health(self, _: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def _models(self, _: web.Request) -> web.Response:
        models = [
            {"id": name, "object": "model", "created": 0, "owned_by": "pairwright"}
            for name in self._hosts
        ]
        return _json({"object": "list", "data": models})

    async def _chat(self, raw: bytes) -> Json:
        body = read_body(ChatBody, raw)
        host, request = self._host(body.model), body.request()
        if not body.continue_final_message and body.prompt_logprobs is None:
            reply = await host.complete(request)
            return chat_reply(body.model, reply.completions, _usage([reply]))
        last = ""
        if body.continue_final_message:
            tokens, _ = host.begun(request.messages, request.tools)
            last = request.messages[-1].content or ""
        else:
            tokens = host.conversation(request.messages, request.tools)
        reply = await host.draw(tokens, request)
        answer = chat_reply(body.model, reply.completions, _usage([reply]))
        if body.prompt_logprobs is not None:
            scored = await host.score(tokens, 1, last=last)
            answer["prompt_logprobs"] = prompt_logprobs(tokens, scored)
        return answer

    async def _text(self, raw: bytes) -> Json:
        body = read_body(TextBody, raw)
        host, request = self._host(body.model), body.request()
        replies = await asyncio.gather(
            *(_continued(host, body, request, prompt) for prompt in body.prompts())
        )
        completions = [completion for reply in replies for completion in reply.completions]
        return text_reply(body.model, completions, _usage(replies))

    def _host(self, model: str) -> Host:
        if model not in self._hosts:
            raise NoSuchModel(f'no such model "{model}"; {nearest(model, self._hosts)}')
        return self._hosts[model]


async def _continued(
    host: Host, body: TextBody, request: Request, prompt: str | list[int]
) -> Reply:
    """The samples after a plain text, or its tokens; with the text before each where it is echoed."""
    vocabulary = host.model.vocabulary
    tokens = vocabulary.encode(prompt) if isinstance(prompt, str) else prompt
    if not all(0 <= token < vocabulary.size for token in tokens):
        raise refused(f"prompt: tokens are numbers from 0 to {vocabulary.size - 1}")
    if body.max_tokens:
        reply = await host.draw(tokens, request, ends=True)
    else:
        nothing = Completion("", finish_reason="length")
        reply = Reply((nothing,) * request.n, Usage(len(tokens), completion_tokens=0))
    if not body.echo:
        return reply
    text = prompt if isinstance(prompt, str) else vocabulary.decode(prompt)
    completions = [replace(one, text=text + (one.text or "")) for one in reply.completions]
    if body.logprobs is not None and tokens:
        first = TokenLogprob(vocabulary.texts(tokens)[0], math.nan)
        before = (first, *await host.score(tokens, 1, body.logprobs))
        completions = [replace(one, logprobs=before + (one.logprobs or ())) for one in completions]
    return Reply(tuple(completions), reply.usage)


def _usage(replies: Sequence[Reply]) -> Usage:
    """What all of them read and drew."""
    usages = [reply.usage for reply in replies if reply.usage is not None]
    read = sum(usage.prompt_tokens or 0 for usage in usages)
    drawn = sum(usage.completion_tokens or 0 for usage in usages)
    return Usage(read, completion_tokens=drawn)


def _answering(
    answer: Callable[[bytes], Awaitable[Json]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """The handler that gives what `answer` makes of a body, or says why there is no answer."""

    async def handler(request: web.Request) -> web.Response:
        try:
            return _json(await answer(await request.read()))
        except RequestRefused as refusal:
            return _json(error_reply(str(refusal)), refusal.status)
        except NoSuchModel as error:
            return _json(error_reply(str(error), "model_not_found"), 404)

    return handler


def _json(content: Json, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(content), status=status, content_type="application/json")


async def serve(
    models: Sequence[str],
    address: str,
    port: int,
    samples: int,
    ready: Callable[[str, list[str]], None],
) -> None:
    """Serves `models` (none: those that are shipped) until it is cancelled.

    Calls `ready` with the URL and the models' names once it listens. Raises RecipeError for a
    model that cannot be read, OSError for an address that is taken.
    """
    checkpoints = [find_checkpoint(model, Path()) for model in models or shipped_models()]
    names = [checkpoint.folder.name for checkpoint in checkpoints]
    if len(set(names)) < len(names):
        raise RecipeError(f"models are served by their folders' names: {', '.join(names)}")
    loaded = [await asyncio.to_thread(load_model, checkpoint) for checkpoint in checkpoints]
    hosts = {name: Host(model, samples) for name, model in zip(names, loaded, strict=True)}
    runner = web.AppRunner(Application(hosts).routes(), handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, address, port).start()
        ready(f"http://{address}:{runner.addresses[0][1]}", list(hosts))
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
