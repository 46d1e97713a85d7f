"""A reward model behind HTTP: one number for a response, and no text.

    [models.rm]
    kind = "reward_api"
    base_url = "http://127.0.0.1:8000"
    identity = "Skywork-Reward-V2-Llama-3.1-8B@3f4c, vllm 0.32"

vLLM serves such a model at `/pooling` and `/score`; any other server that answers JSON with JSON
is told by `body` and `number`. The judge `reward_model` asks. `docs/reward_models.md` tells more.
"""

import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any

from pipelines.backend import JsonObject, Reply, Request, Rewarding, Sampling
from pipelines.part import Runtime, Where
from pipelines.wire.address import Address, address_of
from pipelines.wire.body import Dialect, SystemRole
from pipelines.wire.http_model import HttpModel
from pipelines.wire.reward import (
    FORMS,
    Form,
    FormError,
    Protocol,
    check_body,
    check_pointer,
    read_reward,
    reward_body,
)
from schemas.canonical import canonical_json

NOTHING = Form("", {}, "")


class RewardApi(HttpModel):
    """One reward model behind an HTTP endpoint."""

    path: Annotated[str, Runtime] = ""
    """What is appended to the path of `base_url`. Default: that of the protocol, "/pooling" or
    "/score"; nothing for "json"."""
    protocol: Protocol = "pooling"
    """How the number is asked for. "pooling": vLLM's `/pooling`, the conversation in the model's own
    chat template. "score": vLLM's `/score`, the prompt's text and the response's. "json": any
    other server, by `body` and `number`."""
    body: JsonObject | None = None
    """What is sent, as JSON, in which "$messages" (the conversation with the response as its last
    message, a list), "$tools" (a list), "$conversation", "$prompt" (the last user message),
    "$response" and "$model" stand for what they say; "$$" is a dollar. Default: the protocol's."""
    number: str | None = None
    """Where the number stands in the reply: a JSON pointer, as in "/results/0/score"; an index may
    be negative, from the end. A list of one number is that number. Default: the protocol's."""
    system_role: SystemRole = "system"
    """The role of system texts: "user" for models whose chat template knows none."""

    def check(self, where: Where) -> None:
        """As `HttpModel.check`, and for a body or a pointer that cannot be right."""
        super().check(where)
        base = self._address().place.removesuffix(self.form.path)
        if self.protocol == "pooling" and not self.path and base.endswith("/v1"):
            raise where.error(
                "vLLM's /pooling lies beside /v1: leave /v1 out (or give `path`)", "base_url"
            )
        checks: dict[str, Callable[[Any], None]] = {"body": check_body, "number": check_pointer}
        for key, check in checks.items():
            if self.protocol == "json" and getattr(self, key) is None:
                raise where.error('protocol = "json" needs it: only you know what it is', key)
            try:
                check(getattr(self.form, key))
            except FormError as error:
                raise where.error(str(error), key) from error

    def check_sampling(self, sampling: Sampling, where: Where) -> None:
        """Raises RecipeError where a text is wanted."""
        refuse_text(self.name, sampling, where)

    @cached_property
    def form(self) -> Form:
        """The form in use: what the recipe gives over the protocol's own."""
        usual = FORMS.get(self.protocol, NOTHING)
        return Form(
            self.path or usual.path,
            usual.body if self.body is None else self.body,
            usual.number if self.number is None else self.number,
        )

    def differences(self) -> dict[str, Any]:
        """The form of the request: another one gives other numbers."""
        differences = super().differences() | {"reward": self.protocol}
        if self.system_role != "system":
            differences["system_role"] = self.system_role
        if self.body is not None or self.number is not None:
            told = canonical_json([self.form.body, self.form.number])
            differences["form"] = hashlib.sha256(told).hexdigest()[:16]
        return differences

    def listing(self) -> Address:
        """/v1/models, beside the endpoints of vLLM; of any other server, what is called itself."""
        if self.protocol == "json":
            return self._address()
        return address_of(self.base_url.removesuffix("/").removesuffix("/v1"), "/v1/models")

    def body_of(self, request: Request) -> bytes:
        """The form, filled."""
        return reward_body(request, self.model, self.form, Dialect(system_role=self.system_role))

    def read(self, raw: bytes, request: Request) -> Reply:
        """The number as the one completion's text. Raises BackendError."""
        return read_reward(raw, self.form.number)

    def _address(self) -> Address:
        return address_of(self.base_url, self.form.path)


def refuse_text(name: str, sampling: Sampling, where: Where) -> None:
    """Raises RecipeError unless a reward is wanted of the reward model `name`."""
    if not isinstance(sampling, Rewarding):
        raise where.error(
            f"models.{name} is a reward model: it gives a number for a response, and writes "
            'nothing. The judge of kind "reward_model" asks it'
        )
