"""Run by `.venv-trainers/bin/python`: what transformers makes of checkpoints, to compare with.

    reference.py ORDER.json REPORT.json

The order has, for each checkpoint, conversations and texts to score after them; the report greedy
answers, tokens, and log-probabilities, in float32.
"""

import json
import sys
from pathlib import Path
from typing import Any


def examined(
    folder: str, chats: list[list[dict[str, str]]], texts: list[str], most: int
) -> list[dict[str, Any]]:
    import torch
    from transformers import AutoTokenizer, LlamaForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def logprobs(ids: list[int], start: int) -> list[float]:
        with torch.inference_mode():
            rows = model(torch.tensor([ids])).logits[0].log_softmax(-1)
        return [float(rows[at - 1, ids[at]]) for at in range(start, len(ids))]

    found = []
    for messages, text in zip(chats, texts, strict=True):
        prompt = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_dict=True
        )["input_ids"]
        asked = torch.tensor([prompt])
        with torch.inference_mode():
            drawn = model.generate(
                asked,
                attention_mask=torch.ones_like(asked),
                do_sample=False,
                max_new_tokens=most,
                pad_token_id=0,
            )[0].tolist()[len(prompt) :]
        scored = tokenizer(text, add_special_tokens=False)["input_ids"]
        found.append(
            {
                "prompt": list(prompt),
                "drawn": drawn,
                "drawn_logprobs": logprobs([*prompt, *drawn], len(prompt)),
                "scored": scored,
                "scored_logprobs": logprobs([*prompt, *scored], len(prompt)),
            }
        )
    return found


def main() -> None:
    order = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    report = {folder: examined(folder, **asked) for folder, asked in order.items()}
    Path(sys.argv[2]).write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    main()
