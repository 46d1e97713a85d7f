from tests.pipelines.tables import frames_of, made, part

BEST_WORST = part("pairings", "best_worst")


def test_the_first_of_equally_good_responses_by_id_is_chosen():
    # SimPO's on-policy example
    pairs, _ = made(BEST_WORST, frames_of({"p": [0.1, 0.5, 0.3, 0.5, 0.2]}))
    assert pairs == {("p1", "p0")}


def test_the_first_of_equally_bad_responses_by_id_is_rejected():
    pairs, _ = made(BEST_WORST, frames_of({"p": [2, 1, 1]}))
    assert pairs == {("p0", "p1")}


def test_each_prompt_without_a_pair_has_its_reason():
    texts = {one: {"text_hash": "same"} for one in ("same0", "same1")}
    silent = {"blank0": {"has_text": False}}
    scores = {
        "none": [],
        "one": [3],
        "blank": [3, 4],
        "unread": [3, None],
        "tied": [3, 3],
        "same": [3, 4],
        "fine": [3, 4],
    }
    pairs, reasons = made(BEST_WORST, frames_of(scores, texts | silent))
    assert pairs == {("fine1", "fine0")}
    assert reasons == {
        "none": "fewer_than_two_responses",
        "one": "fewer_than_two_responses",
        "blank": "fewer_than_two_texts",
        "unread": "fewer_than_two_scored",
        "tied": "all_tied",
        "same": "identical_texts",
    }


def test_the_worst_has_another_text_than_the_best():
    frames = frames_of({"p": [9, 1, 5]}, {"p0": {"text_hash": "t"}, "p1": {"text_hash": "t"}})
    assert made(BEST_WORST, frames)[0] == {("p0", "p2")}


def test_texts_that_are_equal_wherever_scores_differ_make_no_pair():
    same = {one: {"text_hash": "t"} for one in ("p0", "p2")}
    frames = frames_of({"p": [9, 9, 1]}, same | {"p1": {"text_hash": "u", "refused": True}})
    assert made(BEST_WORST, frames)[1] == {"p": "identical_texts"}


def test_a_refusal_is_rejected_but_not_chosen():
    frames = frames_of({"p": [9, 5, 1]}, {"p0": {"refused": True}, "p2": {"refused": True}})
    assert made(BEST_WORST, frames)[0] == {("p1", "p2")}


def test_a_prompt_where_only_refusals_are_better_has_that_reason():
    frames = frames_of({"p": [9, 1], "q": [9, 1]}, {
        "p0": {"refused": True}, "q0": {"refused": True}, "q1": {"refused": True},
    })  # fmt: skip
    assert made(BEST_WORST, frames)[1] == {"p": "chosen_refused", "q": "chosen_refused"}


def test_a_refusal_is_chosen_where_the_recipe_says_so():
    frames = frames_of({"p": [9, 5]}, {"p0": {"refused": True}})
    assert made(part("pairings", "best_worst", choose_refusals=True), frames)[0] == {("p0", "p1")}


def test_a_pair_carries_its_scores_and_votes():
    votes = [
        {"response_id": "p0", "prompt_id": "p", "judge": "other", "score": 1},
        {"response_id": "p1", "prompt_id": "p", "judge": "other", "score": 2},
    ]
    [pair] = BEST_WORST.pair(frames_of({"p": [9, 5]}, judgments=votes), 0).pairs.to_dicts()
    assert (pair["score_chosen"], pair["score_rejected"]) == (9_000_000, 5_000_000)
    assert (pair["n_votes"], pair["n_votes_chosen"], pair["n_votes_rejected"]) == (2, 1, 1)
    assert pair["comparison_id"] is None
