import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from pipelines.errors import RecipeError
from pipelines.selection.steps import check_filters
from tests.pipelines.tables import part, reasons

DIFFERENT = {"chosen_norm_hash": "1", "rejected_norm_hash": "2"}


@pytest.fixture
def words(tmp_path):
    """A folder with a tokenizer of whole words."""
    vocabulary = {word: number for number, word in enumerate(["?", "one", "two", "three", "four"])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="?"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def truncated(words, max_tokens, path="."):
    return part("filters", "identical", words, tokenizer=path, max_tokens=max_tokens)


def test_texts_equal_after_normalisation_are_dropped():
    pairs = [{"chosen_norm_hash": "1", "rejected_norm_hash": "1"}, DIFFERENT]
    assert reasons(part("filters", "identical"), pairs) == [{"identical"}, set()]


@pytest.mark.parametrize(("max_tokens", "expected"), [(2, {"identical_truncated"}), (3, set())])
def test_texts_equal_after_truncation_are_dropped(words, max_tokens, expected):
    texts = {"chosen_text": ["one two three"], "rejected_text": ["one two four"]}
    assert reasons(truncated(words, max_tokens), [DIFFERENT], texts) == [expected]


def test_a_file_and_its_folder_name_the_same_tokenizer(words):
    file, folder = truncated(words, 2, "tokenizer.json"), truncated(words, 2)
    assert file.identity() == folder.identity()


def test_another_tokenizer_is_another_filter(words):
    before = truncated(words, 2).identity()
    changed = (words / "tokenizer.json").read_text().replace('"four"', '"five"')
    (words / "tokenizer.json").write_text(changed)
    assert truncated(words, 2).identity() != before


def test_the_filter_can_be_tried_without_rows(words):
    check_filters([truncated(words, 2)])


@pytest.mark.parametrize("fields", [{"tokenizer": "."}, {"max_tokens": 3}])
def test_tokenizer_and_length_need_each_other(fields):
    with pytest.raises(RecipeError, match="need each other"):
        part("filters", "identical", **fields)


def test_a_missing_tokenizer_is_refused(tmp_path):
    with pytest.raises(RecipeError, match=r"tokenizer: .*tokenizer.json: No such file"):
        truncated(tmp_path, 2)


def test_a_file_that_is_no_tokenizer_is_refused(tmp_path):
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(RecipeError, match=r"not a tokenizer.json"):
        truncated(tmp_path, 2)
