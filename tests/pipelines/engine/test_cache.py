import tracemalloc

import numpy as np

from pipelines.engine.cache import Cache
from pipelines.engine.model import Model


def test_a_token_reads_what_is_before_it_and_itself(tiny: Model) -> None:
    """Two tokens, then three at once, against the softmax over those up to each."""
    shape = tiny.llama.shape
    heads = shape.heads + 2 * shape.kv_heads
    projected = np.random.default_rng(0).normal(size=(1, 5, heads, shape.head_dim)).astype("f4")
    cache, read = Cache(shape), []
    for part in (projected[:, :2], projected[:, 2:]):
        cache.extend(part.shape[1])
        read.append(cache.attend(0, part.copy())[0])
    queries, keys, values = np.split(projected[0], [shape.heads, -shape.kv_heads], axis=1)
    each = shape.heads // shape.kv_heads
    for token, states in enumerate(np.concatenate(read)):
        for head, state in enumerate(states):
            scores = keys[: token + 1, head // each] @ queries[token, head]
            shares = np.exp(scores) / np.exp(scores).sum()
            expected = shares @ values[: token + 1, head // each]
            np.testing.assert_allclose(state, expected, rtol=1e-4, atol=1e-5)


def test_prompts_of_many_lengths_leave_no_memory_behind(tiny: Model) -> None:
    """A kept mask for each length would be 64 times 300 x 300 numbers: 23 MB."""
    shape = tiny.llama.shape
    tracemalloc.start()
    for length in range(300, 364):
        cache = Cache(shape)
        cache.extend(length)
        heads = shape.heads + 2 * shape.kv_heads
        cache.attend(0, np.zeros((1, length, heads, shape.head_dim), np.float32))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 2e6
