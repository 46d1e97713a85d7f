from hypothesis import given
from hypothesis import strategies as st

from pipelines.revising.reasons import REASONS
from tests.pipelines.tables import UNIT, frames_of, made, part

REVISION = part("pairings", "revision")


def better(parent, **fields):
    return {"parent_id": parent, "relation": "revision", "sampler": "clair", **fields}


def worse(parent, **fields):
    return better(parent, **fields) | {"relation": "worsening"}


def test_a_revision_is_chosen_over_what_it_revises_and_a_worsening_rejected():
    frames = frames_of(
        {"p": [None, None], "q": [None, None]}, {"p1": better("p0"), "q1": worse("q0")}
    )
    assert made(REVISION, frames) == ({("p1", "p0"), ("q0", "q1")}, {})


def test_a_pair_has_the_scores_that_a_judge_gave_both():
    frames = frames_of({"p": [3, 7], "q": [4, None]}, {"p1": better("p0"), "q1": better("q0")})
    pairs = {row["chosen"]: row for row in REVISION.pair(frames, 0).pairs.to_dicts()}
    scored = [(row["score_chosen"], row["score_rejected"]) for row in pairs.values()]
    assert sorted(scored, key=str) == [(7 * UNIT, 3 * UNIT), (None, 4 * UNIT)]


def test_a_useless_revision_gives_no_pair_and_its_own_reason():
    rows = {f"{reason}1": better(f"{reason}0", error=reason, has_text=False) for reason in REASONS}
    frames = frames_of({reason: [None, None] for reason in REASONS}, rows)
    assert made(REVISION, frames) == (set(), {reason: reason for reason in REASONS})


def test_other_reasons():
    frames = frames_of(
        {name: [None, None] for name in ("none", "http", "gone", "same", "refused", "blank")},
        {
            "http1": better("http0", error="HTTP 400: no", has_text=False),
            "gone1": better("dropped"),
            "same1": better("same0", norm_hash="n"),
            "same0": {"norm_hash": "n"},
            "refused1": better("refused0", refused=True),
            "blank1": better("blank0", has_text=False),
        },
    )
    assert made(REVISION, frames)[1] == {
        "none": "no_revision",
        "http": "revision_failed",
        "gone": "original_dropped",
        "same": "no_change",
        "refused": "chosen_refused",
        "blank": "no_text",
    }


def test_steps_of_a_search_are_no_revisions():
    step = {"parent_id": "p0", "relation": "step"}
    assert made(REVISION, frames_of({"p": [1, 2]}, {"p1": step}))[1] == {"p": "no_revision"}


def test_samplers_may_be_named():
    frames = frames_of(
        {"p": [None, None, None]},
        {"p1": better("p0"), "p2": better("p0", sampler="other")},
    )
    named = part("pairings", "revision", samplers=("other",))
    assert made(named, frames)[0] == {("p2", "p0")}


def test_rounds_are_paired_with_what_they_revise_or_with_the_first_answer():
    frames = frames_of(
        {"p": [1, 2, 3, 4]}, {"p1": better("p0"), "p2": better("p1"), "p3": better("p2")}
    )
    assert made(REVISION, frames)[0] == {("p1", "p0"), ("p2", "p1"), ("p3", "p2")}
    original = part("pairings", "revision", against="original")
    assert made(original, frames)[0] == {("p1", "p0"), ("p2", "p0"), ("p3", "p0")}


def test_a_judge_may_have_to_agree():
    scores = {"up": [3, 7], "even": [3, 3], "down": [7, 3], "unscored": [3, None]}
    agreed = part("pairings", "revision", agreed=True)
    frames = frames_of(scores, {f"{name}1": better(f"{name}0") for name in scores})
    pairs, reasons = made(agreed, frames)
    assert pairs == {("up1", "up0")}
    assert reasons == dict.fromkeys(("even", "down", "unscored"), "not_agreed")
    frames = frames_of(scores, {f"{name}1": worse(f"{name}0") for name in scores})
    assert made(agreed, frames)[0] == {("down0", "down1")}


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=8))
def test_every_revision_is_paired_once_or_its_prompt_has_a_reason(parents):
    fields = {
        f"p{n + 1}": (better if up else worse)(f"p{min(parent, n)}")
        for n, (parent, up) in enumerate(parents)
    }
    pairs, reasons = made(REVISION, frames_of({"p": [None] * (len(parents) + 1)}, fields))
    assert len(pairs) == len({frozenset((name, row["parent_id"])) for name, row in fields.items()})
    assert not reasons
