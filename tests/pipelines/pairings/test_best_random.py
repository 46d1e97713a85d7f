from tests.pipelines.tables import frames_of, made, part

BEST_RANDOM = part("pairings", "best_random")


def test_the_rejected_response_is_drawn_among_all_strictly_lower_ones():
    frames = frames_of({"p": [9, 1, 9, 5, 2]})
    drawn = {made(BEST_RANDOM, frames, seed)[0].pop() for seed in range(60)}
    assert drawn == {("p0", "p1"), ("p0", "p3"), ("p0", "p4")}


def test_the_draw_depends_on_the_seed_alone():
    frames = frames_of({"p": [9, 1, 2, 3], "q": [1, 2, 3, 4]})
    assert made(BEST_RANDOM, frames, 7) == made(BEST_RANDOM, frames, 7)


def test_another_prompt_changes_no_draw():
    scores = {"p": [9, 1, 2, 3, 4, 5]}
    alone = made(BEST_RANDOM, frames_of(scores))[0]
    assert alone < made(BEST_RANDOM, frames_of({"a": [1, 2], **scores}))[0]


def test_a_tie_gives_no_pair():
    assert made(BEST_RANDOM, frames_of({"p": [4, 4, 4]})) == (set(), {"p": "all_tied"})
