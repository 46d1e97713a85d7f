"""What a probe can tell, and what it cannot."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.sparse import csr_matrix

from pipelines.risks.features import features
from pipelines.risks.probe import told
from pipelines.risks.separability import Separability, separable
from pipelines.risks.shortcuts import shortcuts

ROOT = Path(__file__).parents[3]
VOCABULARY = ("the", "of", "and", "to", "in", "is", "you", "that", "it", "he", "was", "for", "on")


def pairs_of(n: int, mark: str = "", seed: int = 1, per_prompt: int = 1) -> pl.DataFrame:
    """Random answers of 5 to 20 words; the chosen ones have `mark` somewhere."""
    draw = random.Random(seed)

    def answer(more: str) -> str:
        words = draw.choices(VOCABULARY, k=draw.randint(5, 20))
        return " ".join([*words[:3], *([more] if more else ["her"]), *words[3:]])

    rows = [(f"p{number // per_prompt}", answer(mark), answer("")) for number in range(n)]
    return pl.DataFrame(rows, schema=["prompt_id", "chosen", "rejected"], orient="row")


def shuffled(pairs: pl.DataFrame, seed: int = 7) -> pl.DataFrame:
    """Chosen and rejected change places by a coin."""
    draw = random.Random(seed)
    rows = [
        (prompt, *(sides if draw.random() < 0.5 else sides[::-1]))
        for prompt, *sides in pairs.rows()
    ]
    return pl.DataFrame(rows, schema=pairs.schema, orient="row")


def found(pairs: pl.DataFrame) -> Separability:
    one = separable(pairs)
    assert one is not None
    return one


def test_a_token_that_every_chosen_answer_has_gives_them_away() -> None:
    one = found(pairs_of(150, "zz"))
    assert one.accuracy.value == 1.0
    assert one.auc == 1.0
    assert one.accuracy.n == 300


def test_shuffled_labels_cannot_be_told() -> None:
    """Both texts of such a pair are told right, or both wrong: a pair is one observation."""
    each = [found(shuffled(pairs_of(120, "zz", seed), seed)) for seed in range(4)]
    accuracies = [one.accuracy.value for one in each]
    assert all(abs(value - 0.5) <= 2.6 * np.sqrt(0.25 / 120) for value in accuracies)
    assert abs(np.mean(accuracies) - 0.5) <= 2 * np.sqrt(0.25 / 480)
    assert abs(np.mean([one.auc for one in each]) - 0.5) < 0.05


def test_texts_that_two_prompts_have_in_common_teach_nothing_about_a_third() -> None:
    """Every prompt has its own text, chosen ten times: known in its own fold alone."""
    rows = [(f"p{n}", f"word{n}", f"other{n}") for n in range(30) for _ in range(10)]
    pairs = shuffled(pl.DataFrame(rows, schema=["prompt_id", "chosen", "rejected"], orient="row"))
    assert abs(found(pairs).accuracy.value - 0.5) < 0.2


def test_the_order_of_pairs_changes_nothing() -> None:
    pairs = pairs_of(100, "zz", per_prompt=2)
    assert found(pairs).accuracy == found(pairs.reverse()).accuracy


def test_few_pairs_are_not_probed() -> None:
    assert separable(pairs_of(49)) is None
    assert separable(pairs_of(60, per_prompt=30)) is None


def test_two_texts_of_a_prompt_are_never_on_both_sides() -> None:
    """A probe that has seen the one text of a prompt would know the other by its number."""
    numbers = np.arange(200) // 4
    rows = csr_matrix((np.full(200, 9.0), (np.arange(200), numbers)))
    labels = np.tile([1, 0], 100)
    found = told(rows, labels, pl.Series(numbers).cast(pl.String))
    assert len(np.unique(found.sums.round(6))) <= 5  # what it says of an unseen number, by fold
    assert found.auc == 0.5


def test_what_a_line_separates_is_told() -> None:
    draw, labels = np.random.default_rng(0), np.tile([1, 0], 100)
    points = draw.normal(size=(200, 3))
    points[:, 0] = 10 * labels - 5
    found = told(csr_matrix(points), labels, pl.Series(np.arange(200) // 4))
    assert ((found.sums > 0) == labels).all()
    assert found.auc == 1.0


def test_features_of_strange_texts_are_finite() -> None:
    texts = pl.Series(["", " ", "a", None, "你好", "\x00", "# a\n- b\n```x```", "ab" * 10_000])
    assert np.isfinite(features(texts).toarray()).all()
    assert np.isfinite(features(pl.Series(["", None])).toarray()).all()


def test_the_rule_of_length_is_right_in_two_of_three_pairs() -> None:
    pairs = pl.DataFrame(
        {
            "prompt_id": ["a", "b", "c", "d"],
            "n_chars_chosen": [9, 9, 1, 5],
            "n_chars_rejected": [1, 2, 9, 5],
            "markdown_chosen": [0.0, None, 0.0, 0.0],
            "markdown_rejected": [0.0, 0.5, 0.0, 0.0],
        }
    )
    rules = shortcuts(pairs)
    assert rules["longer"] is not None
    assert rules["longer"].value == pytest.approx(2 / 3)
    assert rules["longer"].n == 3
    assert rules["denser"] is None


def test_the_probe_does_not_wait_for_pandas() -> None:
    code = (
        "import sys, polars as pl\n"
        "from pipelines.risks.features import features\n"
        "features(pl.Series(['one', 'two']))\n"
        "sys.exit('pandas' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
