import sys
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from pipelines.judging.plain import hex_digits_of, may_hold, plain, words_of

texts = st.text() | st.text("Rating: 7*_`[]\u200b\ufeffＲａ７٧ \n")


@given(texts)
def test_plain_text_stays_as_it_is(text):
    assert plain(plain(text)) == plain(text)


@given(texts, texts)
def test_a_quick_look_misses_no_word(before, after):
    text = f"{before}Rating: 7{after}"
    words = words_of("Rating: 7")
    if words in words_of(text):
        assert may_hold(text, "rating")


def test_every_decimal_digit_of_every_script_is_read_by_its_value():
    for code in range(sys.maxunicode + 1):
        digit = unicodedata.decimal(chr(code), None)
        if digit is not None:
            assert plain(chr(code)) == str(digit)


def test_a_disguise_of_hexadecimal_digits_is_seen_through():
    for disguised in (
        "5C1F",
        "5-c.1 f",
        "5c\u200b1\u2060f",
        "５ｃ１ｆ",
        "𝟓𝐜𝟏𝐟",
        "5с1ƒ",
        "5\u0301c1f",
    ):
        assert hex_digits_of(disguised) == "5c1f"
