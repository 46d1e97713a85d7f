"""What rounds of building and training do to the embedded policy.

    python -m tools.proof.rounds --out DIR [--small]

`pairwright iterate` on the quickstart's recipe, three rounds, with several trainings; then each
model answers the held-out problems of docs/proof.md. What is in DIR is not done again.
"""

import argparse
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.engine.checkpoint import find_checkpoint
from pipelines.iterating.train_dpo import VARIABLE
from tools.proof.answers import TEMPERATURE, Marks
from tools.proof.intervals import Values, difference, mean
from tools.proof.processes import PYTHON, ROOT, mark_all
from tools.proof.report import head, row, signed
from tools.proof.sets import pairwright

ARMS = {
    "dpo": (3, ""),
    "dpolow": (3, "--learning-rate 1e-4"),
    "dposft": (3, "--sft 1"),
    "dpo3": (1, "--epochs 3"),
    "dposft3": (1, "--sft 1 --epochs 3"),
}
"""Name of the set -> rounds, and what `train_dpo` is told beside its defaults. The last two make as
many steps on the pairs of the first round alone."""
TRAIN = "{python} -m pipelines.iterating.train_dpo {set} {model} {out} "
FIRST, REPORTED, SAMPLES = 500, 1500, 2
"""The held-out problems that are reported, and the answers to each at `TEMPERATURE`."""
PROMPTS = 2500
COMPARED = (("dpo", "dpo3"), ("dposft", "dposft3"))
"""Rounds, and as many steps on the pairs of the first."""
LINE = re.compile(r"round (?P<round>\d+): \S+, (?P<pairs>[\d,]+) pairs?")
TRAINED = re.compile(r"^ +trained .*?: (?P<folder>.*)$", re.MULTILINE)
PAGE, FIGURES = ROOT / "docs" / "iterate.md", Path(__file__).with_name("rounds.json")
REGION = re.compile(r"(<!-- table: rounds -->\n).*?(?=<!-- end of table -->)", re.DOTALL)


def iterated(name: str, out: Path, prompts: int) -> tuple[list[int], list[Path]]:
    """Pairs and model of each round of an arm."""
    changes = (f"name={name}", f"limit={prompts}", "publish.splits={train=0.9,test=0.1}")
    sets = [word for change in changes for word in ("--set", change)]
    rounds, told = ARMS[name]
    given = [*sets, "--rounds", str(rounds), "--by", "verifier", "--store", str(out / "store")]
    said = pairwright("iterate", "quickstart", *given, "--train", TRAIN + told, "--yes")
    pairs = [int(line["pairs"].replace(",", "")) for line in LINE.finditer(said)]
    return pairs, [Path(line["folder"]) for line in TRAINED.finditer(said)]


def experiment(out: Path, prompts: int, reported: int, processes: int) -> dict[str, Any]:
    """Everything; the figures."""
    kept = out / "answers"
    kept.mkdir(parents=True, exist_ok=True)
    done = {name: iterated(name, out, prompts) for name in ARMS}
    start = find_checkpoint("policy", ROOT).folder
    folders = [start, *(folder for _, models in done.values() for folder in models)]
    marks = mark_all(folders, FIRST, reported, SAMPLES, kept, processes)
    of = dict(zip(folders, marks, strict=True))
    return {
        "prompts": prompts,
        "reported": reported,
        "start": _figures(of[start], of[start]),
        "arms": {
            name: [
                {"pairs": n, **_figures(of[model], of[before])}
                | {"from_start": _rise(of[model], of[start])}
                for n, model, before in zip(pairs, models, [start, *models], strict=False)
            ]
            for name, (pairs, models) in done.items()
        },
        "rounds_minus_once": {
            rounds: _rise(of[done[rounds][1][-1]], of[done[once][1][-1]])
            for rounds, once in COMPARED
        },
    }


def _figures(marks: Marks, before: Marks) -> dict[str, Any]:
    return {
        "right": asdict(mean(_values(marks))),
        "from_before": _rise(marks, before),
        "greedy": float(marks.greedy.mean()),
    }


def _rise(ours: Marks, theirs: Marks) -> dict[str, float]:
    return asdict(difference(_values(ours), _values(theirs)))


def _values(marks: Marks) -> Values:
    return np.array([marks.sampled])


def table(figures: Mapping[str, Any]) -> str:
    """The tables of the page."""
    return "\n".join(_rows(figures))


def _rows(figures: Mapping[str, Any]) -> Iterable[str]:
    yield from head("training", "round", "pairs", f"right at {TEMPERATURE}", "against the start",
                    "against the round before", "right, greedy")  # fmt: skip
    start = figures["start"]
    yield row("none (the start)", "", "", _share(start["right"]), "", "", f"{start['greedy']:.3f}")
    for name, rounds in figures["arms"].items():
        for number, one in enumerate(rounds, 1):
            changes = (signed(one["from_start"]), signed(one["from_before"]))
            cells = (str(number), f"{one['pairs']:,}", _share(one["right"]), *changes)
            yield row(named(name), *cells, f"{one['greedy']:.3f}")
    yield ""
    yield from head("rounds", "minus as many steps on the first round's pairs")
    for name, apart in figures["rounds_minus_once"].items():
        yield row(named(name), signed(apart))


def named(arm: str) -> str:
    """An arm in words.

    >>> named("dpo"), named("dposft")
    ('DPO', 'DPO, `--sft 1`')
    """
    _, told = ARMS[arm]
    return f"DPO, `{told}`" if told else "DPO"


def _share(of: Mapping[str, float]) -> str:
    return f"{of['value']:.3f} ({of['low']:.3f} to {of['high']:.3f})"


def filled(page: str, figures: str) -> str:
    """The page with the table of the figures, which are JSON."""
    made = table(json.loads(figures))
    return REGION.sub(lambda region: f"{region[1]}\n{made}\n\n", page)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the experiment, prints its table, and leaves rounds.json in DIR."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the results")
    parser.add_argument("--small", action="store_true", help="a few minutes' trial of it all")
    parser.add_argument("--processes", type=int, default=2, help="how many answer at once")
    chosen = parser.parse_args(arguments)
    if not PYTHON.is_file():
        parser.error(".venv-trainers is not there: `sh tools/trainer_env.sh` makes it")
    os.environ.setdefault(VARIABLE, str(PYTHON))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    prompts, reported = (60, 20) if chosen.small else (PROMPTS, REPORTED)
    figures = experiment(chosen.out.resolve(), prompts, reported, chosen.processes)
    text = json.dumps(figures, indent=1) + "\n"
    (chosen.out / "rounds.json").write_text(text, encoding="utf-8")
    print(table(figures))


if __name__ == "__main__":
    main()
