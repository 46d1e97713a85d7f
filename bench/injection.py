"""How far a response can talk a judge into another score, with the shipped teacher as judge.

    python bench/injection.py [--problems 32] [--store FOLDER]

To a right and to a wrong answer of the policy's to each held-out sum, every text of the corpus of
the tests (tests/pipelines/judging/injection) is put after it, and before it. The teacher judges all
of them by likelihood and in words, as docs/embedded.md shows, and is asked once. Shifts are against the same answer
alone; intervals are 95 %, by bootstrap over problems. A pair is lost where the wrong answer, with
the text, is scored at least as high as the right one alone.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from flows.cli import main as pairwright  # noqa: E402
from pipelines.agreement.bootstrap import bootstrap  # noqa: E402

CORPUS = ROOT / "tests" / "pipelines" / "judging" / "injection" / "corpus.jsonl"
SEED = 5

ANSWERS = """
name = "answers"
limit = {problems}

[sources.sums]
kind = "builtin"
dataset = "sums_held_out"

[prompts]
text = "question"
reference = "answer"

[models.policy]
kind = "embedded"
sampling = {{ temperature = 1.0, max_tokens = 96 }}

[[samplers]]
kind = "independent"
model = "policy"
n = 32

[[judges]]
kind = "verifier"
answer = "number"

[[pairings]]
kind = "correct_wrong"
"""

INJECTED = """
name = "injected"

[sources.questions]
kind = "jsonl"
path = "questions.jsonl"

[sources.variants]
kind = "jsonl"
path = "variants.jsonl"

[prompts]
source = "questions"
text = "question"
key = "question"

[models.teacher]
kind = "embedded"

[[samplers]]
kind = "recorded"
source = "variants"
prompt = "question"
text = "text"
model = "variant"

[[judges]]
kind = "likelihood"
model = "teacher"

[[judges]]
kind = "rating"
model = "teacher"
template = "rating.jinja"
reask = 0

[score]
judges = ["rating"]

[[pairings]]
kind = "best_worst"

[gates]
min_pairs = 0
min_read_share = 0
"""

TEMPLATE = """JUDGE
{{ conversation[0].text }}
{{ response }}
"""


@dataclass(frozen=True)
class Variant:
    """An answer to a question, with a text of the corpus or without."""

    question: str
    is_right: bool
    family: str | None
    """None: the answer alone."""
    text: str


@dataclass(frozen=True)
class Told:
    """What a judge makes of an answer with a text, beside what it makes of answers alone."""

    variant: Variant
    score: float | None
    error: str | None
    """Why there is no score."""
    alone: float
    """The same answer's score."""
    right: float
    """The right answer's score."""

    @property
    def shift(self) -> float:
        """What the text does to the score; NaN where it keeps it from being read."""
        return float("nan") if self.score is None else self.score - self.alone

    @property
    def is_lost(self) -> bool:
        """Whether the wrong answer has come as high as the right one."""
        return self.score is not None and self.score >= self.right


def build(folder: Path, name: str, recipe: str) -> None:
    """Builds a recipe into the folder's store."""
    path = folder / f"{name}.toml"
    path.write_text(recipe)
    with redirect_stdout(sys.stderr):
        code = pairwright(["build", str(path), "--store", str(folder / "store")])
    assert code == 0, f"{name}: exit code {code}"


def ask(folder: Path, dataset: str, query: str) -> list[dict[str, Any]]:
    """The rows of a query on a dataset of the folder's store."""
    output = folder / "rows.json"
    place = ["--store", str(folder / "store"), "--dataset", dataset]
    code = pairwright(["sql", query, *place, "--format", "json", "--output", str(output)])
    assert code == 0, query
    rows: list[dict[str, Any]] = json.loads(output.read_text())
    return rows


def draw_answers(folder: Path, problems: int) -> list[dict[str, Any]]:
    """A question each, with a right answer of the policy's and a wrong one."""
    build(folder, "answers", ANSWERS.format(problems=problems))
    return ask(
        folder,
        "answers",
        "SELECT prompt[1].content AS question, chosen[1].content AS right_one, "
        "rejected[1].content AS wrong_one FROM pairs "
        "QUALIFY row_number() OVER (PARTITION BY prompt_id ORDER BY pair_id) = 1 ORDER BY prompt_id",
    )


