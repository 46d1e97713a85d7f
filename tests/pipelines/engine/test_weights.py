import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipelines.engine.shape import read_shape
from pipelines.engine.weights import read_tensors, read_weights
from pipelines.errors import RecipeError
from tests.checkpoints import CONFIG, random_tensors

VALUES = [1.0, -0.5, 3.140625, 0.0]  # exact in all three types


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
def test_each_type_is_read_as_float32(tmp_path: Path, kind: str) -> None:
    raw = np.array(VALUES, np.float32)
    stored = {
        "F32": raw.tobytes(),
        "F16": raw.astype(np.float16).tobytes(),
        "BF16": (raw.view(np.uint32) >> 16).astype(np.uint16).tobytes(),
    }[kind]
    head = f'{{"x":{{"dtype":"{kind}","shape":[2,2],"data_offsets":[0,{len(stored)}]}}}}'.encode()
    file = tmp_path / "model.safetensors"
    file.write_bytes(struct.pack("<Q", len(head)) + head + stored)
    found = read_tensors(file)["x"]
    assert found.dtype == np.float32
    assert found.tolist() == [VALUES[:2], VALUES[2:]]


def test_weights_in_several_files_are_one_model(tmp_path: Path) -> None:
    tensors = random_tensors(CONFIG, 0, "f4")
    half = len(tensors) // 2
    files = [tmp_path / "model-1.safetensors", tmp_path / "model-2.safetensors"]
    save_file(dict(list(tensors.items())[:half]), files[0])
    save_file(dict(list(tensors.items())[half:]), files[1])
    weights = read_weights(files, read_shape(CONFIG))
    norm = tensors["model.layers.1.input_layernorm.weight"]
    keys = tensors["model.layers.1.self_attn.k_proj.weight"]
    assert np.array_equal(weights.layers[1].attention_in[:, 64:96], keys.T * norm[:, None])
    assert all(matrix.flags.c_contiguous for matrix in (weights.output, weights.embedding))


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (None, "the weights have no tensor model.norm.weight"),
        (np.zeros(3, np.float32), r"model.norm.weight is \(3,\), and the config wants \(48,\)"),
        (np.zeros(48, np.int64), "model.norm.weight is stored as I64; known: F32, F16, BF16"),
    ],
)
def test_weights_that_are_not_what_the_config_says_are_refused(
    tmp_path: Path, tensor: np.ndarray | None, said: str
) -> None:
    tensors = random_tensors(CONFIG, 0, "f4")
    del tensors["model.norm.weight"]
    if tensor is not None:
        tensors["model.norm.weight"] = tensor
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(RecipeError, match=said):
        read_weights([tmp_path / "model.safetensors"], read_shape(CONFIG))


def test_a_file_that_is_no_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"no such thing")
    with pytest.raises(RecipeError, match=r"model\.safetensors"):
        read_tensors(tmp_path / "model.safetensors")
