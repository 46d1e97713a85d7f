"""The forward pass, against the formulas of the paper written out in double precision."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pipelines.engine.cache import Cache
from pipelines.engine.llama import Llama, Span
from pipelines.engine.model import Model
from pipelines.engine.shape import Shape
from pipelines.engine.weights import Weights
from tests.checkpoints import CONFIG, random_tensors

TOKENS = [5, 70, 12, 12, 33, 8, 61, 90, 4, 17, 25]


def written_out(config: dict[str, Any], tokens: list[int]) -> np.ndarray:
    """The logits after each of `tokens`: one token, one head, one pair of dimensions at a time."""
    weights = {
        name: tensor.astype(float) for name, tensor in random_tensors(config, 0, "f2").items()
    }
    size, width, eps = config["hidden_size"], config["head_dim"], config["rms_norm_eps"]
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]

    def normed(row: np.ndarray, name: str) -> np.ndarray:
        return row / np.sqrt((row**2).mean() + eps) * weights[name]

    def turned(head: np.ndarray, position: int) -> np.ndarray:
        out, half = np.empty(width), width // 2
        for pair in range(half):
            angle = position * config["rope_theta"] ** (-2 * pair / width)
            a, b = head[pair], head[pair + half]
            out[pair] = a * np.cos(angle) - b * np.sin(angle)
            out[pair + half] = b * np.cos(angle) + a * np.sin(angle)
        return out

    rows = [weights["model.embed_tokens.weight"][token] for token in tokens]
    for layer in range(config["num_hidden_layers"]):
        of = {
            name.removeprefix(f"model.layers.{layer}.").removesuffix(".weight"): tensor
            for name, tensor in weights.items()
            if name.startswith(f"model.layers.{layer}.")
        }
        keys, values, queries = [], [], []
        for position, row in enumerate(rows):
            x = normed(row, f"model.layers.{layer}.input_layernorm.weight")
            q, k, v = (of[f"self_attn.{one}_proj"] @ x for one in "qkv")
            queries.append([turned(head, position) for head in q.reshape(heads, width)])
            keys.append([turned(head, position) for head in k.reshape(groups, width)])
            values.append(v.reshape(groups, width))
        for position, row in enumerate(rows):
            read = []
            for head in range(heads):
                group = head * groups // heads
                scores = np.array(
                    [queries[position][head] @ keys[at][group] for at in range(position + 1)]
                ) / np.sqrt(width)
                shares = np.exp(scores - scores.max())
                shares /= shares.sum()
                read.append(sum(share * values[at][group] for at, share in enumerate(shares)))
            row = row + of["self_attn.o_proj"] @ np.concatenate(read)
            x = normed(row, f"model.layers.{layer}.post_attention_layernorm.weight")
            gate, up = of["mlp.gate_proj"] @ x, of["mlp.up_proj"] @ x
            rows[position] = row + of["mlp.down_proj"] @ (gate / (1 + np.exp(-gate)) * up)
    name = "model.embed_tokens.weight" if config["tie_word_embeddings"] else "lm_head.weight"
    assert size == len(rows[0])
    return np.array([weights[name] @ normed(row, "model.norm.weight") for row in rows])


def logits(model: Model, tokens: list[int]) -> np.ndarray:
    [hidden] = model.llama.hidden([Span(np.array([tokens]), Cache(model.llama.shape))])
    return model.llama.logits(hidden[0])


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"num_key_value_heads": 4, "tie_word_embeddings": False},
        {"num_key_value_heads": 1, "hidden_size": 37, "intermediate_size": 53, "head_dim": 6},
    ],
)
def test_logits_are_those_of_the_formulas(
    made: Callable[..., Model], changed: dict[str, Any]
) -> None:
    found = logits(made(**changed), TOKENS)
    assert found == pytest.approx(written_out(CONFIG | changed, TOKENS), abs=1e-4)


def test_token_by_token_gives_what_all_at_once_gives(tiny: Model) -> None:
    cache, rows = Cache(tiny.llama.shape), []
    for token in TOKENS:
        [hidden] = tiny.llama.hidden([Span(np.array([[token]]), cache)])
        rows.append(tiny.llama.logits(hidden[0])[0])
    assert np.array(rows) == pytest.approx(logits(tiny, TOKENS), abs=1e-4)


def test_samples_that_part_after_a_common_beginning_go_their_own_ways(tiny: Model) -> None:
    cache = Cache(tiny.llama.shape)
    tiny.llama.hidden([Span(np.array([TOKENS[:5]]), cache)])
    fork = cache.forked(3)
    ends = np.array([[7, 8], [60, 61], [7, 9]])
    tiny.llama.hidden([Span(ends[:, :1], fork)])
    fork.drop(0)  # the last one, [7, 9], takes its place
    [hidden] = tiny.llama.hidden([Span(ends[[2, 1], 1:], fork)])
    for state, end in zip(hidden, ([7, 9], [60, 61]), strict=True):
        alone = logits(tiny, [*TOKENS[:5], *end])[-1]
        assert tiny.llama.logits(state)[0] == pytest.approx(alone, abs=1e-4)


def test_the_cache_grows_with_its_sequences(made: Callable[..., Model]) -> None:
    model = made(max_position_embeddings=400)
    tokens = [4 + number % 80 for number in range(300)]
    cache, rows = Cache(model.llama.shape), []
    for start in range(0, 300, 60):  # 60, then 120, beyond the first 124
        [hidden] = model.llama.hidden([Span(np.array([tokens[start : start + 60]]), cache)])
        rows.append(model.llama.logits(hidden[0]))
    assert np.concatenate(rows) == pytest.approx(logits(model, tokens), abs=2e-4)


def test_an_oracle_by_hand() -> None:
    """No layers, two tokens with embeddings (3, 4) and (0, 5), norm weights (1, 2).

    RMS of (3, 4) is sqrt(12.5), so it is normed to (0.848528, 1.131371); weighted, (0.848528,
    2.262742). Logits: 3 * 0.848528 + 4 * 2.262742 = 11.596551, and 5 * 2.262742 = 11.313708.
    """
    embedding = np.array([[3, 4], [0, 5]], np.float32)
    weights = Weights(embedding, (), np.ascontiguousarray(embedding.T * [[1], [2]], np.float32))
    shape = Shape(0, 2, 1, 1, 1, 2, 2, 8, 1e-9, True, {"rope_theta": 1e4, "rope_type": "default"})
    llama = Llama(shape, weights)
    [hidden] = llama.hidden([Span(np.array([[0]]), Cache(shape))])
    assert llama.logits(hidden[0])[0] == pytest.approx([11.596551, 11.313708], abs=1e-5)
