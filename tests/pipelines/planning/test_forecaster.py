import math
from pathlib import Path

import pytest

from pipelines.backend import SCORING, Request, Sampling
from pipelines.calls.bought import Bought
from pipelines.calls.prices import Usage
from pipelines.calls.segments import Location
from pipelines.planning.forecaster import ASSUMED, Forecaster
from schemas.rows import Message
from tests.builds import OVER_HTTP, read, write_questions, write_recipe

ASKED = (Message("user", "four" * 10),)


@pytest.fixture
def forecaster(tmp_path: Path) -> Forecaster:
    write_questions(tmp_path, range(2))
    write_recipe(tmp_path, OVER_HTTP.format(url="http://127.0.0.1:9/v1"))
    return Forecaster(read(tmp_path), ASSUMED)


def buy(forecaster: Forecaster, model: str) -> tuple[float, float]:
    """Tokens in and out of one more call to `model`."""
    request = Request(ASKED, None, Sampling(max_tokens=5000), 1, seed=None)
    backend = forecaster.recipe.models[model]
    forecaster.buy("samplers.independent", model, backend, request, model, 0)
    tally = forecaster.account["samplers.independent", model]
    return tally.prompt_tokens, tally.completion_tokens


def learn(forecaster: Forecaster, model: str, answer: str, tokens: int, samples: int = 1) -> None:
    """A reply with so many equal answers, which together took so many tokens."""
    known = forecaster.known["samplers.independent", model]
    known.groups.append(samples * [answer])
    usage = Usage(prompt_tokens=20, completion_tokens=tokens)
    place, characters = Location(0, 0, 99), samples * len(answer)
    known.learn(ASKED, Bought(place, samples, characters, usage, refused=False, before=True))


def test_models_of_one_pool_have_lengths_of_their_own(forecaster: Forecaster) -> None:
    learn(forecaster, "policy", "x" * 800, 200)
    learn(forecaster, "critic", "x" * 40, 20)
    assert buy(forecaster, "policy")[1] == 200
    assert buy(forecaster, "critic")[1] == 20


def test_thinking_makes_answers_longer_and_not_prompts(forecaster: Forecaster) -> None:
    learn(forecaster, "policy", "x" * 40, 1000)  # all but some ten are thinking
    assert buy(forecaster, "policy") == (20, 1000)


def test_of_several_samples_in_a_reply_the_ratio_of_their_sums_is_learnt(
    forecaster: Forecaster,
) -> None:
    learn(forecaster, "policy", "x" * 60, 4 * 10, samples=4)
    assert forecaster.known["samplers.independent", "policy"].per_token == 6
    assert buy(forecaster, "policy") == (20, 10)


def test_further_samples_than_answers_are_known_differ_from_each_other(
    forecaster: Forecaster,
) -> None:
    learn(forecaster, "policy", "yes", 1)
    backend = forecaster.recipe.models["policy"]
    request = Request(ASKED, None, Sampling(), 3, seed=None)
    bought = forecaster.buy("samplers.independent", "policy", backend, request, "key", 0)
    assert len({one.text for one in bought}) == 3


def bought(forecaster: Forecaster, key: str, n: int, first: int = 0) -> list[str | None]:
    """Stand-ins for the samples of `key` from `first` on."""
    backend = forecaster.recipe.models["policy"]
    request = Request(ASKED, None, Sampling(), n, seed=None)
    told = forecaster.buy("samplers.independent", "policy", backend, request, key, first)
    return [one.text for one in told]


def test_stand_ins_repeat_each_other_as_the_answers_to_one_request_do(
    forecaster: Forecaster,
) -> None:
    known = forecaster.known["samplers.independent", "policy"]
    known.groups += [["a", "a", "b", "a"], ["c", "c", "c", "c"]]
    drawn = [bought(forecaster, str(number), 4) for number in range(40)]
    assert {tuple(texts) for texts in drawn} == {("a", "a", "b", "a"), ("c", "c", "c", "c")}


def test_further_samples_are_new_as_often_as_answers_were_given_once(
    forecaster: Forecaster,
) -> None:
    known = forecaster.known["samplers.independent", "policy"]
    known.groups += [["other"]]
    for number in range(400):
        known.own[str(number)] = ["a", "a", "a", "b"]  # one of four was given once
    drawn = [bought(forecaster, str(number), 1, first=4)[0] for number in range(400)]
    new = sum(text not in ("a", "b") for text in drawn)
    assert 70 <= new <= 130
    assert drawn.count("a") > 2 * drawn.count("b") > 0


def test_what_a_model_writes_to_score_a_text_is_nothing(forecaster: Forecaster) -> None:
    backend = forecaster.recipe.models["critic"]
    request = Request(ASKED, None, SCORING, 1, seed=None)
    forecaster.buy("judges.likelihood", "critic", backend, request, "key", 0)
    assert forecaster.account["judges.likelihood", "critic"].completion_tokens == 0


def test_the_worst_case_is_as_long_as_allowed_and_no_judgment_can_be_read(
    forecaster: Forecaster,
) -> None:
    forecaster.worst = True
    learn(forecaster, "policy", "short", 1)
    request = Request(ASKED, None, Sampling(max_tokens=50), 2, seed=None)
    for caller, model in (("samplers.independent", "policy"), ("judges.rating", "critic")):
        backend = forecaster.recipe.models[model]
        for one in forecaster.buy(caller, model, backend, request, "key", 0):
            assert one.text is not None
            assert len(one.text) == 50 * 4
            assert "Rating" not in one.text
        tally = forecaster.account[caller, model]
        assert 2 * 50 < tally.worst_tokens < 2 * 50 + 400


def test_without_max_tokens_the_worst_case_is_boundless(forecaster: Forecaster) -> None:
    request = Request(ASKED, None, Sampling(), 1, seed=None)
    backend = forecaster.recipe.models["policy"]
    forecaster.buy("samplers.independent", "policy", backend, request, "key", 0)
    assert forecaster.account["samplers.independent", "policy"].worst_tokens == math.inf
