"""Reference runs, by the trainers' own Python: `python reference_runs.py JOB.json`.

Each run fine-tunes the model with LoRA and TRL's DPO on one half of the pairs, and at every
checkpoint scores the half that it never saw, pair by pair. What it found is a Parquet file of its
own, written elsewhere and renamed: one that is there is complete, and a stopped job goes on with the
next run. Nothing of pairwright is imported here, and what is not in every Python stands in functions.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

LONGEST_BATCH = 16
"""Pairs that are scored together."""


def main(file: str) -> None:
    """Does the runs of a job that are not done yet."""
    job = json.loads(Path(file).read_text(encoding="utf-8"))
    pairs = read_pairs(job["pairs"])
    for run in job["runs"]:
        target = Path(job["folder"]) / f"{run['run_id']}.parquet"
        if not target.exists():
            said(run=run["run_id"])
            write(scored_by(job, run, pairs), target)


def said(**what: Any) -> None:
    """Tells whoever waits how far it is, in one line."""
    print(json.dumps(what), flush=True)


def read_pairs(path: str) -> list[dict[str, Any]]:
    """The pairs: `pair_id`, `prompt`, `chosen`, `rejected` (message lists), `tools`."""
    import pyarrow.parquet as pq

    pairs: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return pairs


def scored_by(job: dict[str, Any], run: dict[str, Any], pairs: list[dict[str, Any]]) -> list[Any]:
    """Trains a run; its rows of `losses.LOSSES` with the log-probabilities behind them."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback, set_seed
    from trl import DPOConfig, DPOTrainer

    set_seed(run["seed"])
    on_gpu = torch.cuda.is_available() and not job["cpu"]
    dtype = torch.bfloat16 if on_gpu else torch.float32
    model = AutoModelForCausalLM.from_pretrained(job["model"], dtype=dtype)
    tokenizer = AutoTokenizer.from_pretrained(job["model"])
    held_out = set(run["held_out"])
    unseen = [pair for pair in pairs if pair["pair_id"] in held_out]
    seen = [plain(pair) for pair in pairs if pair["pair_id"] not in held_out]
    settings = job["settings"]
    steps = math.ceil(len(seen) / settings["batch"]) * settings["epochs"]
    rows: list[Any] = []

    class Checkpoints(TrainerCallback):  # type: ignore[misc,unused-ignore]
        """Scores the unseen half at equal distances, the last time at the end."""

        def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            marks = [steps * (k + 1) // job["checkpoints"] for k in range(job["checkpoints"])]
            if state.global_step in marks:
                checkpoint = marks.index(state.global_step)
                scores = scorer.scores(unseen)
                rows.extend(rows_of(run, checkpoint, state.global_step, unseen, scores, settings))
                said(run=run["run_id"], checkpoint=checkpoint)

    trainer = DPOTrainer(
        model=model,
        args=DPOConfig(
            output_dir=str(Path(job["folder"]) / "work"),
            beta=settings["beta"],
            learning_rate=settings["rate"],
            num_train_epochs=settings["epochs"],
            per_device_train_batch_size=settings["micro_batch"],
            gradient_accumulation_steps=settings["batch"] // settings["micro_batch"],
            lr_scheduler_type="cosine",
            warmup_steps=settings["warmup"],  # below 1: a share of the steps
            max_length=settings["max_length"],
            seed=run["seed"],
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            logging_strategy="no",
            bf16=on_gpu,
            use_cpu=not on_gpu,
            gradient_checkpointing=on_gpu,
        ),
        train_dataset=Dataset.from_list(seen),
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=settings["rank"],
            lora_alpha=settings["rank"],
            lora_dropout=settings["dropout"],
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
        callbacks=[Checkpoints()],
    )
    scorer = Scorer(trainer.model, tokenizer, settings["max_length"])
    trainer.train()
    return rows


def plain(pair: dict[str, Any]) -> dict[str, Any]:
    """What TRL reads of a pair."""
    return {name: pair[name] for name in ("prompt", "chosen", "rejected")}


def rows_of(
    run: dict[str, Any],
    checkpoint: int,
    step: int,
    pairs: list[dict[str, Any]],
    scores: list[tuple[float, float, float, float]],
    settings: dict[str, Any],
) -> list[dict[str, Any]]:
    """One row for each pair."""
    rows = []
    for pair, (chosen, rejected, ref_chosen, ref_rejected) in zip(pairs, scores, strict=True):
        delta = settings["beta"] * ((chosen - ref_chosen) - (rejected - ref_rejected))
        rows.append(
            {
                "pair_id": pair["pair_id"],
                "run_id": run["run_id"],
                "seed": run["seed"],
                "half": run["half"],
                "checkpoint": checkpoint,
                "step": step,
                "loss": max(-delta, 0.0) + math.log1p(math.exp(-abs(delta))),
                "policy_chosen": chosen,
                "policy_rejected": rejected,
                "ref_chosen": ref_chosen,
                "ref_rejected": ref_rejected,
            }
        )
    return rows


class Scorer:
    """Summed log-probabilities of answers, by the model as it is and without what it learned."""

    def __init__(self, model: Any, tokenizer: Any, longest: int) -> None:
        self.model, self.tokenizer, self.longest = model, tokenizer, longest
        self._before: dict[str, tuple[float, float]] = {}

    def scores(self, pairs: list[dict[str, Any]]) -> list[tuple[float, float, float, float]]:
        """Of each pair: chosen and rejected by the policy, then by the reference; nats."""
        now = self._both(pairs)
        new = [pair for pair in pairs if pair["pair_id"] not in self._before]
        if new:
            with self.model.disable_adapter():
                ids = [pair["pair_id"] for pair in new]
                self._before.update(zip(ids, self._both(new), strict=True))
        return [
            (*one, *self._before[pair["pair_id"]]) for pair, one in zip(pairs, now, strict=True)
        ]

    def _both(self, pairs: list[dict[str, Any]]) -> list[tuple[float, float]]:
        import torch

        was_training = self.model.training
        self.model.eval()
        summed: list[float] = []
        texts = [self._tokens(pair, side) for pair in pairs for side in ("chosen", "rejected")]
        with torch.no_grad():
            for first in range(0, len(texts), LONGEST_BATCH):
                summed += self._batch(texts[first : first + LONGEST_BATCH])
        self.model.train(was_training)
        return list(zip(summed[::2], summed[1::2], strict=True))

    def _tokens(self, pair: dict[str, Any], side: str) -> tuple[list[int], int]:
        """The tokens of prompt and answer, and where the answer begins."""
        tools = json.loads(pair["tools"]) if pair.get("tools") else None
        whole = self._templated([*pair["prompt"], *pair[side]], tools, False)
        prompt = self._templated(pair["prompt"], tools, True)
        start = next(
            (at for at, (a, b) in enumerate(zip(prompt, whole, strict=False)) if a != b),
            min(len(prompt), len(whole)),
        )
        return whole[: self.longest], start

    def _templated(self, messages: list[Any], tools: Any, opens: bool) -> list[int]:
        said = self.tokenizer.apply_chat_template(
            messages, tools=tools, add_generation_prompt=opens, tokenize=False
        )
        tokens: list[int] = self.tokenizer(said, add_special_tokens=False)["input_ids"]
        return tokens

    def _batch(self, texts: list[tuple[list[int], int]]) -> list[float]:
        import torch

        device = next(self.model.parameters()).device
        width = max(len(tokens) for tokens, _ in texts)
        ids = torch.zeros(len(texts), width, dtype=torch.long)
        there = torch.zeros(len(texts), width, dtype=torch.long)
        answers = torch.zeros(len(texts), width, dtype=torch.bool)
        for row, (tokens, start) in enumerate(texts):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            there[row, : len(tokens)] = 1
            answers[row, start : len(tokens)] = True
        ids, there, answers = ids.to(device), there.to(device), answers.to(device)
        logits = self.model(input_ids=ids, attention_mask=there).logits[:, :-1].float()
        logps = torch.log_softmax(logits, -1).gather(-1, ids[:, 1:, None]).squeeze(-1)
        found: list[float] = (logps.double() * answers[:, 1:]).sum(-1).tolist()
        return found


def write(rows: list[Any], target: Path) -> None:
    """The rows of a run, all of them or no file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    aside = target.with_suffix(".unfinished")
    pq.write_table(pa.Table.from_pylist(rows), aside, compression="zstd")
    aside.replace(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
