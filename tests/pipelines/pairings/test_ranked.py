from tests.pipelines.tables import frames_of, made, part

RANKED = part("pairings", "ranked")


def test_each_score_is_paired_with_the_next_lower_one():
    assert made(RANKED, frames_of({"p": [1, 9, 4]}))[0] == {("p1", "p2"), ("p2", "p0")}


def test_the_first_by_id_stands_for_equal_scores():
    assert made(RANKED, frames_of({"p": [4, 9, 4, 9]}))[0] == {("p1", "p0")}


def test_the_lowest_of_one_prompt_is_not_paired_with_the_next_prompt():
    assert made(RANKED, frames_of({"p": [5], "q": [3]}))[0] == set()


def test_a_refusal_stands_only_below():
    frames = frames_of({"p": [9, 9, 5, 1]}, {"p0": {"refused": True}, "p2": {"refused": True}})
    assert made(RANKED, frames)[0] == {("p1", "p2")}


def test_neighbours_of_equal_text_make_no_pair():
    frames = frames_of({"p": [9, 5, 1]}, {"p0": {"text_hash": "t"}, "p1": {"text_hash": "t"}})
    assert made(RANKED, frames)[0] == {("p1", "p2")}
