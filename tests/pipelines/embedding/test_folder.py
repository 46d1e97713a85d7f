import hashlib
import json
import shutil

import numpy as np
import pytest

from pipelines.embedding.external import locations
from pipelines.embedding.folder import find_folder
from pipelines.embedding.networks import load_network
from pipelines.errors import RecipeError
from schemas.canonical import canonical_json
from tests.embedding_models import change, make_bert, make_static, move_weights, write


def test_the_digest_is_that_of_what_decides_vectors_wherever_it_lies(tmp_path):
    folder = make_bert(tmp_path / "bert")
    digest = find_folder("bert", tmp_path).digest()
    (folder / "README.md").write_text("About it")
    change(folder / "config_sentence_transformers.json", model_type="other")
    shutil.copytree(folder, tmp_path / "elsewhere" / "copy")
    assert find_folder("elsewhere/copy", tmp_path).digest() == digest
    digests = {digest}
    for file, field in (
        ("1_Pooling/config.json", {"pooling_mode": "cls"}),
        ("sentence_bert_config.json", {"do_lower_case": True}),
        ("sentence_bert_config.json", {"max_seq_length": 8}),
        ("config_sentence_transformers.json", {"prompts": {"a": "b"}, "default_prompt_name": "a"}),
        ("tokenizer.json", {"version": "2.0"}),
    ):
        change(folder / file, **field)
        digests.add(find_folder("bert", tmp_path).digest())
    (folder / "onnx" / "model.onnx_data").write_bytes(b"weights")
    digests.add(find_folder("bert", tmp_path).digest())
    assert len(digests) == 7


def vector(root):
    """What the graph of the folder "bert" gives for two tokens."""
    return load_network(find_folder("bert", root), 60)(np.array([2, 7]))


def test_weights_beside_a_graph_are_part_of_the_digest_under_whatever_name(tmp_path):
    folder = make_bert(tmp_path / "bert")
    as_it_was = vector(tmp_path)
    move_weights(folder / "onnx" / "model.onnx", "weights.bin")
    digest = find_folder("bert", tmp_path).digest()
    np.testing.assert_array_equal(vector(tmp_path), as_it_was)
    weights = folder / "onnx" / "weights.bin"
    content = weights.read_bytes()
    weights.write_bytes((2 * np.frombuffer(content, np.float32)).tobytes())
    assert not np.array_equal(vector(tmp_path), as_it_was)
    assert find_folder("bert", tmp_path).digest() != digest
    weights.write_bytes(content)
    assert find_folder("bert", tmp_path).digest() == digest
    weights.unlink()
    with pytest.raises(RecipeError, match=r"keeps weights in .*weights\.bin, which is not there"):
        find_folder("bert", tmp_path).digest()


def test_weights_under_the_usual_name_count_once(tmp_path):
    folder = make_bert(tmp_path / "bert")
    move_weights(folder / "onnx" / "model.onnx", "model.onnx_data")
    digest = find_folder("bert", tmp_path).digest()
    files = ("tokenizer.json", "onnx/model.onnx", "onnx/model.onnx_data")
    identity = {
        "files": [hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in files],
        "pooling": "mean",
        "max_tokens": 12,
        "prompt": "",
        "lower_case": False,
    }
    assert digest == hashlib.sha256(canonical_json(identity)).hexdigest()[:32]


@pytest.mark.parametrize("graph", [b"", b"\xff", b"no graph at all", b"\x3a\x7f\x0a"])
def test_a_graph_that_cannot_be_read_names_no_files(tmp_path, graph):
    (tmp_path / "model.onnx").write_bytes(graph)
    assert locations(tmp_path / "model.onnx") == []


def test_a_text_may_have_as_many_tokens_as_the_model_was_trained_with_and_has_places(tmp_path):
    folder = make_bert(tmp_path / "bert")

    def bound() -> int | None:
        return find_folder("bert", tmp_path).max_tokens

    change(folder / "sentence_bert_config.json", max_seq_length=20)
    assert bound() == 20
    change(folder / "sentence_bert_config.json", max_seq_length=None)
    change(folder / "tokenizer_config.json", model_max_length=int(1e30))
    assert bound() == 48
    change(folder / "config.json", max_position_embeddings=-1)
    assert bound() == 512
    assert find_folder(str(make_static(tmp_path / "words")), tmp_path).max_tokens is None


