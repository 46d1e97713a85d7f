"""The model in PyTorch: Llama, its weights named as transformers' LlamaForCausalLM names them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor, nn
from torch.nn import functional

from tools.embedded_lm.tokenizer import CONTEXT
from tools.embedded_lm.vocabulary import END_ID, PAD_ID, VOCABULARY

EPSILON = 1e-5
THETA = 10000.0
HEAD = 32
"""Dimensions of an attention head."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model."""

    width: int
    layers: int
    heads: int
    key_value_heads: int
    inner: int


class Norm(nn.Module):
    """Root-mean-square normalisation with a learned scale."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """`x` (..., width), normalised."""
        return functional.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), EPSILON)


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotary position embedding, in the two halves of a head as Llama does it."""
    first, second = x.chunk(2, -1)
    return x * cosine + torch.cat((-second, first), -1) * sine


class Attention(nn.Module):
    """Grouped-query attention over what came before."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.groups = shape.heads // shape.key_value_heads
        inner, key_value = shape.heads * HEAD, shape.key_value_heads * HEAD
        self.q_proj = nn.Linear(shape.width, inner, bias=False)
        self.k_proj = nn.Linear(shape.width, key_value, bias=False)
        self.v_proj = nn.Linear(shape.width, key_value, bias=False)
        self.o_proj = nn.Linear(inner, shape.width, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """`x` (batch, time, width), mixed over time."""
        batch, time, _ = x.shape

        def heads(projection: nn.Module) -> Tensor:
            split: Tensor = projection(x).view(batch, time, -1, HEAD).transpose(1, 2)
            return split

        queries = rotate(heads(self.q_proj), cosine, sine)
        keys = rotate(heads(self.k_proj), cosine, sine).repeat_interleave(self.groups, 1)
        values = heads(self.v_proj).repeat_interleave(self.groups, 1)
        with torch.autocast("cpu", enabled=False):  # in bf16 its gradient is slow on a CPU
            mixed = functional.scaled_dot_product_attention(
                queries.float(), keys.float(), values.float(), is_causal=True
            )
        joined: Tensor = self.o_proj(mixed.transpose(1, 2).reshape(batch, time, -1))
        return joined


class Gated(nn.Module):
    """The gated two-layer network of a block."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(shape.width, shape.inner, bias=False)
        self.up_proj = nn.Linear(shape.width, shape.inner, bias=False)
        self.down_proj = nn.Linear(shape.inner, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """`x` (..., width), each place by itself."""
        out: Tensor = self.down_proj(functional.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Block(nn.Module):
    """Attention and the gated network, each added to what it reads."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attn = Attention(shape)
        self.mlp = Gated(shape)
        self.input_layernorm = Norm(shape.width)
        self.post_attention_layernorm = Norm(shape.width)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """`x` (batch, time, width), one block further."""
        x = x + self.self_attn(self.input_layernorm(x), cosine, sine)
        out: Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class Inner(nn.Module):
    """Embedding, blocks and last norm: what LlamaForCausalLM calls its `model`."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(len(VOCABULARY), shape.width)
        self.layers = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.width)


class Llama(nn.Module):
    """A causal language model whose output matrix is its embedding."""

    cosine: Tensor
    sine: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.model = Inner(shape)
        rates = THETA ** -(torch.arange(0, HEAD, 2).float() / HEAD)
        angles = torch.outer(torch.arange(CONTEXT).float(), rates).repeat(1, 2)
        self.register_buffer("cosine", angles.cos(), persistent=False)
        self.register_buffer("sine", angles.sin(), persistent=False)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                nn.init.normal_(weight, std=self._spread(name, weight))

    def hidden(self, ids: Tensor) -> Tensor:
        """Last hidden states (batch, time, width) of `ids` (batch, time)."""
        x = self.model.embed_tokens(ids)
        cosine, sine = (each[: ids.shape[1]].to(x.dtype) for each in (self.cosine, self.sine))
        for block in self.model.layers:
            x = block(x, cosine, sine)
        out: Tensor = self.model.norm(x)
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits (..., vocabulary) of hidden states."""
        return functional.linear(hidden, self.model.embed_tokens.weight)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits (batch, time, vocabulary) of `ids` (batch, time)."""
        return self.logits(self.hidden(ids))

    def _spread(self, name: str, weight: Tensor) -> float:
        """Standard deviation of the weights at first; less for what is added to the stream."""
        if "embed" in name:
            return 0.02
        spread = 0.5 / float(weight.shape[1]) ** 0.5
        adds = name.endswith(("o_proj.weight", "down_proj.weight"))
        return spread / (2 * self.shape.layers) ** 0.5 if adds else spread


def config(shape: Shape) -> dict[str, Any]:
    """The config.json of a model, as transformers 5 and vLLM read it."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": len(VOCABULARY),
        "hidden_size": shape.width,
        "intermediate_size": shape.inner,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.key_value_heads,
        "head_dim": HEAD,
        "hidden_act": "silu",
        "max_position_embeddings": CONTEXT,
        "rms_norm_eps": EPSILON,
        "rope_theta": THETA,
        "rope_parameters": {"rope_type": "default", "rope_theta": THETA},
        "tie_word_embeddings": True,
        "attention_bias": False,
        "mlp_bias": False,
        "bos_token_id": None,
        "eos_token_id": END_ID,
        "pad_token_id": PAD_ID,
        "dtype": "float16",
        "torch_dtype": "float16",
        "use_cache": True,
    }


def save_model(model: Llama, folder: Path) -> None:
    """Writes config.json, and model.safetensors in float16."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: weight.half().contiguous() for name, weight in model.state_dict().items()}
    (folder / "model.safetensors").write_bytes(save(weights, metadata={"format": "pt"}))
    text = json.dumps(config(model.shape), indent=2) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8")


def load_model(folder: Path) -> Llama:
    """The model that `save_model` wrote, its weights as float32."""
    written = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = Llama(
        Shape(
            width=written["hidden_size"],
            layers=written["num_hidden_layers"],
            heads=written["num_attention_heads"],
            key_value_heads=written["num_key_value_heads"],
            inner=written["intermediate_size"],
        )
    )
    weights = load_file(folder / "model.safetensors")
    model.load_state_dict({name: weight.float() for name, weight in weights.items()})
    return model
