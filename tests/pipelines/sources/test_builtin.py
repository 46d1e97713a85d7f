import re
from collections import Counter

import pytest

from pipelines.errors import RecipeError
from pipelines.shipped import shipped


def rows(source, name):
    return list(source("builtin", dataset=name).rows(None))


def test_the_problems_have_ids_questions_and_answers(source):
    problems = rows(source, "arithmetic")
    assert source("builtin", dataset="arithmetic").columns(None) == ("id", "question", "answer")
    assert len({row["question"] for row in problems}) == len({row["id"] for row in problems}) == 48
    assert all(re.fullmatch(r"[0-9]+", row["answer"]) for row in problems)


def test_each_problem_has_six_different_answers_some_right_and_some_wrong(source):
    gold = {row["question"]: row["answer"] for row in rows(source, "arithmetic")}
    answers = rows(source, "arithmetic_answers")
    assert Counter(row["prompt"] for row in answers) == dict.fromkeys(gold, 6)
    assert len({(row["prompt"], row["answer"]) for row in answers}) == 288
    right: Counter[str] = Counter()
    for row in answers:
        said = re.search(r"The answer is (-?[0-9]+)\.$", row["answer"])
        right[row["prompt"]] += said is not None and said[1] == gold[row["prompt"]]
    shares = Counter(right[question] for question in gold)
    assert shares[0] and shares[6]  # too hard and too easy: a build shows why they make no pair
    assert sum(n for share, n in shares.items() if 0 < share < 6) > 40


def test_an_unknown_table_is_refused_with_the_nearest(source):
    with pytest.raises(RecipeError, match=r'dataset: .*did you mean "arithmetic"'):
        source("builtin", dataset="arithmetics")


def test_what_is_not_shipped_is_not_found():
    with pytest.raises(FileNotFoundError, match="ships no prompts/gone"):
        shipped("prompts/gone.jsonl")
