"""Any server that speaks OpenAI's chat completions: OpenAI, Azure, vLLM, routers, llama.cpp...

OpenAI's own client costs many times the CPU for each call (`bench/calls.py`), so it only holds the
tests to the protocol. Connections, key and wire format are in `pipelines.wire`.
"""

from functools import cached_property
from typing import Annotated, Any, Literal

from pipelines.backend import Reply, Request, Rewarding, Sampling
from pipelines.part import Runtime, Where
from pipelines.wire.address import COMPLETIONS
from pipelines.wire.body import Dialect, MaxTokensField, SystemRole, request_body
from pipelines.wire.http_model import HttpModel
from pipelines.wire.reply import read_reply
from pipelines.wire.score import read_score, scored_text


class OpenaiApi(HttpModel):
    """One model behind an HTTP endpoint that speaks chat completions."""

    path: Annotated[str, Runtime] = COMPLETIONS
    """What is appended to the path of `base_url`."""
    system_role: SystemRole = "system"
    """The role of system texts: "system", "developer" for OpenAI's reasoning models, or "user" for
    models without one: the text then opens the first user message."""
    max_tokens_field: MaxTokensField = "max_tokens"
    """The name of the length limit: "max_completion_tokens" for OpenAI's reasoning models."""

    scoring: Annotated[Literal["vllm"] | None, Runtime] = None
    """How the server tells the log-probabilities of a given text, which the judge `likelihood`
    reads: "vllm", by its `prompt_logprobs`. Default: not at all, as with OpenAI's own."""

    def check_sampling(self, sampling: Sampling, where: Where) -> None:
        """Raises RecipeError where a score is wanted of a server that is not said to give one."""
        if self.scoring is None or isinstance(sampling, Rewarding):
            super().check_sampling(sampling, where)

    def differences(self) -> dict[str, Any]:
        """How the body differs from OpenAI's usual one."""
        usual = Dialect()
        of_dialect = {
            name: getattr(self, name)
            for name in ("system_role", "max_tokens_field")
            if getattr(self, name) != getattr(usual, name)
        }
        return of_dialect | super().differences()

    def body_of(self, request: Request) -> bytes:
        """The request as chat completions has it."""
        return request_body(request, self.model, self._dialect)

    def read(self, raw: bytes, request: Request) -> Reply:
        """The completions of a reply, or the score of a given text. Raises BackendError."""
        scored = scored_text(request)
        return read_reply(raw, request.n) if scored is None else read_score(raw, scored)

    @cached_property
    def _dialect(self) -> Dialect:
        return Dialect(self.system_role, self.max_tokens_field)
