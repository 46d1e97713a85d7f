"""Checkpoints for tests: random weights, with a tokenizer of single characters."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

SPECIALS = ("<|pad|>", "<|im_start|>", "<|im_end|>")
WORDS = ("user\n", "assistant\n", "Answer: ")
CHARACTERS = ("\n", *map(chr, range(32, 127)))
TOKENS = ("?", *SPECIALS, *WORDS, *(one for one in CHARACTERS if one != "?"))
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_act": "silu",
    "vocab_size": len(TOKENS),
    "hidden_size": 48,
    "intermediate_size": 80,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 96,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "tie_word_embeddings": True,
    "eos_token_id": 3,
}


def make_checkpoint(folder: Path, *, seed: int = 0, dtype: str = "f2", **config: Any) -> Path:
    """A folder with a Llama of random weights; `config` changes `CONFIG`."""
    folder.mkdir(parents=True)
    whole = CONFIG | config
    (folder / "config.json").write_text(json.dumps(whole))
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "<|im_end|>"}))
    make_tokenizer().save(str(folder / "tokenizer.json"))
    save_file(random_tensors(whole, seed, dtype), folder / "model.safetensors")
    return folder


def make_bigrams(folder: Path, shares: dict[str, dict[str, float]]) -> Path:
    """A model without layers: `shares["a"]["b"]` is the probability of "b" after "a".

    A token's embedding is a unit vector of `size` numbers; normed, it is sqrt(size) times that.
    """
    size = len(TOKENS)
    output = np.full((size, size), -40 / size**0.5, np.float32)
    for token, following in shares.items():
        for other, share in following.items():
            output[TOKENS.index(other), TOKENS.index(token)] = np.log(share) / size**0.5
    made = make_checkpoint(
        folder, hidden_size=size, num_hidden_layers=0, tie_word_embeddings=False, rms_norm_eps=1e-12
    )
    tensors = {
        "model.embed_tokens.weight": np.eye(size, dtype=np.float32),
        "model.norm.weight": np.ones(size, np.float32),
        "lm_head.weight": output,
    }
    save_file(tensors, made / "model.safetensors")
    return made


def make_reward_model(folder: Path, base: Path, *, seed: int = 0) -> Path:
    """A folder with the model in `base` under a random head that gives one number."""
    shutil.copytree(base, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {"architectures": ["LlamaForSequenceClassification"], "num_labels": 1}
    config |= {"id2label": {"0": "reward"}, "label2id": {"reward": 0}}
    (folder / "config.json").write_text(json.dumps(config))
    tensors = load_file(folder / "model.safetensors")
    head = np.random.default_rng(seed).normal(0, 0.3, (1, config["hidden_size"]))
    tensors["score.weight"] = head.astype(tensors["model.norm.weight"].dtype)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def make_tokenizer() -> Tokenizer:
    """One token for each printable character, and for a few words."""
    tokenizer = Tokenizer(models.WordLevel({t: i for i, t in enumerate(TOKENS)}, unk_token="?"))
    pieces = "|".join((*WORDS, r"[\s\S]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(pieces), "isolated")
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens([AddedToken(one, special=True) for one in SPECIALS])
    return tokenizer


def write_byte_tokenizer(folder: Path) -> None:
    """Puts a tokenizer of single bytes in the place of a checkpoint's own."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    ids = {token: number for number, token in enumerate((*SPECIALS, *letters))}
    tokenizer = Tokenizer(models.BPE(ids, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(one, special=True) for one in SPECIALS])
    tokenizer.save(str(folder / "tokenizer.json"))


def random_tensors(config: dict[str, Any], seed: int, dtype: str) -> dict[str, Any]:
    """Weights that make for a lively distribution: far from uniform, far from certain."""
    random = np.random.default_rng(seed)
    size, mlp = config["hidden_size"], config["intermediate_size"]
    read = config["num_attention_heads"] * config["head_dim"]
    kept = config["num_key_value_heads"] * config["head_dim"]
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config["vocab_size"], size),
        "model.norm.weight": (size,),
    }
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (config["vocab_size"], size)
    for number in range(config["num_hidden_layers"]):
        shapes |= {
            f"model.layers.{number}.{name}.weight": shape
            for name, shape in {
                "input_layernorm": (size,),
                "post_attention_layernorm": (size,),
                "self_attn.q_proj": (read, size),
                "self_attn.k_proj": (kept, size),
                "self_attn.v_proj": (kept, size),
                "self_attn.o_proj": (size, read),
                "mlp.gate_proj": (mlp, size),
                "mlp.up_proj": (mlp, size),
                "mlp.down_proj": (size, mlp),
            }.items()
        }
    return {
        name: (
            random.uniform(0.5, 1.5, shape) if len(shape) == 1 else random.normal(0, 0.25, shape)
        ).astype(dtype)
        for name, shape in shapes.items()
    }
