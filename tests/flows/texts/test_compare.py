from pathlib import Path

import polars as pl
import pytest

from flows.cli import main
from flows.texts.compare import comparison_text
from pipelines.diversity.compare import SIDE, Side, compare_sides
from pipelines.embedding.encoder import load_encoder
from tests.embedding_models import FIXTURES, make_static

REWORDED = {"p0": ["family", "parents"], "p1": ["money", "savings"]}
DIFFERING = {"p0": ["family", "money"], "p1": ["parents", "savings"]}


def text_of(embedding: Path, a: dict[str, list[str]], b: dict[str, list[str]]) -> str:
    encoder = load_encoder(str(embedding), Path())
    sides = (
        Side(name, pl.DataFrame([(prompt, None, text, None) for prompt, texts in sets.items()
                                 for text in texts], schema=SIDE, orient="row"))
        for name, sets in (("one", a), ("two", b))
    )  # fmt: skip
    return comparison_text(compare_sides(*sides, encoder=encoder), "one", "two", encoder)


def test_figures_of_a_model_bear_its_name_and_those_of_words_are_beside_them(tmp_path):
    folder = make_static(tmp_path / "little-words")
    lines = text_of(folder, REWORDED, DIFFERING).splitlines()
    digest = load_encoder(str(folder), Path()).folder.digest()[:12]
    assert f"little-words ({digest}): 3 dimensions, the mean of the tokens" in lines
    cosines = [line.split("  ")[0] for line in lines if "cosine" in line or "effective" in line]
    assert cosines == [
        "cosine of hashed words",
        "effective responses (Vendi)",
        "cosine, little-words",
        "effective, little-words",
    ]
    assert lines[-2:] == [
        "Neither side shares fewer words: the interval of the difference holds 0.",
        "By little-words, the responses of B are less alike.",
    ]


def test_a_difference_that_may_be_none_is_no_verdict_of_the_model(tmp_path):
    folder = make_static(tmp_path / "little-words")
    assert text_of(folder, REWORDED, REWORDED).endswith("neither side's responses are less alike.")


def test_it_is_said_how_many_responses_were_cut():
    pytest.importorskip("onnxruntime", reason="the extra `embedding` is not installed")
    long = {"p0": ["go", "go home " * 9], "p1": ["stay", "run"]}
    said = "the mean of the tokens of at most 12; it did not see the end of 2 of 8 responses\n"
    assert said in text_of(FIXTURES / "bert", long, long)


def test_a_model_that_is_not_there_ends_the_command(capsys, tmp_path):
    command = ["compare", "a", "b", "--store", str(tmp_path), "--embedding", "models/none"]
    assert main(command) == 2
    assert "--embedding: no such folder: models/none (tried /" in capsys.readouterr().err