def test_the_older_layout_has_a_folder_for_the_transformer(tmp_path):
    folder = make_bert(tmp_path / "bert")
    (folder / "0_Transformer").mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json", "onnx"):
        (folder / name).rename(folder / "0_Transformer" / name)
    modules = json.loads((folder / "modules.json").read_text())
    write(folder / "modules.json", [modules[0] | {"path": "0_Transformer"}, modules[1]])
    found = find_folder("bert", tmp_path)
    assert found.weights == folder / "0_Transformer" / "onnx" / "model.onnx"
    assert (found.name, found.max_tokens) == ("bert", 12)


def test_of_several_graphs_the_usual_one_is_taken_or_the_named_one(tmp_path):
    folder = make_bert(tmp_path / "bert")
    graph = folder / "onnx" / "model.onnx"
    small = shutil.copy(graph, folder / "onnx" / "model_int8.onnx")
    assert find_folder("bert", tmp_path).weights == graph
    named = find_folder("bert/onnx/model_int8.onnx", tmp_path)
    assert (named.weights, named.name) == (small, "bert")
    graph.rename(folder / "other.onnx")
    with pytest.raises(RecipeError, match=r"of one: other\.onnx, onnx/model_int8\.onnx"):
        find_folder("bert", tmp_path)
    small.unlink()
    assert find_folder("bert", tmp_path).weights.name == "other.onnx"


def test_a_folder_without_modules_pools_by_the_mean(tmp_path):
    folder = make_bert(tmp_path / "bert")
    (folder / "modules.json").unlink()
    shutil.rmtree(folder / "1_Pooling")
    assert find_folder("bert", tmp_path).pooling == "mean"


def test_what_is_missing_or_not_known_is_named(tmp_path):
    with pytest.raises(RecipeError, match=r"no such folder: nowhere \(tried /"):
        find_folder("nowhere", tmp_path)
    with pytest.raises(RecipeError, match=r"no such file: nowhere/model\.onnx"):
        find_folder("nowhere/model.onnx", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(RecipeError, match=r"empty holds no onnx/model\.onnx.*save_pretrained"):
        find_folder("empty", tmp_path)
    folder = make_bert(tmp_path / "bert")
    pooling, modules = folder / "1_Pooling" / "config.json", folder / "modules.json"
    change(pooling, pooling_mode=["mean", "max"])
    with pytest.raises(RecipeError, match="pooling is mean and max; known: mean, cls, max"):
        find_folder("bert", tmp_path)
    change(pooling, pooling_mode="mean", include_prompt=False)
    change(folder / "config_sentence_transformers.json", default_prompt_name="document")
    assert find_folder("bert", tmp_path).prompt == ""
    change(folder / "config_sentence_transformers.json", prompts={"document": "text: "})
    with pytest.raises(RecipeError, match="include_prompt"):
        find_folder("bert", tmp_path)
    entries = json.loads(modules.read_text())
    write(modules, [*entries, {"type": "sentence_transformers.models.Dense", "path": "2_Dense"}])
    with pytest.raises(RecipeError, match="a module Dense, which is not known here"):
        find_folder("bert", tmp_path)
    modules.write_text("[")
    with pytest.raises(RecipeError, match=r"modules\.json: not JSON"):
        find_folder("bert", tmp_path)
    modules.write_text("{}")
    with pytest.raises(RecipeError, match="a JSON array is wanted"):
        find_folder("bert", tmp_path)
    modules.unlink()
    pooling.unlink()
    (folder / "tokenizer.json").unlink()
    with pytest.raises(RecipeError, match=r"holds no tokenizer\.json"):
        find_folder("bert", tmp_path)


STATIC = "sentence_transformers.models.StaticEmbedding"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("modules.json", [{"path": ""}], "a module has no type"),
        ("modules.json", ["Transformer"], "a module has no type"),
        ("modules.json", [{"type": 3}], "a module has no type"),
        ("modules.json", [{"type": STATIC, "path": None}], "a path that is no text"),
        ("config_sentence_transformers.json", {"prompts": ["a"]}, "prompts: "),
        ("config_sentence_transformers.json",
         {"prompts": {"a": "b"}, "default_prompt_name": ["a"]}, "prompts: "),
        ("config_sentence_transformers.json",
         {"prompts": {"a": 3}, "default_prompt_name": "a"}, "prompts: "),
        ("1_Pooling/config.json", {"pooling_mode": 3}, "pooling is 3"),
        ("1_Pooling/config.json", {"pooling_mode": [["mean"]]}, r"pooling is \['mean'\]"),
    ],
)  # fmt: skip
def test_what_is_not_as_expected_in_a_file_is_refused_with_its_name(
    tmp_path, name, content, message
):
    folder = make_bert(tmp_path / "bert")
    write(folder / name, content)
    with pytest.raises(RecipeError, match=f"{name}: .*{message}"):
        find_folder("bert", tmp_path)
