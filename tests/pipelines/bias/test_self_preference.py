import polars as pl
import pytest

from pipelines.bias.duels import duels, ratings
from pipelines.bias.family import family
from pipelines.bias.report import report
from pipelines.bias.self_preference import self_preference
from tests.pipelines.bias.rows import known

MODELS = {"p/0": "gpt-4o", "p/1": "llama-3", "q/0": "gpt-4", "q/1": "qwen2", "q/2": "gpt-4o"}
MINE = {"p/0": 9, "p/1": 5, "q/0": 4, "q/1": 4, "q/2": 7}
OTHERS = {"p/0": 3, "p/1": 5, "q/0": 2, "q/1": 6, "q/2": 7}


def measured(own: list[str], theirs: dict[str, float] | None = None) -> object:
    answers = {id_: {"n_chars": 1, "model": model} for id_, model in MODELS.items()}
    said = [{"response_id": id_, "score": score} for id_, score in MINE.items()]
    beside = [
        {"response_id": id_, "score": one, "judge": "other"} for id_, one in (theirs or {}).items()
    ]
    everything = known(answers, [*said, *beside])
    mine, other = everything.of("judge"), everything.of("other")
    models = everything.responses["model"]
    return self_preference("gpt", own, models, ratings(mine), duels(mine), duels(other))


def test_own_answers_are_held_against_others_to_the_same_prompt() -> None:
    found = measured(["gpt-4", "gpt-4o"])
    # duels: p/0 beats p/1, q/0 ties with q/1, q/2 beats q/1
    assert (found.win_rate.value, found.win_rate.n) == (pytest.approx(2.5 / 3), 3)
    assert found.difference.value == pytest.approx(((9 - 5) + (5.5 - 4)) / 2)
    assert found.beyond_others is None


def test_what_other_judges_find_is_taken_off() -> None:
    found = measured(["gpt-4", "gpt-4o"], OTHERS)
    # the other judge: p/0 loses, q/0 loses, q/2 wins = 1 of 3
    assert found.beyond_others.value == pytest.approx((2.5 - 1) / 3)


def test_without_own_or_without_other_answers_nothing_is_known() -> None:
    assert measured([]) is None
    assert measured(list(MODELS.values())) is None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("vicuna-13b-20230322-new-hp-fp16", "llama"),
        ("bard", "gemini"),
        ("gpt-3.5-turbo:20230327", "gpt"),
        ("Mixtral-8x7B-Instruct", "mistral"),
        ("cerebras-gpt-6.7B", "cerebras"),
        ("teacher#0a1b", "teacher"),
    ],
)
def test_the_family_of_real_names(name: str, found: str) -> None:
    assert family(name) == found


def test_a_declared_family_wins() -> None:
    assert family("recorded:critic", {"critic": "gpt"}) == "gpt"
    assert family("gpt-4o", {"gpt-4o": "mine"}) == "mine"
    assert pl.Series([family("", {})]).to_list() == [None]


def test_only_judges_of_other_families_are_held_against_one() -> None:
    answers = {id_: {"n_chars": 1, "model": model} for id_, model in MODELS.items()}
    facts = {id_: {**one, "text_hash": id_, "markdown": 0.0} for id_, one in answers.items()}
    said = [
        {"response_id": id_, "score": scores[id_], "judge": judge, "judge_identity": identity}
        for judge, identity, scores in (
            ("mine", "gpt-4o#1", MINE),
            ("kin", "gpt-4#2", OTHERS),
            ("other", "claude-3#3", OTHERS),
        )
        for id_ in MODELS
    ]
    everything = known(facts, said)
    families = {judge: report(everything, ["mine", judge], {}) for judge in ("kin", "other")}
    beyond = {judge: found.profiles[0].self_preference for judge, found in families.items()}
    assert beyond["kin"] is not None
    assert beyond["kin"].beyond_others is None
    assert beyond["other"] is not None
    assert beyond["other"].beyond_others is not None
    declared = report(everything, ["mine", "other"], {"other": "gpt"}).profiles[0].self_preference
    assert declared is not None
    assert declared.beyond_others is None
