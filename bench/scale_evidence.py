"""Evidence of very many candidates for `scale.py`, with short texts, as units would have staged it.

    python bench/scale_evidence.py PROMPTS FOLDER

PROMPTS prompts with four answers of about 80 characters, and one rating of each answer. Whole columns
are made at a time, so that ten million answers take minutes and not hours. `FOLDER/bare` has two
tables as Parquet, which the bare yardsticks read: `scored`, the responses with their scores, and
`judgments`. Everything is a function of PROMPTS.
"""

import sys
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pipelines.staging.evidence import RUNS_PER_FILE, Evidence  # noqa: E402
from pipelines.staging.pieces import portion  # noqa: E402
from pipelines.staging.runs import BATCH, RunWriter  # noqa: E402
from schemas.tables import ORDER, STAGED  # noqa: E402

ANSWERS = 4
PROMPTS_AT_ONCE = 65_536


class Runs:
    """Files of runs of one table, as large as `Evidence` makes them."""

    def __init__(self, folder: Path, table: str) -> None:
        self._folder, self._table, self._schema = folder / table, table, STAGED[table]
        self._runs, self._bytes, self._writer = 0, 0, None

    def write(self, rows: pl.DataFrame) -> None:
        absent = [name for name in self._schema.names if name not in rows.columns]
        rows = rows.with_columns(pl.lit(None).alias(name) for name in absent)
        arrow = rows.select(self._schema.names).to_arrow(compat_level=pl.CompatLevel.oldest())
        table = arrow.cast(self._schema)
        begin = 0
        while begin < table.num_rows:
            if self._runs % RUNS_PER_FILE == 0:
                self.close()
                name = f"{self._runs:06d}"
                self._writer = RunWriter(self._folder, name, self._schema, ORDER[self._table])
            rows = portion(self._bytes) * table.num_rows // table.nbytes // BATCH * BATCH
            run = table[begin : begin + rows]
            self._writer.write(run)
            self._runs, self._bytes, begin = self._runs + 1, self._bytes + run.nbytes, begin + rows

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def ids(draw: np.random.Generator, count: int) -> pl.Series:
    """Random ids: 32 hexadecimal digits."""
    raw = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(16), count, [None, pa.py_buffer(draw.bytes(16 * count))]
    )
    return pl.Series(pa.chunked_array([raw.cast(pa.binary())])).bin.encode("hex")


def prompts_of(draw: np.random.Generator, count: int) -> pl.DataFrame:
    id_ = ids(draw, count)
    message = pl.struct(
        role=pl.lit("user"),
        content="Which of the numbers in " + pl.col("prompt_id") + " is the largest one?",
        reasoning=pl.lit(None, pl.String),
        tool_calls=pl.lit(
            None, pl.List(pl.Struct(dict.fromkeys(("id", "name", "arguments"), pl.String)))
        ),
        tool_call_id=pl.lit(None, pl.String),
        name=pl.lit(None, pl.String),
    )
    return pl.DataFrame({"prompt_id": id_}).with_columns(
        messages=message.implode().over(pl.int_range(pl.len())),
        sources=pl.lit(["questions"]),
        n_chars=pl.lit(77),
    )


def responses_of(draw: np.random.Generator, prompts: pl.Series) -> pl.DataFrame:
    count = ANSWERS * len(prompts)
    index = pl.int_range(pl.len()) % ANSWERS
    own = pl.col("response_id")
    return pl.DataFrame(
        {
            "response_id": ids(draw, count),
            "prompt_id": prompts.gather(np.repeat(np.arange(len(prompts)), ANSWERS)),
            "score": draw.integers(1, 11, count).astype(np.float64),
        }
    ).with_columns(
        text="I have looked, and it is " + own.str.head(16) + ", as far as I can tell from it.",
        model=pl.when(index % 2 == 0).then(pl.lit("small")).otherwise(pl.lit("large")),
        model_identity=pl.lit("https://models.example/v1#model"),
        sampler=pl.lit("independent"),
        policy=pl.when(index % 2 == 0).then(pl.lit("on")).otherwise(pl.lit("off")),
        params=pl.lit('{"max_tokens":512,"temperature":0.8}'),
        sample_index=index // 2,
        finish_reason=pl.lit("stop"),
        prompt_tokens=pl.lit(20),
        completion_tokens=20 + index,
        partial=pl.lit(False),
        n_chars=pl.lit(80),
        text_hash=own,
        norm_hash=own,
    )


def judgments_of(draw: np.random.Generator, responses: pl.DataFrame) -> pl.DataFrame:
    return responses.select("prompt_id", "response_id", "score").with_columns(
        ids(draw, responses.height).alias("judgment_id"),
        judge=pl.lit("rating"),
        judge_identity=pl.lit("judge"),
        sample_index=pl.lit(0),
        raw="Rating: " + pl.col("score").cast(pl.Int64).cast(pl.String),
    )


def main() -> None:
    prompts, folder = int(sys.argv[1]), Path(sys.argv[2])
    Evidence(folder).flush()  # a file of every table; those of three are written over
    runs = {table: Runs(folder, table) for table in ("prompts", "responses", "judgments")}
    for table in ("scored", "judgments"):
        (folder / "bare" / table).mkdir(parents=True)
    for begin in range(0, prompts, PROMPTS_AT_ONCE):
        draw = np.random.Generator(np.random.Philox(begin))
        asked = prompts_of(draw, min(PROMPTS_AT_ONCE, prompts - begin))
        answers = responses_of(draw, asked["prompt_id"])
        runs["prompts"].write(asked)
        runs["responses"].write(answers.drop("score"))
        judgments = judgments_of(draw, answers)
        runs["judgments"].write(judgments)
        for table, rows in (("scored", answers), ("judgments", judgments)):
            arrow = rows.to_arrow(compat_level=pl.CompatLevel.oldest())
            file = folder / "bare" / table / f"{begin:08d}.parquet"
            pq.write_table(arrow, file, compression="zstd")
    for one in runs.values():
        one.close()


if __name__ == "__main__":
    main()
