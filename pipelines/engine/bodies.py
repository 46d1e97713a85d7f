"""Bodies of requests to the server: OpenAI's chat completions and completions, as far as known.

What is not known is refused rather than passed over, so that nobody wonders about an answer.
"""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pipelines.backend import Request, Sampling
from pipelines.errors import RequestRefused
from pipelines.intake.cells import UnusableRow
from pipelines.intake.conversation import read_messages, read_tools
from schemas.rows import Message

BAD_REQUEST = 400

Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]


def _no_stream(stream: bool | None) -> bool | None:
    if stream:
        raise ValueError("answers are not streamed here: leave it out")
    return stream


class Body(BaseModel):
    """What both have in common."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model: str
    n: int | None = Field(default=None, ge=1, le=128)
    seed: Int64 | None = None
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: Int64 | None = Field(default=None, ge=-1)
    stop: str | list[str] | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    structured_outputs: dict[str, Any] | None = None
    """As vLLM has it: {"choice": ["A", "B"]}."""
    stream: Annotated[bool | None, AfterValidator(_no_stream)] = None
    user: Any = None
    metadata: Any = None
    store: Any = None

    def drawn_by(self, **more: Any) -> Sampling:
        """The sampling, with what is called differently in the two. Raises RequestRefused."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop
        given: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "top_k": self.top_k,
            "seed": self.seed,
            "stop": None if stop is None else tuple(stop),
            "presence_penalty": self.presence_penalty or None,
            "frequency_penalty": self.frequency_penalty or None,
            "extra_body": self.structured_outputs
            and {"structured_outputs": self.structured_outputs},
        }
        try:
            return Sampling(**given, **more)
        except ValidationError as error:
            raise _refused_field(error) from error

    def asked(
        self, messages: tuple[Message, ...], tools: str | None, sampling: Sampling
    ) -> Request:
        """The request, as a build would make it."""
        return Request(messages, tools, sampling, self.n or 1, None)


class ChatBody(Body):
    """Of /v1/chat/completions."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None = None
    tool_choice: Literal["auto", "none"] | None = None
    max_tokens: Int64 | None = Field(default=None, ge=1)
    max_completion_tokens: Int64 | None = Field(default=None, ge=1)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    response_format: None = None
    add_generation_prompt: bool = True
    continue_final_message: bool = False
    """Whether the last message is gone on with rather than answered: vLLM's."""
    prompt_logprobs: Literal[0] | None = None
    """Whether the log-probabilities of the prompt are wanted, without alternatives: vLLM's."""

    def request(self) -> Request:
        """The request that it means. Raises RequestRefused."""
        if self.add_generation_prompt == self.continue_final_message:
            raise refused("one of add_generation_prompt and continue_final_message must be true")
        try:
            messages, tools = read_messages(self.messages), read_tools(self.tools)
        except UnusableRow as error:
            raise refused(str(error)) from error
        most = self.max_completion_tokens or self.max_tokens
        sampling = self.drawn_by(
            max_tokens=most, logprobs=self.logprobs, top_logprobs=self.top_logprobs
        )
        return self.asked(messages, tools, sampling)


class TextBody(Body):
    """Of /v1/completions."""

    prompt: str | list[int] | list[str] | list[list[int]]
    max_tokens: Int64 = Field(default=16, ge=0)
    """As with OpenAI. 0: nothing is drawn, and the prompt is echoed."""
    logprobs: int | None = Field(default=None, ge=0, le=20)
    echo: bool = False
    best_of: Literal[1] | None = None
    suffix: None = None

    def prompts(self) -> list[str | list[int]]:
        """Each a text, or its tokens."""
        if isinstance(self.prompt, str) or all(isinstance(one, int) for one in self.prompt):
            return [self.prompt]  # type: ignore[list-item]
        return list(self.prompt)  # type: ignore[arg-type]

    def request(self) -> Request:
        """The request that each prompt means, without its messages. Raises RequestRefused."""
        if not self.max_tokens and not self.echo:
            raise refused("max_tokens 0 draws nothing: it needs echo")
        sampling = self.drawn_by(max_tokens=self.max_tokens or None, top_logprobs=self.logprobs)
        return self.asked((), None, sampling)


BodyT = TypeVar("BodyT", bound=Body)


def read_body(kind: type[BodyT], raw: bytes) -> BodyT:
    """The body in `raw`. Raises RequestRefused that names the field."""
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        raise _refused_field(error) from error


def refused(reason: str) -> RequestRefused:
    """A request that cannot be answered as it is."""
    return RequestRefused(reason, BAD_REQUEST)


def _refused_field(error: ValidationError) -> RequestRefused:
    """The refusal that names the first field at fault."""
    fault = error.errors()[0]
    field = ".".join(map(str, fault["loc"])) or "body"
    unknown = fault["type"] == "extra_forbidden"
    said = fault["msg"].removeprefix("Value error, ")
    return refused(f"{field}: {'this server does not know it' if unknown else said}")
