from pathlib import Path

import pytest

from pipelines.engine.checkpoint import Checkpoint, find_checkpoint, shipped_models
from pipelines.engine.model import load_model
from pipelines.errors import RecipeError
from tests.checkpoints import make_checkpoint


def test_models_that_ship_are_found_by_name(tmp_path: Path) -> None:
    assert shipped_models() == ["policy", "teacher"]
    assert find_checkpoint("policy", tmp_path).folder.name == "policy"


def test_a_folder_is_found_from_the_recipe(tmp_path: Path) -> None:
    make_checkpoint(tmp_path / "models" / "mine")
    assert find_checkpoint("models/mine", tmp_path).folder == tmp_path / "models/mine"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("tokenizer.json", "holds no tokenizer.json"),
        ("model.safetensors", r"holds no \*.safetensors"),
    ],
)
def test_what_a_folder_lacks_is_said(tmp_path: Path, missing: str, said: str) -> None:
    (make_checkpoint(tmp_path / "mine") / missing).unlink()
    with pytest.raises(RecipeError, match=said):
        find_checkpoint("mine", tmp_path)


def test_a_wrong_name_brings_the_nearest_to_mind(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match='"polcy"; did you mean "policy"'):
        find_checkpoint("polcy", tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "config.json: not JSON"),
        ("[]", "a JSON object is wanted"),
        ('{"model_type": "gpt2"}', "config.json: model_type = 'gpt2'"),
    ],
)
def test_a_config_that_cannot_be_run_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (make_checkpoint(tmp_path / "mine") / "config.json").write_text(text)
    with pytest.raises(RecipeError, match=said):
        find_checkpoint("mine", tmp_path)


def test_the_digest_is_of_content_wherever_it_lies(tmp_path: Path) -> None:
    one, other = (Checkpoint(make_checkpoint(tmp_path / name)) for name in ("one", "other"))
    assert one.digest() == other.digest()
    (other.folder / "README.md").write_text("a card")
    assert one.digest() == other.digest()
    (other.folder / "chat_template.jinja").write_text("another")
    assert one.digest() != other.digest()
    different = Checkpoint(make_checkpoint(tmp_path / "different", seed=1))
    assert one.digest() != different.digest()


def test_equal_models_share_their_memory(tmp_path: Path) -> None:
    first = load_model(Checkpoint(make_checkpoint(tmp_path / "one")))
    assert load_model(Checkpoint(make_checkpoint(tmp_path / "other"))) is first


@pytest.mark.parametrize(
    ("file", "text", "ends"),
    [
        ("generation_config.json", '{"eos_token_id": [5, 6]}', (5, 6)),
        ("generation_config.json", "{}", (3,)),  # the config's own
    ],
)
def test_the_tokens_that_end_an_answer(
    tmp_path: Path, file: str, text: str, ends: tuple[int, ...]
) -> None:
    folder = make_checkpoint(tmp_path / "mine")
    (folder / file).write_text(text)
    assert load_model(Checkpoint(folder)).ends == ends


def test_a_tokenizer_larger_than_its_model_is_refused(tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "mine", vocab_size=50)
    with pytest.raises(RecipeError, match="mine: 102 tokens, and weights for 50"):
        load_model(Checkpoint(folder))
