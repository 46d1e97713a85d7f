"""Trains on exported pairs with TRL on the CPU; run by `.venv-trainers/bin/python`.

    python -m tools.proof.train JOBS.json

JOBS.json is a list of `jobs.Job`, as JSON. Each leaves a checkpoint folder, written elsewhere and
renamed, so that one that is there is complete. Imports stand in functions, for this file is also
looked at where TRL is not installed.
"""

import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

from tools.proof.jobs import Job, read_jobs

BATCH = 32
"""Pairs a step, and chosen answers a step."""
LONGEST = 256
"""Tokens of prompt and answer; none is longer, so nothing is cut."""
SCORED = 128
"""Pairs a step of the reference model."""


def train(job: Job) -> None:
    """Makes the checkpoint of `job`. Without one: the folder is there already."""
    folder = Path(job.checkpoint)
    if folder.is_dir():
        return
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    trainer = make_trainer(job, unfinished)
    trainer.train()
    trainer.save_model(str(unfinished))
    history = [entry for entry in trainer.state.log_history if "loss" in entry]
    figures = {"steps": trainer.state.global_step, "pairs": len(trainer.train_dataset)}
    said = json.dumps({"job": job.to_json(), **figures, "history": history}, indent=1)
    (unfinished / "training.json").write_text(said, encoding="utf-8")
    unfinished.rename(folder)


def make_trainer(job: Job, work: Path) -> Any:
    """TRL's trainer, about to start from the model in `job.start`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
    from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

    set_seed(job.seed)
    model = AutoModelForCausalLM.from_pretrained(job.start, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(job.start)
    common, pairs = settings(job, work), read_pairs(job)
    trainer_class, config = (
        (SFTTrainer, SFTConfig(**common, completion_only_loss=True))
        if job.method in ("chosen_only", "either_only")
        else (
            as_given(DPOTrainer) if "prompt_ids" in pairs.column_names else DPOTrainer,
            DPOConfig(
                **common,
                beta=job.beta,
                precompute_ref_log_probs=True,
                precompute_ref_batch_size=SCORED,
            ),
        )
    )
    return trainer_class(model=model, args=config, train_dataset=pairs, processing_class=tokenizer)


def as_given(trainer_class: Any) -> Any:
    """`trainer_class` for pairs that are tokens already, as the export `steps` writes them."""

    class AsGiven(trainer_class):  # type: ignore[misc]
        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

    return AsGiven


def settings(job: Job, work: Path) -> dict[str, Any]:
    """What both trainers are told: AdamW, a warm-up of a tenth, then linear to zero."""
    return {
        "output_dir": str(work),
        "learning_rate": job.rate,
        "num_train_epochs": job.epochs,
        "max_steps": job.steps or -1,  # -1: those of the passes
        "per_device_train_batch_size": BATCH,
        "lr_scheduler_type": "linear",
        "warmup_steps": 0.1,  # below 1: a share of the steps
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "max_length": LONGEST,
        "gradient_checkpointing": False,
        "bf16": False,
        "use_cpu": True,
        "seed": job.seed,
        "logging_steps": 10,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


def read_pairs(job: Job) -> Any:
    """The exported pairs, as the method of `job` wants them."""
    from datasets import load_dataset

    pairs = load_dataset(job.pairs, split="train")
    if job.method in ("shuffled", "either_only"):
        flips = coins(len(pairs), job.seed)
        pairs = pairs.map(lambda pair, place: flipped(pair, flips[place]), with_indices=True)
    if job.method in ("chosen_only", "either_only"):
        pairs = pairs.select_columns(["prompt", "chosen"]).rename_column("chosen", "completion")
    return pairs


def coins(count: int, seed: int) -> list[bool]:
    """Fair coins: which pairs change sides.

    >>> sum(coins(1000, 1)), coins(3, 1) == coins(3, 1)
    (514, True)
    """
    chance = random.Random(f"shuffled labels {seed}")
    return [chance.random() < 0.5 for _ in range(count)]


def flipped(pair: dict[str, Any], flip: bool) -> dict[str, Any]:
    """The pair, its sides exchanged if `flip`.

    >>> flipped({"prompt": "p", "chosen": "a", "rejected": "b"}, True)
    {'prompt': 'p', 'chosen': 'b', 'rejected': 'a'}
    """
    if not flip:
        return pair
    return pair | {"chosen": pair["rejected"], "rejected": pair["chosen"]}


def main(file: str) -> None:
    """Trains what the file lists, in its order."""
    for job in read_jobs(Path(file)):
        train(job)


if __name__ == "__main__":
    main(*sys.argv[1:])
