"""Replies and log-probabilities of a shipped model, through transformers, as a user loads it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

BATCH = 256
"""Replies drawn at once."""
LONGEST = 112
"""Tokens of a reply."""


class Speaker:
    """A model and its tokenizer, its float16 weights reckoned with in float32."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, padding_side="left")
        self._model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)

    @torch.inference_mode()
    def replies(
        self, prompts: Sequence[str], n: int = 1, temperature: float = 0.0, seed: int = 0
    ) -> list[list[str]]:
        """`n` replies to each prompt; the most likely one at temperature 0."""
        torch.manual_seed(seed)
        drawn: list[list[str]] = [[] for _ in prompts]
        how: dict[str, Any] = {"do_sample": False}
        if temperature:
            how = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
        for places in _batches([len(prompt) for prompt in prompts], BATCH // n):
            asked = self._encode([self._chat(prompts[place]) for place in places])
            out = self._model.generate(
                **asked, max_new_tokens=LONGEST, num_return_sequences=n, **how
            )
            texts = self._tokenizer.batch_decode(
                out[:, asked["input_ids"].shape[1] :], skip_special_tokens=True
            )
            for row, place in enumerate(places):
                drawn[place] = texts[row * n : (row + 1) * n]
        return drawn

    @torch.inference_mode()
    def least_likely(self, prompts: Sequence[str], replies: Sequence[str]) -> list[float]:
        """The log-probability of the least likely token of each reply, its end included."""
        least = [0.0] * len(prompts)
        lengths = [len(prompt) + len(reply) for prompt, reply in zip(prompts, replies, strict=True)]
        for places in _batches(lengths, BATCH):
            starts = [self._chat(prompts[place]) for place in places]
            ends = [f"{replies[place]}{self._tokenizer.eos_token}" for place in places]
            asked = self._encode([start + end for start, end in zip(starts, ends, strict=True)])
            taken = self._log_probs(asked)
            for row, (place, end) in enumerate(zip(places, ends, strict=True)):
                least[place] = float(taken[row, -self._length(end) :].min())
        return least

    def _log_probs(self, asked: Any) -> Tensor:
        """The log-probability of each token after the first (rows, time - 1)."""
        ids = asked["input_ids"]
        logits: Tensor = self._model(**asked).logits[:, :-1]
        return logits.log_softmax(-1).gather(-1, ids[:, 1:, None])[..., 0]

    def _encode(self, texts: list[str]) -> Any:
        return self._tokenizer(texts, return_tensors="pt", padding=True)

    def _length(self, text: str) -> int:
        return len(self._tokenizer(text)["input_ids"])

    def _chat(self, prompt: str) -> str:
        text: str = self._tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
        )
        return text


def _batches(lengths: Sequence[int], size: int) -> list[list[int]]:
    """Places in batches of like length."""
    order = sorted(range(len(lengths)), key=lambda place: lengths[place])
    return [order[start : start + size] for start in range(0, len(order), size)]
