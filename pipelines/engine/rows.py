"""Matrix products whose rows do not depend on their neighbours, to the last bit.

BLAS picks its kernel by the shape of a product, and within one product the rows at an edge, or
every other group of six, may be summed in another order. So rows come in blocks of a fixed size,
padded with rows that nobody reads, and the size is one at which a row gives the same bits wherever
it stands in its block. Which sizes are so is a matter of the BLAS at hand: it is tried.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
"""Numbers of the forward pass."""

SIZES = (16, 8, 4, 2)
"""Rows of a block, tried in this order. A lone sample pays for a whole block at every step."""


def block_size(matrices: Iterable[Array]) -> int:
    """The largest of `SIZES` at which products with all of `matrices` treat rows alike; else 1."""
    shapes = {matrix.shape: matrix for matrix in matrices}
    alike = (size for size in SIZES if all(_alike(size, one) for one in shapes.values()))
    return next(alike, 1)


def _alike(size: int, matrix: Array) -> bool:
    """Whether one row, repeated all over two blocks, gives equal rows."""
    row = np.random.default_rng(0).standard_normal(matrix.shape[0], np.float32)
    product = np.tile(row, (2, size, 1)) @ matrix
    return bool((product == product[0, 0]).all())


def in_blocks(rows: Array, size: int) -> Array:
    """`rows` (n, width) as (blocks, size, width), zeros after the last."""
    count, width = rows.shape
    blocks = np.zeros((-(-count // size), size, width), np.float32)
    blocks.reshape(-1, width)[:count] = rows
    return blocks
