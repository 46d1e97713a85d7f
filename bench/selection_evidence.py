"""Evidence of a finished round for `selection.py`: as units would have staged it.

    python bench/selection_evidence.py PROMPTS FOLDER

PROMPTS prompts with four answers of 500 to 1,000 characters each, and one rating of each answer,
as they arrive. `FOLDER/bare` has the same tables as Parquet, and `scored`, that of the responses
with their scores: what the bare yardstick reads and writes. Everything is a function of PROMPTS.
"""

import hashlib
import random
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipelines.selection.staged import staged_files  # noqa: E402
from pipelines.staging.evidence import Evidence  # noqa: E402
from pipelines.staging.runs import ROWS  # noqa: E402
from schemas.rows import Judgment, Message, Prompt, Response  # noqa: E402

ANSWERS = 4
ROWS_AT_ONCE = 8192
"""Rows of a file of the bare tables."""
MODELS = ("small", "large")
PROSE = 40_000_000
"""Characters of prose that texts are cut from: far more than a compressor looks back."""


class Prose:
    """Text with the word lengths and the compressibility of English (2.6 to 1 with zstd)."""

    def __init__(self, draw: random.Random) -> None:
        letters = "etaoinshrdlucmfwypvbgkjqxz"
        heights = [27 - rank for rank in range(26)]
        words = [
            "".join(draw.choices(letters, heights, k=min(12, 2 + int(draw.expovariate(0.25)))))
            for _ in range(6000)
        ]
        words[::40] = [word + draw.choice((".", ",", ":", "é", ".\n\n")) for word in words[::40]]
        zipf = [1 / (rank + 1.5) for rank in range(len(words))]
        self._text = " ".join(draw.choices(words, zipf, k=PROSE // 5))[:PROSE]
        self._draw = draw

    def cut(self, shortest: int, longest: int) -> str:
        """A piece of so many characters."""
        start = self._draw.randrange(PROSE - longest)
        return self._text[start : start + self._draw.randint(shortest, longest)]


def main() -> None:
    prompts, folder = int(sys.argv[1]), Path(sys.argv[2])
    evidence, prose = Evidence(folder), Prose(random.Random(1))
    for number in range(prompts):
        asked = Message("user", prose.cut(100, 600))
        prompt = Prompt(_id("prompt", number), (asked,), sources=("questions",))
        responses = [_answer(prompt, index, prose) for index in range(ANSWERS)]
        evidence.add_prompt(prompt)
        evidence.add_responses(responses)
        evidence.add_judgments(_judged(response, prose) for response in responses)
    evidence.flush()
    _write_bare(folder)


def _answer(prompt: Prompt, index: int, prose: Prose) -> Response:
    model = MODELS[index % 2]
    return Response(
        response_id=_id("response", prompt.prompt_id, index),
        prompt_id=prompt.prompt_id,
        text=prose.cut(500, 1000),
        model=model,
        model_identity=f"https://models.example/v1#{model}",
        sampler="independent",
        policy="on" if model == "small" else "off",
        params='{"max_tokens":512,"temperature":0.8}',
        sample_index=index // 2,
        finish_reason="stop",
        prompt_tokens=120,
        completion_tokens=150 + index,
    )


def _judged(response: Response, prose: Prose) -> Judgment:
    rating = _rating(response.response_id)
    return Judgment(
        judgment_id=_id("judgment", response.response_id),
        prompt_id=response.prompt_id,
        judge="rating",
        judge_identity=_id("judge"),
        response_id=response.response_id,
        sample_index=0,
        score=float(rating),
        raw=f"{prose.cut(100, 200)}\n\nRating: {rating}",
    )


def _rating(response_id: str) -> int:
    """From 1 to 10."""
    return 1 + int(response_id[:8], 16) % 10


def _write_bare(folder: Path) -> None:
    for table in ("prompts", "responses", "judgments"):
        for file in staged_files(folder, table, ROWS):
            with pa.OSFile(str(file)) as opened:
                rows = pa.ipc.open_file(opened).read_all()
            for begin in range(0, rows.num_rows, ROWS_AT_ONCE):
                name = f"{file.stem}-{begin:06d}.parquet"
                _write_parquet(folder / "bare" / table / name, rows[begin : begin + ROWS_AT_ONCE])
    for file in (folder / "bare" / "responses").iterdir():
        responses = pq.read_table(file)
        scores = pa.array([float(_rating(id_)) for id_ in responses["response_id"].to_pylist()])
        scored = responses.append_column("score", scores)
        _write_parquet(folder / "bare" / "scored" / file.name, scored)


def _write_parquet(path: Path, rows: pa.Table) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, path, compression="zstd")


def _id(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


if __name__ == "__main__":
    main()
