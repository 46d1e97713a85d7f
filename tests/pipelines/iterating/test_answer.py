from pathlib import Path

import pytest

from pipelines.errors import TrainingError
from pipelines.iterating.answer import Answer, read_answer


def test_the_last_line_that_names_a_model_counts(tmp_path: Path) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "last").mkdir()
    printed = "saving to\nfirst\n{'loss': 0.3}\nlast\n{\"steps\": 3}\n\nbye, all is done\n"
    assert read_answer(printed, tmp_path) == Answer(folder=str(tmp_path / "last"))


def test_json_names_a_folder_an_id_or_an_address(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    either = Answer(folder=str(tmp_path / "model"), model="model")
    assert read_answer('{"model": "model"}', tmp_path) == either
    assert read_answer('{"model": "ft:7"}', tmp_path) == Answer(model="ft:7")
    told = '{"base_url": "http://h/v1", "model": "model", "identity": "i", "api_key_env": null}'
    assert read_answer(told, tmp_path) == Answer(
        base_url="http://h/v1", model="model", identity="i"
    )


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("", "it printed nothing"),
        ("loss 0.3\nno such folder\n", 'its last line is "no such folder"'),
        ("a\0b\n" + "x" * 5000, "named no model"),
        ('{"model": "x", "base-url": "y"}', 'with "base-url"; did you mean "base_url"'),
        ('{"model": 3}', "model = 3: no printable text"),
        ('{"model": "a\\u0000b"}', "no printable text"),
        ('{"model": null, "identity": "x"}', "named no model"),
        ('{"model": ' + "1" * 5000 + "}", "named no model"),
        ('{"model":' * 100_000, "named no model"),
    ],
)
def test_what_names_no_model_is_an_error_that_says_what_was_printed(
    tmp_path: Path, printed: str, why: str
) -> None:
    with pytest.raises(TrainingError) as error:
        read_answer(printed, tmp_path)
    assert why in str(error.value)
    assert len(str(error.value)) < 1000


def test_an_address_that_is_none_can_be_said() -> None:
    assert Answer(base_url="http://[::1").in_words() == "no URL"


def test_only_a_line_feed_ends_a_line(tmp_path: Path) -> None:
    printed = f"http://h/v1?name=\x85{tmp_path}\n"
    assert read_answer(printed, tmp_path).base_url == printed.strip()
