"""What selecting among very many candidates costs, and publishing anew with another threshold.

    python bench/scale.py [--candidates 10000000] [--republished 1000000] [--folder /tmp]

A step is a process of its own, imports included. Candidates have short texts (80 characters), so
that what is measured is rows. The bare yardsticks read the same scored responses as Parquet: Arrow
writes them again, with their texts and without; DuckDB picks the best and the worst of each prompt
and keeps those that lie far enough apart. Selecting starts from responses and judgments, so Arrow reads
and writes these two as well. Ratios are to the CPU of Arrow on scored responses with their texts. Each of
these steps finds its files in memory, not on the disk.

The second part builds from recorded answers and ratings, then again with a higher margin, as a user
would: by the command, with nothing but the threshold changed. No call is made. What comes before
selection is taken from the first version; once more without the report, and once by replay. Beside
the file of answers, Arrow reads and writes all tables of the second version: as many bytes as such a
build has to write at most.
"""

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from bench.measure import Cost, measure  # noqa: E402
from bench.selection import HEAD, RECIPES  # noqa: E402
from bench.selection import python as script  # noqa: E402
from pipelines.staging.runs import COLUMNS  # noqa: E402

ANSWERS = 4
DUCKDB = """
import duckdb, sys
duckdb.sql(f'''
    COPY (
        SELECT prompt_id, arg_max(response_id, score) AS chosen,
            arg_min(response_id, score) AS rejected, max(score) - min(score) AS margin
        FROM read_parquet('{sys.argv[1]}/*.parquet') GROUP BY prompt_id HAVING margin >= 2
    ) TO '{sys.argv[2]}' (FORMAT parquet)
''')
"""
ARROW = """
import pyarrow.parquet as pq, sys
from pathlib import Path
out, columns, *folders = sys.argv[1:]
for folder in folders:
    files, names = sorted(Path(folder).iterdir()), columns.split() or None
    schema = pq.read_table(files[0], columns=names).schema
    with pq.ParquetWriter(out, schema, compression="zstd") as writer:
        for file in files:
            writer.write_table(pq.read_table(file, columns=names))
"""
TABLES = """
import pyarrow.parquet as pq, sys
from pathlib import Path
for file in sorted(Path(sys.argv[1]).glob("*/*.parquet")):
    pq.write_table(pq.read_table(file), sys.argv[2], compression="zstd")
"""
RECORDED = """
name = "scale"
[sources.answers]
kind = "parquet"
path = "answers/0.parquet"
[prompts]
text = "question"
key = "id"
[[samplers]]
kind = "recorded"
source = "answers"
prompt = "id"
text = "answer"
model = "model"
key = ["id", "model"]
[[judges]]
kind = "recorded"
name = "rating"
source = "answers"
response = ["id", "model"]
score = "rating"
scale = [1, 10]
[[pairings]]
kind = "all_pairs"
[[filters]]
kind = "margin"
min = 1
"""


def bare(code: str, *arguments: str | Path) -> Cost:
    return measure([sys.executable, "-c", code, *map(str, arguments)])


def warmed(folder: Path, pattern: str = "*") -> Path:
    """The folder, once its files are in memory: what a disk holds ready is a matter of chance."""
    for file in sorted(folder.rglob(pattern)):
        if file.is_file():
            with file.open("rb") as opened:
                while opened.read(1 << 24):
                    pass
    return folder


def selecting(candidates: int, place: Path) -> dict[str, Cost]:
    """The costs of the bare passes and of each recipe, on the same candidates."""
    evidence, out = place / "evidence", place / "out"
    script("scale_evidence.py", str(candidates // ANSWERS), evidence)
    scored = warmed(evidence / "bare" / "scored")
    costs = {
        "bare Arrow": bare(ARROW, out, "", scored),
        "bare Arrow, ids and scores": bare(ARROW, out, "prompt_id response_id score", scored),
        "bare DuckDB, best and worst": bare(DUCKDB, scored, out),
    }
    judgments = warmed(evidence / "bare" / "judgments")
    costs["bare Arrow, and judgments"] = bare(ARROW, out, "", warmed(scored), judgments)
    (place / "questions.jsonl").write_text('{"question": "x"}\n')
    for number, (name, parts) in enumerate(RECIPES.items()):
        recipe = place / f"recipe{number}.toml"
        recipe.write_text(HEAD + parts)
        arguments = (warmed(evidence, f"*{COLUMNS}"), recipe, place, "select")
        costs[f"select: {name}"] = script("selection_build.py", *arguments)
    return costs


def republishing(candidates: int, place: Path) -> dict[str, Cost]:
    """The costs of a build, and of another that differs in a threshold."""
    answers = place / "answers"
    recorded(candidates, answers)
    recipe, store = place / "recorded.toml", place / "store"
    recipe.write_text(RECORDED)
    build = [sys.executable, "-m", "flows.cli", "build", str(recipe), "--store", str(store)]
    second = store / "datasets" / "scale" / "v0002"
    return {
        "bare Arrow": bare(ARROW, place / "out", "", answers),
        "build": measure(build),
        "build with another margin": measure([*build, *changed("filters.margin.min=3")]),
        "bare Arrow, all tables of that version": bare(TABLES, second, place / "out"),
        "the same, without a report": measure(
            [*build, *changed("filters.margin.min=4", "publish.report=false")]
        ),
        "another margin, by replay": measure(
            [*build, *changed("filters.margin.min=5"), "--replay"]
        ),
    }


def changed(*values: str) -> list[str]:
    """The arguments that change single values of a recipe."""
    return [word for value in values for word in ("--set", value)]


def recorded(candidates: int, folder: Path) -> None:
    """Writes a table of recorded answers, a rating beside each."""
    import numpy as np
    import polars as pl

    number = pl.int_range(candidates, eager=True)
    draw = np.random.Generator(np.random.Philox(0))
    table = pl.DataFrame({"number": number, "rating": draw.integers(1, 11, candidates)})
    asked, of = pl.col("number") // ANSWERS, pl.col("number") % ANSWERS
    table.select(
        id=asked.cast(pl.String),
        question="Which of the numbers of list " + asked.cast(pl.String) + " is the largest one?",
        answer="I have looked, and it is "
        + (pl.col("number") * 7919).cast(pl.String)
        + ", I think.",
        model="model-" + of.cast(pl.String),
        rating="rating",
    ).write_parquet(folder / "0.parquet", mkdir=True)


def report(title: str, costs: dict[str, Cost]) -> None:
    yardstick = costs["bare Arrow"].cpu_s
    print(f"\n{title}\n{'':42} {'CPU s':>7} {'x bare':>7} {'wall s':>7} {'peak MiB':>9}")
    for name, cost in costs.items():
        ratio = cost.cpu_s / yardstick
        print(f"{name:42} {cost.cpu_s:7.1f} {ratio:7.2f} {cost.wall_s:7.1f} {cost.peak_mib:9.0f}")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description="See the head of this file.")
    parser.add_argument("--candidates", type=int, default=10_000_000)
    parser.add_argument("--republished", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="for 1.3 kB a candidate, for a while")
    options = parser.parse_args()
    parts = {
        "selected": (options.candidates, selecting),
        "built": (options.republished, republishing),
    }
    for done, (candidates, part) in parts.items():
        if candidates:
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                report(f"{candidates:,} candidates {done}", part(candidates, Path(folder)))


if __name__ == "__main__":
    main()
