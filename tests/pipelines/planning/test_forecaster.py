from pathlib import Path

import pytest

from pipelines.backend import Completion, Request, Sampling
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


def learn(forecaster: Forecaster, model: str, answer: str, tokens: int) -> None:
    paid = Completion(answer, completion_tokens=tokens, prompt_tokens=20)
    forecaster.known["samplers.independent", model].learn(ASKED, paid)


def test_models_of_one_pool_have_lengths_of_their_own(forecaster: Forecaster) -> None:
    learn(forecaster, "policy", "x" * 800, 200)
    learn(forecaster, "critic", "x" * 40, 20)
    assert buy(forecaster, "policy")[1] == 200
    assert buy(forecaster, "critic")[1] == 20


def test_thinking_makes_answers_longer_and_not_prompts(forecaster: Forecaster) -> None:
    learn(forecaster, "policy", "x" * 40, 1000)  # all but some ten are thinking
    assert buy(forecaster, "policy") == (20, 1000)
