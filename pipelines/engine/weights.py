"""Weights: safetensors as float32 arrays, laid out for the forward pass.

What does not depend on the input is done here, once: matrices that read the same rows stand side
by side, a norm's weight is part of the matrix that follows it, and so is attention's 1/sqrt(d).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.engine.rows import Array
from pipelines.engine.shape import Shape
from pipelines.errors import RecipeError

STORED = {"F32": "<f4", "F16": "<f2", "BF16": "<u2"}
"""Safetensors' name of a type -> how its bytes are read; NumPy knows no bfloat16."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's matrices, each (inputs, outputs)."""

    attention_in: Array
    """Queries, keys and values: (hidden, (heads + 2 kv_heads) head_dim)."""
    attention_out: Array
    mlp_in: Array
    """Gate and up: (hidden, 2 mlp)."""
    mlp_out: Array


@dataclass(frozen=True, slots=True)
class Weights:
    """All matrices of a model."""

    embedding: Array
    """(vocabulary, hidden)."""
    layers: tuple[Layer, ...]
    output: Array
    """(hidden, vocabulary)."""


def read_weights(files: list[Path], shape: Shape) -> Weights:
    """The weights in `files`. Raises RecipeError where a tensor is missing or has another shape."""
    tensors: dict[str, Array] = {}
    for file in files:
        tensors |= read_tensors(file)
    taken = _Tensors(tensors)
    size, read = shape.hidden, shape.heads * shape.head_dim
    kept = shape.kv_heads * shape.head_dim

    def layer(number: int) -> Layer:
        def matrix(name: str, outputs: int, inputs: int) -> Array:
            return taken.get(f"model.layers.{number}.{name}.weight", outputs, inputs).T

        norm = taken.get(f"model.layers.{number}.input_layernorm.weight", size)
        queries = matrix("self_attn.q_proj", read, size) * np.float32(shape.head_dim**-0.5)
        keys = matrix("self_attn.k_proj", kept, size)
        values = matrix("self_attn.v_proj", kept, size)
        mlp_norm = taken.get(f"model.layers.{number}.post_attention_layernorm.weight", size)
        gate = matrix("mlp.gate_proj", shape.mlp, size)
        up = matrix("mlp.up_proj", shape.mlp, size)
        return Layer(
            attention_in=_in_order(np.hstack([queries, keys, values]) * norm[:, None]),
            attention_out=_in_order(matrix("self_attn.o_proj", size, read)),
            mlp_in=_in_order(np.hstack([gate, up]) * mlp_norm[:, None]),
            mlp_out=_in_order(matrix("mlp.down_proj", size, shape.mlp)),
        )

    embedding = taken.get("model.embed_tokens.weight", shape.vocabulary, size)
    output = "model.embed_tokens.weight" if shape.tied else "lm_head.weight"
    norm = taken.get("model.norm.weight", size)
    return Weights(
        embedding=embedding,
        layers=tuple(layer(number) for number in range(shape.layers)),
        output=_in_order(taken.get(output, shape.vocabulary, size).T * norm[:, None]),
    )


def _in_order(matrix: Array) -> Array:
    """`matrix` in C order, which products with few rows read fastest."""
    return np.ascontiguousarray(matrix)


def read_tensors(file: Path) -> dict[str, Array]:
    """The tensors of a safetensors file, by name, in float32. Raises RecipeError."""
    from safetensors import SafetensorError, deserialize

    try:
        stored = deserialize(file.read_bytes())  # type: ignore[no-untyped-call]
    except (OSError, SafetensorError) as error:
        raise RecipeError(f"{file.name}: {error}") from error
    return {name: _as_float(file, name, tensor) for name, tensor in stored}


def _as_float(file: Path, name: str, tensor: dict[str, Any]) -> Array:
    kind = tensor["dtype"]
    if kind not in STORED:
        raise RecipeError(f"{file.name}: {name} is stored as {kind}; known: {', '.join(STORED)}")
    values = np.frombuffer(tensor["data"], STORED[kind]).reshape(tensor["shape"])
    if kind == "BF16":  # the upper half of a float32
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values.astype(np.float32)


class _Tensors:
    """Tensors that must be there, in the shape that the config says."""

    def __init__(self, tensors: dict[str, Array]) -> None:
        self._tensors = tensors

    def get(self, name: str, *shape: int) -> Array:
        tensor = self._tensors.get(name)
        if tensor is None:
            raise RecipeError(f"the weights have no tensor {name}")
        if tensor.shape != shape:
            raise RecipeError(f"{name} is {tensor.shape}, and the config wants {shape}")
        return tensor
