"""A small Llama, run in this process on the CPU: no server, no key, nothing to install.

    [models.policy]
    kind = "embedded"

The engine is in `pipelines.engine`. The model that ships under the table's name answers, or the
one that `model` names; its identity is the digest of its files, wherever they lie.
"""

import asyncio
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import Field, PrivateAttr

from pipelines.backend import Backend, Reply, Request, Rewarding, Sampling, Scoring
from pipelines.calls.prices import Prices
from pipelines.engine.checkpoint import Checkpoint, find_checkpoint
from pipelines.errors import RecipeError
from pipelines.part import Real, Runtime, Where

if TYPE_CHECKING:
    from pipelines.engine.host import Host


class Embedded(Backend):
    """One Llama checkpoint, run by NumPy."""

    billed: ClassVar[bool] = False

    model: str = ""
    """The name of a shipped model, "policy" or "teacher", or the path of a folder, relative to the
    recipe: config.json, *.safetensors, tokenizer.json and a chat template, as `save_pretrained`
    writes them. Default: the name of the table."""
    samples: Annotated[int, Runtime] = Field(default=256, ge=1)
    """Most samples that are decoded at once, in each thread."""
    threads: Annotated[int, Runtime] = Field(default=1, ge=1)
    """Threads that decode, each on a core of its own. Models of less than some 50 million
    parameters gain nothing by a second one."""
    window: Annotated[int, Runtime] = Field(default=256, ge=1)
    """Most requests that are decoded or wait at once."""
    timeout_s: Annotated[Real, Runtime] = Field(default=86400.0, gt=0)
    """Longest wait for one reply, in seconds; those that wait for their turn are not lost."""

    prices: Annotated[Prices, Runtime] = Prices(input=0.0, output=0.0)
    """Prices for the spend figures. Default: nothing is paid."""

    _checkpoint: Checkpoint = PrivateAttr()
    _host: "Host | None" = PrivateAttr(default=None)

    def check(self, where: Where) -> None:
        """Raises RecipeError where the model is missing, or is none that the engine runs."""
        super().check(where)
        try:
            self._checkpoint = find_checkpoint(self.model, where.root)
        except RecipeError as error:
            raise where.error(str(error), "model") from error
        object.__setattr__(self, "model", self._checkpoint.folder.name)  # as it is elsewhere

    def check_sampling(self, sampling: Sampling, where: Where) -> None:
        """Raises RecipeError for what the engine does not know. It scores given texts."""
        from pipelines.engine.host import not_known

        if isinstance(sampling, Rewarding):
            super().check_sampling(sampling, where)
        reason = None if isinstance(sampling, Scoring) else not_known(sampling)
        if reason is not None:
            raise where.error(f"{reason} (models.{self.name})", "sampling")

    def identity(self) -> dict[str, Any]:
        """As `Part.identity`, with the digest of the model's files."""
        return super().identity() | {"digest": self._digest}

    def model_identity(self) -> str:
        """The digest of the model's files: weights, config, tokenizer, chat template."""
        return f"embedded:{self._digest}"

    def location(self) -> str:
        """The folder of the checkpoint."""
        return str(self._checkpoint.folder.absolute())

    def endpoint(self) -> str:
        """One for each table: each has threads of its own."""
        return f"embedded:{self.name}"

    async def open(self) -> None:
        """Loads the model and starts the threads. Raises RecipeError where it cannot be read."""
        from pipelines.engine.host import Host
        from pipelines.engine.model import load_model

        if self._host is None:
            model = await asyncio.to_thread(load_model, self._checkpoint)
            self._host = Host(model, self.samples, self.threads)

    async def close(self) -> None:
        """Ends the threads; what they were at is dropped."""
        host, self._host = self._host, None
        if host is not None:
            await asyncio.to_thread(host.close)

    async def complete(self, request: Request) -> Reply:
        """The reply. Raises RequestRefused where the prompt does not fit into the context."""
        assert self._host is not None, "open() comes before complete()"
        return await self._host.complete(request)

    @cached_property
    def _digest(self) -> str:
        return self._checkpoint.digest()[:32]
