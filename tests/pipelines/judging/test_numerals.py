from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.judging.numerals import last_number, numerals, stated_number, value_of


@given(st.text() | st.text(r"-−$0123456789.,/eE^x*% {}\frac"))
def test_every_numeral_found_has_a_value_by_itself(text):
    for numeral in numerals(text):
        assert value_of(numeral) is not None


@given(st.integers(-(10**15), 10**15), st.integers(0, 6))
def test_a_decimal_with_separators_keeps_its_value(units, places):
    value = Fraction(units, 10**places)
    written = f"{abs(units) // 10**places:,}"
    if places:
        written += f".{abs(units) % 10**places:0{places}}"
    sign = "-" if units < 0 else ""
    assert value_of(sign + written) == value
    assert value_of(last_number(f"It comes to {sign}{written} dollars.") or "") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("18 dollars", 18),
        ("$18.00", 18),
        ("-$5", -5),
        ("$-5", -5),
        (r"\$1,450,000", 1_450_000),
        ("1,00,000", 100_000),
        ("1\u202f000", 1000),
        (r"1{,}000", 1000),
        ("25%", 25),
        ("３．５", Fraction(7, 2)),
        ("− 3", 3),
        ("−3", -3),
        (".5", Fraction(1, 2)),
        ("1/3", Fraction(1, 3)),
        ("2 1/2 cups", Fraction(5, 2)),
        (r"-\frac{3}{4}", Fraction(-3, 4)),
        (r"2\frac{1}{2}", Fraction(5, 2)),
        ("1.5e3", 1500),
        (r"6 \times 10^{-2}", Fraction(3, 50)),
        ("18.", 18),
        ("答案是18。", 18),
        ("Rs. 500", 500),
    ],
)
def test_numbers_as_they_are_written(text, value):
    found = stated_number(text)
    assert found is not None
    assert value_of(found) == value


@pytest.mark.parametrize("text", ["", "none", "x2", "H2O", "1/0", "7" * 1000, "1e99999"])
def test_what_is_no_number(text):
    assert value_of(text) is None


def test_a_subtraction_or_a_range_is_no_sign():
    assert numerals("9-7 of 5–6, (3)-2") == ["9", "7", "5", "6", "3", "2"]


def test_a_stated_number_follows_the_last_equals_sign_else_it_is_the_first():
    assert stated_number("3 * 5 = 15 miles in 2 days") == "15"
    assert stated_number("15 miles in 2 days") == "15"
    assert stated_number("15 = x") == "15"
