"""What a probe can tell, and what it cannot."""

import random

import numpy as np
import polars as pl
import pytest

from pipelines.risks.features import features
from pipelines.risks.probe import auc, held_out
from pipelines.risks.separability import Separability, separable
from pipelines.risks.shortcuts import shortcuts

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


def test_the_probe_separates_what_a_line_separates_in_both_forms() -> None:
    draw = np.random.default_rng(0)
    for rows, columns in ((200, 3), (30, 200)):
        labels = np.where(np.arange(rows) % 2, 1.0, -1.0)
        points = draw.normal(size=(rows, columns))
        points[:, 0] = 10 * labels
        sums = held_out(points, labels, np.arange(rows) // 2 % 5)
        assert (np.sign(sums) == labels).all()
        assert auc(sums, labels) == 1.0


def test_a_fold_that_leaves_one_label_is_not_told() -> None:
    labels = np.array([1.0, 1.0, -1.0])
    sums = held_out(np.eye(3), labels, np.array([0, 0, 1]))
    assert np.isnan(sums).tolist() == [True, True, True]


def test_features_of_strange_texts_are_finite() -> None:
    texts = pl.Series(["", " ", "a", None, "你好", "\x00", "# a\n- b\n```x```", "ab" * 10_000])
    assert np.isfinite(features(texts)).all()


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
