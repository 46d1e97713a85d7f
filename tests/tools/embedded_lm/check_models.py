"""Run by `.venv-trainers/bin/python`: what needs torch, reported as JSON on the last line.

check_models.py ROOT WORK
"""

import json
import sys
from pathlib import Path
from typing import Any

QUESTION = "Tom has 17 pens, gets 25, loses 8. How many?"
CHAT = [
    {"role": "user", "content": QUESTION},
    {"role": "assistant", "content": "17+25="},
]


def shipped(folder: Path) -> dict[str, Any]:
    """Our model and transformers' on one text, and what transformers makes of the files."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tools.embedded_lm.model import load_model

    tokenizer = AutoTokenizer.from_pretrained(folder)
    theirs = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ours = load_model(folder).eval()
    text = tokenizer.apply_chat_template(CHAT, tokenize=False, continue_final_message=True)
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        apart = (ours(ids) - theirs(ids).logits).abs().max()
        reply = theirs.generate(ids, max_new_tokens=30, do_sample=False)[0, ids.shape[1] :]
    return {
        "apart": float(apart),
        "chat": text,
        "ids": ids[0].tolist(),
        "stops": int(reply[-1]) == tokenizer.eos_token_id,
        "special": [tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.bos_token_id],
        "stored": str(AutoModelForCausalLM.from_pretrained(folder).dtype),
        "tied": theirs.config.tie_word_embeddings,
        "parameters": theirs.num_parameters(),
    }


def trained(work: Path) -> dict[str, Any]:
    """A very small training, twice."""
    from tools.embedded_lm.model import Shape, load_model
    from tools.embedded_lm.train import Course, Training, new_model, save

    course = Course(
        {"solve": 1.0, "judge": 1.0}, steps=30, seed=7, matrix_rate=0.02, other_rate=4e-3
    )
    trainings = [Training(new_model(Shape(32, 1, 1, 1, 32), 7), course) for _ in range(2)]
    losses = [[each.step(number) for number in range(course.steps)] for each in trainings]
    for name, training in zip(("a", "b"), trainings, strict=True):
        save(training.model, work / name)
    again = load_model(work / "a").state_dict()
    kept = trainings[0].model.state_dict()
    return {
        "losses": losses[0],
        "same": losses[0] == losses[1],
        "same_files": len({(work / name / "model.safetensors").read_bytes() for name in "ab"}) == 1,
        "reloaded": all(bool((again[name] == kept[name].half().float()).all()) for name in kept),
    }


def orthogonal() -> list[float]:
    """The singular values of a random matrix after Muon's iteration."""
    import torch

    from tools.embedded_lm.muon import orthogonal as made

    matrix = torch.randn(1, 8, 24, generator=torch.Generator().manual_seed(0))
    return [float(value) for value in torch.linalg.svdvals(made(matrix))[0]]


def main() -> None:
    root, work = map(Path, sys.argv[1:])
    sys.path.insert(0, str(root))
    models = {name: shipped(root / "data" / "models" / name) for name in ("policy", "teacher")}
    print(json.dumps({**models, "trained": trained(work), "orthogonal": orthogonal()}))


if __name__ == "__main__":
    main()
