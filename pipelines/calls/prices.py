"""Prices: what a reply costs, by the tokens that its server counted."""

from dataclasses import dataclass

from pydantic import Field

from pipelines.part import Real, Table


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a whole reply as the server counted them. None: it did not say; never 0 instead."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    reasoning_tokens: int | None = None
    batch: bool = False
    """Whether a batch job answered, at the batch price."""


class Prices(Table):
    """Prices in a currency of your choice per million tokens. What is not given is unknown."""

    input: Real | None = Field(default=None, ge=0)
    """Per million prompt tokens."""
    cached_input: Real | None = Field(default=None, ge=0)
    """Per million prompt tokens read from the provider's cache. Default: as `input`."""
    output: Real | None = Field(default=None, ge=0)
    """Per million completion tokens."""
    reasoning: Real | None = Field(default=None, ge=0)
    """Per million reasoning tokens. Default: as `output`."""
    batch: Real = Field(default=0.5, ge=0)
    """Factor on all prices of what a batch job answers; OpenAI and most others halve them."""

    def money(self, usage: Usage) -> float | None:
        """What a reply cost; None where a price or a count of tokens is unknown.

        (prompt - cached) x input + cached x cached_input + (completion - reasoning) x output
        + reasoning x reasoning, over a million; times `batch` by a batch route.
        """
        prompt, completion = usage.prompt_tokens, usage.completion_tokens
        if self.input is None or self.output is None or prompt is None or completion is None:
            return None
        cached, reasoning = usage.cached_tokens or 0, usage.reasoning_tokens or 0
        cached_price = self.input if self.cached_input is None else self.cached_input
        reasoning_price = self.output if self.reasoning is None else self.reasoning
        full = (
            (prompt - cached) * self.input
            + cached * cached_price
            + (completion - reasoning) * self.output
            + reasoning * reasoning_price
        ) / 1e6
        return full * self.batch if usage.batch else full
