import json
from collections import Counter
from pathlib import Path

import pytest

from tests.tools.embedded_lm.test_problems import reckoned
from tools.embedded_lm import prompt_sets

ROOT = Path(__file__).parents[3]
PROMPTS = ROOT / "data" / "prompts"


def rows(name):
    return [json.loads(line) for line in (PROMPTS / f"{name}.jsonl").read_text().splitlines()]


def arithmetic(row):
    """What is reckoned, without the words."""
    words = row["question"].split()
    return words[2], tuple(reckoned(row["question"]))


@pytest.mark.parametrize("name", prompt_sets.SETS)
def test_the_shipped_problems_are_what_the_tool_writes(name):
    shipped = (PROMPTS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    assert prompt_sets.lines(name) == shipped


@pytest.mark.parametrize("name", prompt_sets.SETS)
def test_every_answer_is_what_the_question_says(name):
    read = rows(name)
    assert all(int(row["answer"]) == reckoned(row["question"])[-1] for row in read)
    assert len({row["id"] for row in read}) == len(read) == prompt_sets.SETS[name][1]


def test_no_arithmetic_stands_twice_in_either_set_or_in_both():
    counted = Counter(arithmetic(row) for name in prompt_sets.SETS for row in rows(name))
    assert set(counted.values()) == {1}


def test_the_sets_are_small():
    assert sum((PROMPTS / f"{name}.jsonl").stat().st_size for name in prompt_sets.SETS) < 2_000_000
