from pathlib import Path

import pytest

from pipelines.calibration.identity import judge_part
from pipelines.calibration.paraphrase import (
    between,
    keeps,
    kept_file,
    paraphrases,
    template_text,
)
from pipelines.calls.meter import Meter
from pipelines.errors import RecipeError
from pipelines.publishing.store import Store
from tests.pipelines.calibration.test_identity import RECIPE, recipe

TEXT = "Rate {{ response }}. {{ form }}"
REPLIES = """
[models.poet]
kind = "scripted"
rules = [{ match = 'Say the same', answers = [
    "How good is {{ response }}? {{ form }}",
    "Be honest about {{ response }}! {{ form }}",
    "I lost the response. {{ form }}",
    "Unclosed {{ response",
] }]
"""


def reworded(folder: Path, first: int = 0, n: int = 12) -> list[str]:
    poets = recipe(folder, RECIPE + REPLIES)
    return paraphrases(poets, Store(folder / "store"), "poet", TEXT, n, first, Meter())[0]


def test_paraphrases_are_distinct_and_keep_the_variables(tmp_path: Path):
    found = reworded(tmp_path)
    assert sorted(found) == [
        "Be honest about {{ response }}! {{ form }}",
        "How good is {{ response }}? {{ form }}",
    ]
    assert reworded(tmp_path) == found  # from the ledger


def test_a_further_epoch_asks_for_further_samples(tmp_path: Path):
    meter, poets = Meter(), recipe(tmp_path, RECIPE + REPLIES)
    for first in (0, 5, 0):
        paraphrases(poets, Store(tmp_path / "store"), "poet", TEXT, 5, first, meter)
    assert (meter.samples_paid, meter.samples_replayed) == (10, 5)


def test_an_unknown_model_is_told(tmp_path: Path):
    with pytest.raises(RecipeError, match=r"no such model; .*Valid: one"):
        paraphrases(recipe(tmp_path), Store(tmp_path), "poet", TEXT, 1, 0, Meter())


def test_the_text_is_that_of_the_template_in_use(tmp_path: Path):
    (tmp_path / "mine.jinja").write_text(TEXT)
    own = recipe(tmp_path, RECIPE, 'judges.rating.template="mine.jinja"')
    assert template_text(own, judge_part(own, "rating")) == TEXT
    plain = recipe(tmp_path)
    assert "{{ response }}" in template_text(plain, judge_part(plain, "rating"))
    with pytest.raises(RecipeError, match="no template of its own"):
        template_text(plain, judge_part(plain, "verifier"))


@pytest.mark.parametrize(
    ("reply", "text"),
    [("<<<ab\nx\ny\nab>>>", "x\ny"), ("<<<ab\ncut off", "cut off"), ("plain", "plain"), ("", "")],
)
def test_a_paraphrase_stands_between_the_marks(reply: str, text: str):
    assert between(reply, "ab") == text


def test_the_variables_are_neither_fewer_nor_others():
    assert not keeps(TEXT, "{{ response }}")
    assert not keeps(TEXT, "{{ response }} {{ form }} {{ reference }}")
    assert not keeps(TEXT, "{{ response }} {{ form")


def test_a_kept_paraphrase_has_a_file_of_its_own(tmp_path: Path):
    one, other = (kept_file(Store(tmp_path), text) for text in ("x", "y"))
    assert one != other
    assert kept_file(Store(tmp_path), "x") == one
    assert one.read_text() == "x\n"
