"""Texts are normalised as the plain formula says, whichever way is quicker."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.selection.texts import norm_hash, normalised, text_hash

WHITE = "".join(map(chr, (*range(9, 14), *range(28, 33))))


def by_the_formula(text):
    return " ".join(unicodedata.normalize("NFKC", text).split())


@given(st.one_of(st.text(), st.text(st.sampled_from(WHITE + "ab\x00\x7f")), st.text(WHITE + "é")))
def test_white_space_is_folded_and_the_rest_stays(text):
    assert normalised(text) == by_the_formula(text)


@pytest.mark.parametrize("character", [*map(chr, range(128))])
def test_each_ascii_character_alone_and_between_words(character):
    for text in (character, f"a{character}b", f"{character}a {character} b{character}"):
        assert normalised(text) == by_the_formula(text)


def test_a_text_of_white_space_alone_has_no_norm_hash():
    assert norm_hash(" \t\n" * 1000) is None
    assert norm_hash("a" + " " * 99_999 + "b") == text_hash("a b")
