from pathlib import Path

import pytest

from pipelines.errors import RecipeError, TrainingError
from pipelines.iterating.answer import Answer
from pipelines.iterating.policy import identities, policy_of, suited, with_policy
from pipelines.recipe import Recipe, make_recipe, read_recipe
from pipelines.shipped import shipped
from pipelines.wire.http_model import HttpModel
from tests.builds import OVER_HTTP, write_questions, write_recipe
from tests.checkpoints import make_checkpoint
from tests.iterations import Bench


@pytest.fixture
def over_http(tmp_path: Path) -> Recipe:
    write_questions(tmp_path, range(3))
    return read_recipe(write_recipe(tmp_path, OVER_HTTP.format(url="http://127.0.0.1:9/v1")))


def test_the_policy_is_what_the_recipe_marks_or_the_user_names(over_http: Recipe) -> None:
    assert policy_of(over_http) == ("policy",)
    with pytest.raises(RecipeError, match='no such model "polcy"; did you mean "policy"'):
        policy_of(over_http, ["polcy"])
    with pytest.raises(RecipeError, match="no sampler asks the policy"):
        policy_of(over_http, ["critic"])


def test_without_a_policy_there_is_nothing_to_train(bench: Bench) -> None:
    with pytest.raises(RecipeError, match='no model has policy = "on"'):
        policy_of(bench.recipe("models.student.policy=off"))


def test_a_folder_takes_the_place_of_an_embedded_model_and_all_else_stays(
    bench: Bench, tmp_path: Path
) -> None:
    recipe = bench.recipe("models.teacher={kind='embedded'}")
    folder = make_checkpoint(tmp_path / "sums-r1")
    changed = with_policy(recipe, ("student",), Answer(folder=str(folder)))
    assert changed.models["student"].location() == str(folder)
    assert changed.models["student"].policy == "on"
    assert identities(changed, ["teacher"]) == identities(recipe, ["teacher"])
    assert identities(changed, ["student"]) != identities(recipe, ["student"])
    assert changed.table | {"models": recipe.table["models"]} == recipe.table


def test_the_identity_is_that_of_the_weights_wherever_they_lie(
    bench: Bench, tmp_path: Path
) -> None:
    recipe = bench.recipe()
    one, other, same = (make_checkpoint(tmp_path / n / "m", seed=s) for n, s in (("a", 1), ("b", 2), ("c", 1)))  # fmt: skip
    who = [
        identities(with_policy(recipe, ("student",), Answer(folder=str(folder))), ["student"])
        for folder in (one, other, same)
    ]
    assert who[0] == who[2] != who[1]


def test_vllm_tells_weights_apart_by_their_digest_and_forgets_a_declared_identity(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines.serving import vllm
    from pipelines.serving.environment import Environment

    installed = Environment(Path("python"), "0.32.0", on_cpu=True)
    monkeypatch.setattr(vllm, "read_environment", lambda python: installed)
    table = "models.student={kind='vllm_server',model='policy',identity='start',policy='on'}"
    recipe = bench.recipe(table)
    assert recipe.models["student"].location() == str(shipped("models/policy").resolve())
    trained = [make_checkpoint(tmp_path / str(seed) / "m", seed=seed) for seed in (1, 2)]
    changed = [with_policy(recipe, ("student",), Answer(folder=str(one))) for one in trained]
    first, second = (identities(one, ["student"])["student"] for one in changed)
    assert "sha256:" in first
    assert first != second
    assert "start" not in first


def test_an_endpoint_takes_a_new_address_id_and_identity(over_http: Recipe) -> None:
    answer = Answer(base_url="http://127.0.0.1:10/v1", model="r1", identity="r1@abc")
    changed = with_policy(over_http, ("policy",), answer)
    assert identities(changed, ["policy"]) == {"policy": "r1@abc#r1"}
    assert changed.models["policy"].sampling == over_http.models["policy"].sampling
    assert changed.models["critic"] == over_http.models["critic"]


def test_a_key_does_not_follow_to_another_host_unless_the_answer_names_one(
    over_http: Recipe,
) -> None:
    models = dict(over_http.table["models"])
    models["policy"] |= {"base_url": "https://paid.example/v1", "api_key_env": "PAID_KEY"}
    recipe = make_recipe(over_http.path, over_http.table | {"models": models})

    def key(**answer: str) -> str | None:
        model = with_policy(recipe, ("policy",), Answer(**answer)).models["policy"]
        assert isinstance(model, HttpModel)
        return model.api_key_env

    assert key(base_url="https://other.example/v1") is None
    assert key(base_url="http://paid.example/v1") is None
    assert key(base_url="https://other.example/v1", api_key_env="OTHER_KEY") == "OTHER_KEY"
    assert key(base_url="https://paid.example:8443/v2") == "PAID_KEY"
    assert key(model="r1") == "PAID_KEY"


def test_an_address_of_this_machine_must_say_who_answers(over_http: Recipe) -> None:
    with pytest.raises(TrainingError, match=r"cannot be the policy: .* address of this machine"):
        with_policy(over_http, ("policy",), Answer(base_url="http://127.0.0.1:10/v1"))


def test_a_secret_in_an_address_is_refused_and_not_quoted(over_http: Recipe) -> None:
    with pytest.raises(TrainingError, match="password in the URL") as error:
        with_policy(over_http, ("policy",), Answer(base_url="http://me:hunter2@h.example/v1"))
    assert "hunter2" not in str(error.value)


def test_an_answer_must_be_of_the_kind_that_the_policy_is(over_http: Recipe, bench: Bench) -> None:
    with pytest.raises(TrainingError, match=r"models\.policy is asked at an address"):
        with_policy(over_http, ("policy",), Answer(folder="/m"))
    with pytest.raises(TrainingError, match=r"models\.student \(embedded\) is the folder"):
        with_policy(bench.recipe(), ("student",), Answer(base_url="http://h.example/v1"))


def test_an_id_that_is_the_name_of_a_folder_too_is_what_the_policy_takes(
    over_http: Recipe, bench: Bench
) -> None:
    either = Answer(folder="/here/r1", model="r1")
    assert suited(over_http, ("policy",), either) == Answer(model="r1")
    assert suited(bench.recipe(), ("student",), either) == Answer(folder="/here/r1")


def test_a_folder_without_a_model_is_no_policy(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(TrainingError, match=r"none holds no config\.json"):
        with_policy(bench.recipe(), ("student",), Answer(folder=str(tmp_path / "none")))