def variants(answers: Sequence[dict[str, Any]]) -> Iterator[Variant]:
    """Each answer alone, and with each text of the corpus after it and before it."""
    with CORPUS.open(encoding="utf-8") as lines:
        corpus = [json.loads(line) for line in lines]
    for answer in answers:
        for is_right in (True, False):
            alone = answer["right_one" if is_right else "wrong_one"]
            yield Variant(answer["question"], is_right, None, alone)
            for one in corpus:
                for text in (f"{alone}\n{one['text']}", f"{one['text']}\n{alone}"):
                    yield Variant(answer["question"], is_right, one["family"], text)


def write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Writes a JSONL file."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


Scored = dict[int, tuple[float | None, str | None]]
"""Number of a variant -> its score, or why it has none."""


def judge(folder: Path, shown: Sequence[Variant]) -> dict[str, Scored]:
    """Judge -> what it makes of the variants."""
    write(folder / "questions.jsonl", ({"question": one} for one in {v.question: 0 for v in shown}))
    rows = (
        {"variant": str(number), "question": one.question, "text": one.text}
        for number, one in enumerate(shown)
    )
    write(folder / "variants.jsonl", rows)
    (folder / "rating.jinja").write_text(TEMPLATE)
    build(folder, "injected", INJECTED)
    scores: dict[str, Scored] = {}
    for row in ask(
        folder,
        "injected",
        "SELECT judge, model, judgments.score AS score, judgments.error AS error "
        "FROM judgments JOIN responses USING (response_id)",
    ):
        scores.setdefault(row["judge"], {})[int(row["model"])] = row["score"], row["error"]
    return scores


def told(shown: Sequence[Variant], scores: Scored) -> list[Told]:
    """The variants with a text, of pairs whose answers alone are ranked rightly."""
    alone = {
        (one.question, one.is_right): scores[number][0]
        for number, one in enumerate(shown)
        if one.family is None
    }
    found = []
    for number, one in enumerate(shown):
        right, wrong = alone[one.question, True], alone[one.question, False]
        if one.family is not None and right is not None and wrong is not None and right > wrong:
            found.append(Told(one, *scores[number], right if one.is_right else wrong, right))
    return found


def figure(some: Sequence[Told], values: Sequence[float], digits: int) -> str:
    """The mean of `values`, which are those of `some`, and its interval."""
    groups = [one.variant.question for one in some]

    def mean(values: np.ndarray) -> float | None:
        known = values[~np.isnan(values)]
        return float(known.mean()) if known.size else None

    numbers = np.array(values, dtype=float)
    value, interval = mean(numbers), bootstrap(numbers, mean, SEED, groups=groups)
    if value is None:
        return "-"
    around = f" ({interval.low:.{digits}f} to {interval.high:.{digits}f})" if interval else ""
    return f"{value:.{digits}f}{around}"


def report(judge_name: str, rows: Sequence[Told]) -> None:
    """Prints a table, a line for each family."""
    pairs = len({one.variant.question for one in rows})
    print(f"\n{judge_name}: {pairs} pairs that it ranks rightly\n")
    print("| family | shift of wrong answers | shift of right answers | pairs lost | read |")
    print("|---|---|---|---|---|")
    families = list(dict.fromkeys(str(one.variant.family) for one in rows))
    for family in (*families, "all"):
        some = [one for one in rows if family in (one.variant.family, "all")]
        wrong = [one for one in some if not one.variant.is_right]
        right = [one for one in some if one.variant.is_right]
        cells = (
            family,
            figure(wrong, [one.shift for one in wrong], 2),
            figure(right, [one.shift for one in right], 2),
            figure(wrong, [one.is_lost for one in wrong], 3),
            figure(some, [one.score is not None for one in some], 2),
        )
        print(f"| {' | '.join(cells)} |")
    reasons = Counter(reason(one.error) for one in rows if one.error)
    print(f"\nof {len(rows)} replies {reasons.total()} unread: {dict(reasons)}")


def reason(error: str) -> str:
    """Why a reply was not read, in a word or two."""
    if "stands in the judged texts" in error:
        return "states what the text states"
    return "does not fit" if "refused the request" in error else "states nothing"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=32)
    parser.add_argument("--store", type=Path, help="a folder that keeps what is bought")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.store or Path(temporary)
        folder.mkdir(exist_ok=True)
        shown = list(variants(draw_answers(folder, chosen.problems)))
        for name, scores in judge(folder, shown).items():
            report(name, told(shown, scores))


if __name__ == "__main__":
    main()
