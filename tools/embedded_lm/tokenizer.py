"""The tokenizer's files, written with the `tokenizers` library: one for both models.

`tokenizer.json` is read alike by transformers, vLLM and the embedded engine. Special tokens are
recognised in a text unless `Tokenizer.encode_special_tokens` is set: whoever encodes what a user
wrote sets it, so that "<|im_end|>" in a message is ten characters and no end of it.
"""

import json
import re
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from tools.embedded_lm.vocabulary import (
    END,
    END_ID,
    PAD,
    PAD_ID,
    PHRASES,
    SPECIALS,
    UNKNOWN,
    VOCABULARY,
)

CONTEXT = 512
"""Tokens that the models can attend to."""

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

FENCE = "(?<=<<<)[0-9a-f]{16}(?![0-9a-f])|(?<![0-9a-f])[0-9a-f]{16}(?=>>>)"
PAIR = r"[0-9a-f]{2}(?=(?:[0-9a-f]{2})*\z)"
"""Cuts a piece into twos from its end: fences, and of the phrases "Abe" alone, to "A" and "be"."""


def make_tokenizer() -> Tokenizer:
    """The tokenizer: ids of `VOCABULARY`, and text back from ids exactly."""
    ids = {token: number for number, token in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    longest_first = sorted(PHRASES, key=len, reverse=True)
    pieces = "|".join([FENCE, *map(_escaped, longest_first), r"[\s\S]"])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(cut), "isolated") for cut in (pieces, PAIR)]
    )
    tokenizer.decoder = decoders.Fuse()
    tokenizer.add_special_tokens(
        [AddedToken(token, special=True, normalized=False) for token in SPECIALS]
    )
    return tokenizer


def write_tokenizer(folder: Path) -> None:
    """Writes tokenizer.json, tokenizer_config.json, chat_template.jinja, generation_config.json."""
    folder.mkdir(parents=True, exist_ok=True)
    make_tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")
    _write(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": PAD,
        "eos_token": END,
        "unk_token": UNKNOWN,
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
    })  # fmt: skip
    _write(folder / "generation_config.json", {"eos_token_id": END_ID, "pad_token_id": PAD_ID})


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _escaped(phrase: str) -> str:
    return re.sub(r"([\\.^$|?*+()\[\]{}])", r"\\\1", phrase)
