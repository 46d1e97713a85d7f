"""Sets of steps and of outcomes, built small."""

import pyarrow.parquet as pq
import pytest

from tools.proof.intervals import Estimate
from tools.proof.step_sets import OUTCOMES, build, quality, searched, share


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The folder of the sets."""
    return tmp_path_factory.mktemp("steps")


def exported(built):
    """The rows of its export."""
    [file] = built.folder.glob("*.parquet")
    return pq.read_table(file).to_pylist()


def test_a_set_of_steps_is_exported_as_tokens_and_says_what_it_cost(out):
    changes = searched("likelihood_4", cut=True)
    built = build("mcts", "likelihood_4", changes, out, problems=8, most=100)
    rows = exported(built)
    assert len(rows) == len(built.rows) > 0
    assert {row["path_correct"] for row in built.rows} == {True}
    assert min(row["gap"] for row in built.rows) >= 1
    prefixes = {len(row["prefix"]) for row in built.rows}
    assert (len({len(row["prompt_ids"]) for row in rows}) > 1) == (len(prefixes) > 1)
    assert min(built.cost.written, built.cost.scored, built.cost.read) > 0
    again = build("mcts", "likelihood_4", changes, out, problems=8, most=100)
    assert (again.cost, again.digest) == (built.cost, built.digest)


def test_a_set_of_outcomes_is_of_right_and_wrong_answers_and_costs_no_teacher(out):
    built = build("quickstart", "outcomes", OUTCOMES, out, problems=8, most=100)
    assert len(exported(built)) == len(built.rows) > 0
    assert built.cost.scored == 0
    assert len({row["prompt_id"] for row in built.rows}) == len(built.rows)


def test_pairs_are_worth_what_arithmetic_says_of_them():
    question = "Tom has 17 pens, gets 25, loses 8. How many?"
    pairs = (("", "17+25=42", "17+25=32"), ("", "17+25=32", "17+25=42"),
             ("17+25=32\n", "32-8=24", "32-8=34"), ("", "17+25=43", "17+25=44"))  # fmt: skip
    rows = [
        {"question": question, "prompt_id": prompt, "prefix": prefix, "chosen_step": chosen,
         "rejected_step": rejected}
        for prompt, (prefix, chosen, rejected) in zip("aabb", pairs, strict=True)
    ]  # fmt: skip
    of = quality(rows)
    assert (of["pairs"], of["problems"], of["after_right"]) == (4, 2, 3)
    assert of["right"]["value"] == 0.5
    assert of["reversed"]["value"] == 0.25
    assert of["right_after_right"]["value"] == pytest.approx(1 / 3)


def test_an_answer_with_errors_that_cancel_is_not_right():
    question = "Tom has 17 pens, gets 25, loses 8. How many?"
    lucky = "17+25=32\n32-8=34\nAnswer: 34"
    [row] = [{"question": question, "prompt_id": "a", "chosen": lucky, "rejected": "Answer: 3"}]
    assert quality([row])["right"]["value"] == 0


def test_the_share_of_hits_weighs_problems_by_their_pairs():
    # Draws of two problems: both a (1/4), both b (1/4), one each (1/2).
    assert share(["a", "a", "b"], [True, True, False]) == Estimate(2 / 3, 0.0, 1.0)
    assert share([], []) == Estimate(0.0, 0.0, 1.0)
