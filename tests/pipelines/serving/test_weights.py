"""The digest of a model's folder follows its weights, not its card."""

from pathlib import Path

import pytest

from pipelines.serving.weights import decisive_files, digest


def test_the_digest_changes_with_weights_and_tokenizer_only(model_folder: Path) -> None:
    before = digest(model_folder)
    (model_folder / "README.md").write_text("better words")
    (model_folder / "training.log").write_text("loss 0.1")
    assert digest(model_folder) == before
    (model_folder / "tokenizer.json").write_text('{"a": 1}')
    changed = digest(model_folder)
    (model_folder / "model.safetensors").write_bytes(b"abd")
    assert len({before, changed, digest(model_folder)}) == 3
    assert len(before) == 32


def test_the_digest_knows_which_file_holds_what(model_folder: Path) -> None:
    before = digest(model_folder)
    (model_folder / "model.safetensors").rename(model_folder / "other.safetensors")
    assert digest(model_folder) != before


def test_every_file_that_vllm_reads_is_covered(model_folder: Path) -> None:
    names = [
        "chat_template.jinja", "generation_config.json", "merges.txt", "model-2.safetensors",
        "model.safetensors.index.json", "modeling_own.py", "special_tokens_map.json",
        "tokenizer.model", "tokenizer_config.json", "vocab.json",
    ]  # fmt: skip
    for name in names:
        (model_folder / name).write_text("")
    assert {file.name for file in decisive_files(model_folder)} >= set(names)


def test_a_folder_without_weights_has_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no \*.safetensors is there"):
        digest(tmp_path)
