"""What the embedded engine decodes and scores on one core, in tokens per second of CPU time.

    python bench/embedded.py [--model policy] [--samples 1 32 128] [--n 8] [--tokens 20000]

Prompts are the shipped sums. As many samples as stated are under way at any time, in requests of
`n`: where one ends, the next joins. A given text is scored in batches, as a likelihood judge asks.
"""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipelines.engine.ask import Draw, Score  # noqa: E402
from pipelines.engine.batch import Batch  # noqa: E402
from pipelines.engine.checkpoint import find_checkpoint  # noqa: E402
from pipelines.engine.model import Model, load_model  # noqa: E402
from pipelines.shipped import shipped  # noqa: E402
from schemas.rows import Message  # noqa: E402


def prompts(model: Model) -> Iterator[list[int]]:
    """The tokens of the shipped sums, over and over."""
    lines = shipped("prompts/sums_held_out.jsonl").read_text().splitlines()
    questions = [json.loads(line)["question"] for line in lines]
    for question in itertools.cycle(questions):
        yield model.vocabulary.conversation([Message("user", question)])


def decoded_per_second(model: Model, samples: int, n: int, tokens: int) -> float:
    """Tokens drawn per second of CPU time with `samples` samples under way."""
    batch, asked = Batch(model), prompts(model)
    drawn, started = 0, time.process_time()
    for seed in itertools.count():
        while batch.open < samples:
            count = min(n, samples - batch.open)
            batch.join(Draw(next(asked), count, seed, temperature=0.8))
        drawn += sum(sample.drawn for group in batch.step() for sample in group.samples)
        if drawn >= tokens:
            return drawn / (time.process_time() - started)
    raise AssertionError


def scored_per_second(model: Model, tokens: int) -> float:
    """Tokens of prompts and answers read per second of CPU time, 16 texts at a time."""
    batch, answer = Batch(model), model.vocabulary.encode_literally("17+25=42\nAnswer: 42")
    read, started = 0, time.process_time()
    for asked in prompts(model):
        batch.join(Score(asked + answer, len(asked)))
        read += len(asked) + len(answer)
        if len(batch.groups) == 16:
            batch.step()
            if read >= tokens:
                break
    return read / (time.process_time() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="policy")
    parser.add_argument("--samples", type=int, nargs="+", default=[1, 32, 128])
    parser.add_argument("--n", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=20_000)
    chosen = parser.parse_args()
    model = load_model(find_checkpoint(chosen.model, Path()))
    for samples in chosen.samples:
        tokens = min(chosen.tokens, 2_000 * samples)
        rate = decoded_per_second(model, samples, chosen.n, tokens)
        print(f"{samples:4} samples under way: {rate:8,.0f} tokens/s decoded")
    print(
        f"given texts:            {scored_per_second(model, chosen.tokens):8,.0f} tokens/s scored"
    )


if __name__ == "__main__":
    main()
