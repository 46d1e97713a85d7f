"""Backends: the models that a recipe calls, and the shape of what they are asked and answer.

`[models.NAME]` is one model at one endpoint. Models that share an endpoint share its in-flight
window (`calls.dispatch`). A backend makes exactly one attempt; retries are the dispatcher's.
"""

from abc import abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, JsonValue, field_validator

from pipelines.calls.prices import Prices, Usage
from pipelines.errors import nearest
from pipelines.part import InWords, Part, Real, Runtime, Table, Where
from schemas.rows import Message, Policy, ToolCall

if TYPE_CHECKING:
    from pipelines.calls.meter import Meter


def _to_json(value: Any) -> Any:
    """`value` as JSON has it: a recipe holds decimals and tuples.

    >>> _to_json({"min_p": Decimal("0.05"), "stop_token_ids": (1, 2)})
    {'min_p': 0.05, 'stop_token_ids': [1, 2]}
    """
    if isinstance(value, dict):
        return {key: _to_json(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(entry) for entry in value]
    return float(value) if isinstance(value, Decimal) else value


JsonObject = Annotated[dict[str, JsonValue], BeforeValidator(_to_json), InWords("table")]
"""A JSON object in a recipe."""


class Sampling(Table):
    """How a text is drawn. A field that is not given is not sent."""

    temperature: Real | None = Field(default=None, ge=0)
    """Sampling temperature, >= 0; 0 is greedy."""
    top_p: Real | None = Field(default=None, gt=0, le=1)
    """Nucleus mass, in (0, 1]."""
    top_k: int | None = Field(default=None, ge=-1)
    """Number of tokens kept at each step; not an OpenAI parameter, vLLM and others know it."""
    max_tokens: int | None = Field(default=None, ge=1)
    """Upper bound of the answer's length, in tokens."""
    stop: tuple[str, ...] | None = None
    """Texts that end the answer."""
    seed: int | None = Field(default=None, ge=-(2**63), lt=2**63)
    """A fixed seed. Without it a seed is derived for each request and is not part of its key."""
    presence_penalty: Real | None = None
    """As OpenAI's API defines it, in [-2, 2]."""
    frequency_penalty: Real | None = None
    """As OpenAI's API defines it, in [-2, 2]."""
    logprobs: bool | None = None
    """Whether to return the log-probability of each token."""
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    """How many alternatives to return at each position."""
    json_schema: JsonObject | None = None
    """A JSON schema that the answer must follow (structured output)."""
    extra_body: JsonObject | None = None
    """Further fields of the request's body, as the server knows them."""

    @field_validator("extra_body")
    @classmethod
    def _keep_the_request(cls, extra: dict[str, JsonValue] | None) -> dict[str, JsonValue] | None:
        taken = sorted({"model", "messages", "n", "stream"} & set(extra or ()))
        if taken:
            raise ValueError(f"{', '.join(taken)} cannot be set here: the build decides it")
        return extra

    def over(self, base: "Sampling") -> "Sampling":
        """The sampling, with what it leaves open taken from `base`."""
        given = {name: getattr(self, name) for name in type(self).model_fields}
        filled = {
            name: getattr(base, name) if value is None else value for name, value in given.items()
        }
        return Sampling.model_construct(**filled)

    @cached_property
    def given(self) -> dict[str, Any]:
        """The fields that are given, as JSON values."""
        return {name: value for name, value in self.identity().items() if value is not None}


AS_THE_MODEL = Sampling()
"""Nothing asked for: the model's own defaults."""


class Measuring(Sampling):
    """Nothing is drawn: the last message, an assistant's, is measured.

    A part asks in this way; a recipe cannot. The model's own sampling plays no part.
    """


class Scoring(Measuring):
    """The log-probabilities of the last message's tokens are wanted (see `Unit.score`)."""

    score: Literal[True] = True
    """Keeps the ledger's keys of scores apart from those of answers."""
    max_tokens: int | None = 1
    """For servers that cannot but draw a token."""


SCORING = Scoring()
"""The log-probabilities of the last message's tokens."""


class Rewarding(Measuring):
    """What a reward model makes of the last message is wanted: a number.

    The text of the completion is that number as Python writes it, which loses no bit of it; or,
    in words, what stands in the reply instead.
    """

    reward: Literal[True] = True
    """Keeps the ledger's keys of rewards apart from those of answers and scores."""
    max_tokens: int | None = 0
    """No token is drawn, and none is paid."""


REWARDING = Rewarding()
"""The reward of the last message."""


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """The log-probability of one token, in nats, and its most likely alternatives."""

    token: str
    logprob: float
    top: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """One choice of a reply: a sample. `error` says that the endpoint refused it for good."""

    text: str | None
    reasoning: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    refusal: str | None = None
    """The API's own refusal field, or "content_filter"."""
    logprobs: tuple[TokenLogprob, ...] | None = None
    completion_tokens: int | None = None
    """Known only where the reply held this one choice."""
    prompt_tokens: int | None = None
    error: str | None = None
    status: int | None = None
    """HTTP status of a final refusal."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request gave: one completion for each choice, and the usage of all of them."""

    completions: tuple[Completion, ...]
    usage: Usage | None
    """None: the reply had no usage, which is counted and shown as missing."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request for `n` choices."""

    messages: tuple[Message, ...]
    tools: str | None
    sampling: Sampling
    n: int
    seed: int | None
    """Derived for this request; None where the model takes none. In [0, 2**31)."""
    first: int = 0
    """Index of the first sample: it tells requests apart that are equal where no seed is sent."""


class Backend(Part):
    """One model at one endpoint."""

    shelf: ClassVar[str] = "backends"

    billed: ClassVar[bool] = True
    """Whether its calls may cost money, or another machine's time."""

    in_jobs: ClassVar[bool] = False
    """Whether requests are collected, and answered together, hours later."""

    model: str = ""
    """The model's id at its endpoint. Default: the name of the table."""
    policy: Policy | None = None
    """"on" for the policy to be trained, "off" for another model."""
    sampling: Sampling = Sampling()
    """Defaults for every call of this model; a sampler's or judge's own win."""
    omit: tuple[str, ...] = ()
    """Sampling parameters (or "seed") that this model does not take: never sent, whoever asks."""
    max_n: Annotated[int, Runtime] = Field(default=128, ge=1, le=128)
    """Most choices asked for in one request; 1 for servers that do not know `n`."""
    window: Annotated[int, Runtime] = Field(default=64, ge=1)
    """Most requests in flight at once at this endpoint; shrinks on overload and grows back."""
    requests_per_minute: Annotated[int | None, Runtime] = Field(default=None, ge=1)
    """Rate limit of the endpoint, where it has one."""
    max_tries: Annotated[int, Runtime] = Field(default=6, ge=1)
    """Attempts of one request before it is owed."""
    timeout_s: Annotated[Real, Runtime] = Field(default=600.0, gt=0)
    """Longest wait for one reply, in seconds."""
    prices: Annotated[Prices, Runtime] = Prices()
    """Prices for the spend figures; without them only tokens are counted."""

    @field_validator("omit")
    @classmethod
    def _omit_what_exists(cls, omit: tuple[str, ...]) -> tuple[str, ...]:
        for name in omit:
            if name not in Sampling.model_fields:
                raise ValueError(
                    f'no such parameter "{name}"; {nearest(name, Sampling.model_fields)}'
                )
        return omit

    def model_post_init(self, context: Any) -> None:
        """Names the model after its table where no model id is given."""
        super().model_post_init(context)
        if not self.model:
            object.__setattr__(self, "model", self.name)

    @abstractmethod
    def model_identity(self) -> str:
        """What decides this model's text beside the request: it is part of each ledger key."""

    @cached_property
    def qualified_model(self) -> str:
        """Identity, "#" and model id: what responses, manifests and refusals name."""
        return f"{self.model_identity()}#{self.model}"

    def location(self) -> str:
        """What a training command is told of the model: its folder, or its id at its endpoint."""
        return self.model

    @abstractmethod
    def endpoint(self) -> str:
        """The address that shares a window; models with equal endpoints share one."""

    def equip(self, folder: Path, meter: "Meter") -> None:
        """Called before `open`: a folder for what must outlive a stop, and the build's meter."""

    async def open(self) -> None:
        """Acquires what the calls need (connections). Raises RecipeError where a key is missing."""

    async def close(self) -> None:
        """Gives back what `open` acquired."""

    def check_sampling(self, sampling: Sampling, where: Where) -> None:
        """Raises RecipeError where this model cannot be asked in this way. `sampling` is effective.

        Most models give neither a reward nor the log-probabilities of a given text: what does says
        so here.
        """
        if isinstance(sampling, Rewarding):
            raise where.error(
                f"models.{self.name} is no reward model: it gives no number for a response. Models "
                'of kind "reward_api" do, and "vllm_server" with reward = "pooling"'
            )
        if isinstance(sampling, Scoring):
            raise where.error(
                f"models.{self.name} gives no log-probabilities of a given text. Models of kind "
                '"embedded" do, and vLLM servers with scoring = "vllm" in their table'
            )

    @abstractmethod
    async def complete(self, request: Request) -> Reply:
        """One attempt. Raises RequestRefused, TransientError or FatalError."""

    def kept(self, request: Request) -> None:
        """The ledger holds the reply to `request`, so that nobody else needs to keep it."""

    def price_factors(self) -> tuple[float, float]:
        """What the prices of a call are multiplied by: as expected, and at the most."""
        return 1.0, 1.0

    def effective(self, sampling: Sampling) -> Sampling:
        """`sampling` over this model's defaults, less what it does not take."""
        if isinstance(sampling, Measuring):
            return sampling
        known = self._merged.get(id(sampling))
        if known is None or known[0] is not sampling:
            merged = sampling.over(self.sampling)
            merged = merged.model_copy(update=dict.fromkeys(self.omit)) if self.omit else merged
            known = self._merged[id(sampling)] = (sampling, merged)
        return known[1]

    @cached_property
    def _merged(self) -> dict[int, tuple[Sampling, Sampling]]:
        """By identity: the samplings of a recipe are few, and each is asked for with every call."""
        return {}
