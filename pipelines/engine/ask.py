"""What the engine can be asked: to draw texts after a prompt, or to score a given text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from schemas.canonical import draw_integer


@dataclass(frozen=True, slots=True)
class Draw:
    """`count` texts after `prompt`."""

    prompt: Sequence[int]
    count: int = 1
    seed: int = 0
    temperature: float = 1.0
    """0 takes the likeliest token."""
    top_p: float = 1.0
    """Smallest set of tokens with this share is drawn from, in (0, 1]."""
    top_k: int = 0
    """So many likeliest tokens are drawn from; 0: all."""
    max_tokens: int | None = None
    """None: up to the end of the context."""
    stop: Sequence[str] = ()
    """Texts that end an answer, and are not part of it."""
    top: int = 0
    """How many alternatives are kept for each token."""

    _keys: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises TypeError for a seed that has no 64 bits: here, not in the thread that draws."""
        keys = tuple(draw_integer("embedded", self.seed, sample) for sample in range(self.count))
        object.__setattr__(self, "_keys", keys)

    @property
    def rows(self) -> int:
        """Tokens that are read before the first is drawn."""
        return len(self.prompt)

    def numbers(self, sample: int) -> Iterator[float]:
        """The random numbers in [0, 1) of one sample: they depend on the seed and it alone."""
        stream = np.random.Philox(
            key=self._keys[sample]
        )  # its raw stream is the same in every NumPy
        while True:
            yield (stream.random_raw() >> 12) * 2.0**-52


@dataclass(frozen=True, slots=True)
class Score:
    """The log-probabilities of `tokens[start:]`, each given all before it; `start` >= 1."""

    tokens: Sequence[int]
    start: int
    top: int = 0
    count: ClassVar[int] = 0
    """Samples that are decoded."""

    @property
    def rows(self) -> int:
        """Tokens that are read."""
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class Token:
    """A token with its log-probability under the model, in nats, before any temperature."""

    id: int
    logprob: float
    top: tuple[tuple[int, float], ...] = ()
    """The likeliest tokens here, with their log-probabilities, likeliest first."""


@dataclass(slots=True)
class Sample:
    """One text: drawn, or under way while it has no `finish_reason`."""

    tokens: list[Token] = field(default_factory=list)
    """Without the one that ended it."""
    text: str = ""
    finish_reason: str | None = None
    """"stop": by itself or at a stop text; "length": it was cut off."""
    drawn: int = 0
    """Number of tokens drawn, with those that ended it."""
    end: Token | None = None
    """The token that ended it, where it ended by itself."""
