import json
from collections import Counter

from pipelines.judging.answers import equal_answers, find_answer
from pipelines.shipped import shipped

ROWS = [json.loads(line) for line in shipped("labelled/sums.jsonl").read_text().splitlines()]


def is_right(text: str, reference: str) -> bool:
    answer, gold = find_answer("number", text), find_answer("number", reference)
    assert gold is not None
    return answer is not None and equal_answers("number", answer, gold)


def test_the_label_names_the_one_response_whose_answer_is_right() -> None:
    for row in ROWS:
        right = [side for side in "ab" if is_right(row[f"response_{side}"], row["reference"])]
        assert right == [row["label"]], row["id"]


def test_the_problems_are_held_out_and_each_stands_once() -> None:
    held_out = shipped("prompts/sums_held_out.jsonl").read_text().splitlines()
    known = {row["question"]: row["answer"] for row in map(json.loads, held_out)}
    assert all(known[row["prompt"]] == row["reference"] for row in ROWS)
    assert len({row["prompt"] for row in ROWS}) == len(ROWS) == 300


def test_neither_side_is_the_right_one_more_often_than_chance_would_have_it() -> None:
    labels = Counter(row["label"] for row in ROWS)
    assert abs(labels["a"] - labels["b"]) < 3 * 300**0.5
