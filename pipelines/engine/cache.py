"""Keys and values of sequences, and the attention of their next tokens to them.

Shapes in attention depend on the length, and BLAS and sums round by shape. So a cache holds
sequences of one length, the samples of one request, and what one of them gets never depends on
how many there are: products and sums run over each by itself.
"""

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pipelines.engine.rows import Array
from pipelines.engine.shape import Shape

GROWTH = 64
"""Tokens that a cache has room for beyond its length when it is made; then it doubles."""


class Cache:
    """The keys and values of `count` sequences of `length` tokens each."""

    def __init__(self, shape: Shape, count: int = 1) -> None:
        self._shape = shape
        self._kept = self._room(count, 0)
        self.count = count
        self.length = 0

    def forked(self, count: int) -> "Cache":
        """A cache of `count` sequences that all begin as this one's only sequence does."""
        fork = Cache(self._shape, count)
        fork.extend(self.length)
        fork._kept[..., : self.length, :] = self._kept[..., : self.length, :]
        return fork

    def extend(self, new: int) -> None:
        """Makes the sequences `new` tokens longer; `attend` then fills them in, layer by layer."""
        self.length += new
        if self.length > self._kept.shape[-2]:
            old = self._kept[:, :, : self.count]
            self._kept = self._room(self.count, max(2 * old.shape[-2], self.length + GROWTH))
            self._kept[..., : old.shape[-2], :] = old

    def drop(self, sequence: int) -> None:
        """Forgets a sequence; the last one takes its place."""
        self.count -= 1
        kept = self._kept[..., : self.length, :]
        kept[:, :, sequence] = kept[:, :, self.count]

    def attend(self, layer: int, projected: Array) -> Array:
        """What the next tokens of each sequence read: (count, new, heads, head_dim).

        `projected` is (count, new, heads + 2 kv_heads, head_dim): queries, scaled, then keys, then
        values, which are kept. Each token attends to all before it and to itself. `extend` comes
        first, once for all layers.
        """
        count, new, _, width = projected.shape
        heads, groups = self._shape.heads, self._shape.kv_heads
        start, end = self.length - new, self.length
        kept = self._kept[layer, :, :count, :, :end]
        kept[..., start:, :] = (
            projected[:, :, heads:].reshape(count, new, 2, groups, width).transpose(2, 0, 3, 1, 4)
        )
        keys, values = kept
        queries = projected[:, :, :heads].reshape(count, new, groups, -1, width)
        queries = queries.transpose(0, 2, 3, 1, 4).reshape(count, groups, -1, width)
        scores: Array = queries @ keys.swapaxes(-1, -2)
        if new > 1:
            scores.reshape(count, groups, -1, new, end)[...] += _later(new, end)
        scores -= np.maximum.reduce(scores, -1, keepdims=True)
        np.exp(scores, out=scores)
        read: Array = scores @ values
        read /= np.add.reduce(scores, -1, keepdims=True)
        by_token = read.reshape(count, groups, -1, new, width).transpose(0, 3, 1, 2, 4)
        return by_token.reshape(count, new, heads, width)

    def _room(self, count: int, capacity: int) -> Array:
        """(layers, keys and values, count, kv_heads, capacity, head_dim), not yet written."""
        shape = self._shape
        return np.empty((shape.layers, 2, count, shape.kv_heads, capacity, shape.head_dim), "f4")


@lru_cache(maxsize=64)
def _later(new: int, end: int) -> Array:
    """(new, end): minus infinity where a key comes after one of the last `new` tokens, else 0.

    Each row is the one below it, moved by one: all are views of `new + end` numbers.
    """
    numbers = np.zeros(end + new - 1, np.float32)
    numbers[end:] = -np.inf
    return sliding_window_view(numbers, end)[::-1]
