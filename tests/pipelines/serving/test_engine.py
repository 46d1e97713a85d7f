"""The engine's arguments as a command line, and those of them that decide texts."""

from typing import Any

import pytest

from pipelines.errors import RecipeError
from pipelines.part import Where, load_table
from pipelines.serving.engine import Engine


def engine(where: Where, **fields: Any) -> Engine:
    return load_table(Engine, fields, where)


@pytest.fixture
def where(tmp_path: Any) -> Where:
    return Where("r.toml", "models.policy.engine", tmp_path)


def test_what_is_not_given_is_left_to_vllm(where: Where) -> None:
    assert engine(where).flags(None, on_cpu=False) == ()
    assert engine(where).identity() == {}


def test_arguments_are_words_of_a_command_line(where: Where) -> None:
    made = engine(where, dtype="bfloat16", max_num_seqs=8, args={"enable-lora": True, "seed": 3})
    assert made.flags("/t.jinja", on_cpu=False) == (
        *("--dtype", "bfloat16", "--chat-template", "/t.jinja", "--max-num-seqs", "8"),
        *("--enable-lora", "--seed", "3"),
    )


def test_on_a_cpu_what_is_known_to_work_is_the_default(where: Where) -> None:
    flags = engine(where, args={"block_size": 16}).flags(None, on_cpu=True)
    assert "--enforce-eager" in flags
    assert "--no-enable-chunked-prefill" in flags
    assert flags[flags.index("--block-size") + 1] == "16"
    assert flags.count("--block-size") == 1


def test_only_what_decides_texts_is_part_of_the_identity(where: Where) -> None:
    plain = engine(where, dtype="float32")
    faster = engine(
        where,
        dtype="float32",
        tensor_parallel_size=2,
        max_num_seqs=9,
        args={"enforce_eager": True, "kv-cache-memory-bytes": 9, "--async-scheduling": False},
    )
    other = engine(where, dtype="float32", args={"hf-overrides": {"rope_scaling": 2}})
    assert plain.identity() == faster.identity() == {"dtype": "float32"}
    assert other.identity() == {"dtype": "float32", "args": {"hf_overrides": {"rope_scaling": 2}}}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("load_format", "dummy"),
        ("ignore_patterns", ["original/*"]),
        ("model_loader_extra_config", {"qlora_adapter_name_or_path": "a"}),
    ],
)
def test_what_says_which_weights_are_loaded_is_part_of_it(
    where: Where, name: str, value: Any
) -> None:
    assert engine(where, args={name: value}).identity() == {"args": {name: value}}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("--served-model-name", "pairwright chooses it"),
        ("port", "pairwright picks a free one"),
        ("max-num-seqs", "engine.max_num_seqs is its key"),
    ],
)
def test_an_argument_that_is_set_elsewhere_is_refused(where: Where, name: str, why: str) -> None:
    with pytest.raises(RecipeError, match=why):
        engine(where, args={name: 1})
