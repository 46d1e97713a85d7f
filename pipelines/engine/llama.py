"""The forward pass of a Llama, over the next tokens of many sequences at once.

    x = embedding[tokens]
    for each layer:  x += attention(norm(x));  x += mlp(norm(x))
    logits = norm(x) @ output

Touvron et al. 2023 (arXiv 2302.13971), with grouped queries (Ainslie et al. 2023). The tokens of
all sequences are rows of one array: a prompt's many beside one for each sample that is decoded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.engine.cache import Cache
from pipelines.engine.rows import Array, block_size, in_blocks
from pipelines.engine.shape import Shape
from pipelines.engine.weights import Weights


@dataclass(frozen=True, slots=True)
class Span:
    """The next tokens of the sequences of a cache: (count, new) ids, equally many of each."""

    tokens: NDArray[np.int64]
    cache: Cache


class Llama:
    """A model, ready to run."""

    def __init__(self, shape: Shape, weights: Weights) -> None:
        self.shape = shape
        self._weights = weights
        self._cosines, self._sines = shape.rotations()
        matrices = [getattr(one, name) for one in weights.layers for name in one.__slots__]
        self._block = block_size([*matrices, weights.output])

    def hidden(self, spans: Sequence[Span]) -> list[Array]:
        """The last hidden states of the tokens of each span, (count, new, hidden), normed.

        The tokens join their caches. What a token gets does not depend on the other spans.
        """
        for span in spans:
            span.cache.extend(span.tokens.shape[1])
        tokens = np.concatenate([span.tokens.ravel() for span in spans])
        positions = np.concatenate([_positions(span) for span in spans])
        x = in_blocks(self._weights.embedding[tokens], self._block)
        turn = (self._cosines[positions, None], self._sines[positions, None])
        mixed = np.zeros((*x.shape[:2], self.shape.heads * self.shape.head_dim), np.float32)
        for number, layer in enumerate(self._weights.layers):
            self._attend(number, self._normed(x) @ layer.attention_in, turn, spans, mixed)
            x += mixed @ layer.attention_out
            x += _gated(self._normed(x) @ layer.mlp_in) @ layer.mlp_out
        rows = self._normed(x).reshape(-1, self.shape.hidden)
        parts = np.split(rows, np.cumsum([span.tokens.size for span in spans]))
        return [
            part.reshape(*span.tokens.shape, -1) for part, span in zip(parts, spans, strict=False)
        ]

    def logits(self, hidden: Array) -> Array:
        """The logits (n, vocabulary) after hidden states (n, hidden)."""
        blocks = in_blocks(hidden, self._block) @ self._weights.output
        return blocks.reshape(-1, self.shape.vocabulary)[: len(hidden)]

    def _normed(self, x: Array) -> Array:
        """RMSNorm, without the weight: it is part of the matrix that follows."""
        squares: Array = np.add.reduce(np.square(x), -1, keepdims=True)
        squares /= self.shape.hidden
        squares += self.shape.norm_eps
        np.sqrt(squares, out=squares)
        normed: Array = np.divide(x, squares)
        return normed

    def _attend(
        self,
        number: int,
        projected: Array,
        turn: tuple[Array, Array],
        spans: Sequence[Span],
        mixed: Array,
    ) -> None:
        """Writes what the tokens read from their caches into `mixed`, row by row."""
        shape = self.shape
        heads = projected.reshape(-1, shape.heads + 2 * shape.kv_heads, shape.head_dim)
        turning = shape.heads + shape.kv_heads
        start = 0
        rows = mixed.reshape(-1, shape.heads, shape.head_dim)
        _rotate(heads[: len(turn[0]), :turning], *turn)
        for span in spans:
            end = start + span.tokens.size
            own = heads[start:end].reshape(*span.tokens.shape, *heads.shape[1:])
            rows[start:end] = span.cache.attend(number, own).reshape(-1, *rows.shape[1:])
            start = end


def _positions(span: Span) -> NDArray[np.int64]:
    count, new = span.tokens.shape
    return np.tile(np.arange(span.cache.length - new, span.cache.length), count)


def _rotate(heads: Array, cosines: Array, sines: Array) -> None:
    """Turns each pair (i, i + d/2) of a head's dimensions by its angle, in place."""
    half = heads.shape[-1] // 2
    first, second = heads[..., :half], heads[..., half:]
    turned = first * cosines - second * sines
    second *= cosines
    second += first * sines
    first[...] = turned


def _gated(projected: Array) -> Array:
    """SwiGLU: silu(gate) * up, with silu(z) = z / (1 + exp(-z))."""
    gate, up = np.split(projected, 2, axis=-1)
    gated = np.negative(gate)
    with np.errstate(over="ignore"):  # exp(-z) may be infinite: silu is then 0
        np.exp(gated, out=gated)
    gated += 1
    np.divide(gate, gated, out=gated)
    gated *= up
    return gated
