"""The sets of pairs, built and exported by the product's own commands into one store."""

import hashlib
import io
import json
import shutil
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.cli import main
from tools.proof.design import SETS, Judge, Size

QUALITY = """
SELECT
    count(*) AS pairs,
    count(DISTINCT pairs.prompt_id) AS prompts,
    avg((a.score = 1 AND b.score = 0)::INT) AS right_over_wrong,
    avg((a.score = 0 AND b.score = 1)::INT) AS wrong_over_right
FROM pairs
JOIN judgments a ON a.response_id = chosen_response_id AND a.judge = 'verifier'
JOIN judgments b ON b.response_id = rejected_response_id AND b.judge = 'verifier'
"""
"""What a set's labels are worth; right and wrong are the verifier's words."""


@dataclass(frozen=True, slots=True)
class PairSet:
    """A set that is built."""

    folder: Path
    """Its export for TRL."""
    digest: str
    """SHA-256 of its files."""
    quality: dict[str, Any]
    """What `QUALITY` counts."""


def build_sets(judge: Judge, out: Path, size: Size) -> dict[str, PairSet]:
    """Builds and exports the sets of one judge; what the store holds is not bought again."""
    return {name: build_set(name, out, size) for name, (by, _) in SETS.items() if by == judge}


def changes(name: str, size: Size) -> list[str]:
    """What a set changes in the quickstart recipe: arguments of `pairwright build`."""
    selectors = f"selectors=[{{kind='dedup'}},{{kind='sample',n={size.pairs}}}]"
    whole = (f"name={name}", f"limit={size.prompts}", selectors, "publish.splits={train=1}")
    return [word for change in (*whole, *SETS[name][1]) for word in ("--set", change)]


def build_set(name: str, out: Path, size: Size) -> PairSet:
    """Builds and exports one set."""
    store = ["--store", str(out / "store")]
    pairwright("build", "quickstart", *store, *changes(name, size), "--yes")
    folder = out / "pairs" / name
    shutil.rmtree(folder, ignore_errors=True)
    pairwright("export", name, *store, "--format", "trl", "--out", str(folder))
    asked = pairwright("sql", QUALITY, *store, "--dataset", name, "--format", "json")
    (quality,) = json.loads(asked)
    files = sorted(folder.glob("*.parquet"))
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return PairSet(folder, digest, quality)


def pairwright(*arguments: str) -> str:
    """What a command of the product prints. Raises RuntimeError where it does not succeed."""
    printed = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")  # SQL writes to its buffer
    with redirect_stdout(printed):
        code = main(arguments)
    if code:
        raise RuntimeError(f"pairwright {' '.join(arguments)}: exit code {code}")
    printed.seek(0)
    return printed.read()
