"""The shape of a Llama: what `config.json` says, as far as the arithmetic needs it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import RecipeError

FIXED = {
    "model_type": "llama",
    "hidden_act": "silu",
    "attention_bias": False,
    "mlp_bias": False,
    "quantization_config": None,
}
"""Settings of which the engine knows one value; a config that leaves one out means it."""

OF_LLAMA3 = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
"""The further parameters of `rope_type = "llama3"`."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of a model. A layer has `heads` queries, `kv_heads` of keys and of values."""

    layers: int
    hidden: int
    mlp: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    context: int
    """Most tokens of prompt and answer together."""
    norm_eps: float
    tied: bool
    """Whether the embedding serves as the output matrix too."""
    rope: dict[str, Any]
    """Parameters of the rotary positions, `rope_theta` and `rope_type` among them."""

    def rotations(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Cosines and sines, each (context, head_dim / 2), in float32 as the reference has them."""
        positions = np.arange(self.context, dtype=np.float32)
        angles = np.outer(positions, _frequencies(self.rope, self.head_dim))
        return np.cos(angles), np.sin(angles)


def read_shape(config: dict[str, Any]) -> Shape:
    """The shape that a parsed config.json describes. Raises RecipeError for what is no Llama."""
    for name, known in FIXED.items():
        if config.get(name, known) != known:
            raise RecipeError(
                f"{name} = {config[name]!r} is not supported by the embedded engine, which runs "
                f"{name} = {known!r}. A vLLM server runs it"
            )
    try:
        heads = int(config["num_attention_heads"])
        shape = Shape(
            layers=int(config["num_hidden_layers"]),
            hidden=int(config["hidden_size"]),
            mlp=int(config["intermediate_size"]),
            heads=heads,
            kv_heads=int(config.get("num_key_value_heads") or heads),
            head_dim=int(config.get("head_dim") or config["hidden_size"] // heads),
            vocabulary=int(config["vocab_size"]),
            context=int(config["max_position_embeddings"]),
            norm_eps=float(config["rms_norm_eps"]),
            tied=bool(config.get("tie_word_embeddings", False)),
            rope=_rope(config),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RecipeError(f"not the config of a Llama: {error!r}") from error
    if shape.heads % shape.kv_heads or shape.head_dim % 2:
        raise RecipeError(
            f"{shape.heads} heads of {shape.head_dim} do not go with {shape.kv_heads} of keys"
        )
    return shape


def _rope(config: dict[str, Any]) -> dict[str, Any]:
    """The rotary parameters: one table in newer configs, two keys in older ones.

    >>> _rope({"rope_theta": 5e5, "rope_scaling": {"type": "default"}})
    {'rope_theta': 500000.0, 'rope_type': 'default', 'type': 'default'}
    """
    table = dict(config.get("rope_parameters") or config.get("rope_scaling") or {})
    theta = float(config.get("rope_theta") or 10000.0)
    rope = {"rope_theta": theta, "rope_type": table.get("type", "default")} | table
    if rope["rope_type"] not in ("default", "llama3"):
        raise RecipeError(
            f'rope_type "{rope["rope_type"]}" is not supported by the embedded engine, which '
            'knows "default" and "llama3". A vLLM server runs it'
        )
    numbers = ("rope_theta", *(OF_LLAMA3 if rope["rope_type"] == "llama3" else ()))
    return rope | {name: float(rope[name]) for name in numbers}


def _frequencies(rope: dict[str, Any], head_dim: int) -> NDArray[np.float32]:
    """theta^(-2i/d) for each pair i of dimensions (Su et al. 2021), scaled where the type says so.

    "llama3" (Grattafiori et al. 2024): waves longer than the original context over
    `low_freq_factor` turn `factor` times as slowly, those shorter than it over
    `high_freq_factor` as before, those between by interpolation.
    """
    exponents = np.arange(0, head_dim, 2, dtype=np.float32) / np.float32(head_dim)
    plain = np.float32(1) / np.float32(rope["rope_theta"]) ** exponents
    if rope["rope_type"] == "default":
        return plain
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    waves = rope["original_max_position_embeddings"] * plain / (2 * np.pi)
    share = np.clip((waves - low) / (high - low), 0, 1)
    scaled: NDArray[np.float32] = ((1 - share) * plain / rope["factor"] + share * plain).astype(
        np.float32
    )
    return scaled
