r"""Numerals: numbers as people and models write them, read as exact fractions.

Signs, thousands separators, decimals, fractions, mixed numbers, scientific notation, LaTeX's
`\frac`, full-width digits and the minus sign "−" are understood. Currency signs, "%" and units
are dropped, not converted: "25%" is 25, "1.5 million" is 1.5.
"""

import re
from fractions import Fraction

LONGEST = 64
"""Characters of a numeral. A longer row of digits is no answer to anything."""

_WIDE = {ord("０") + digit: str(digit) for digit in range(10)}
_PLAIN = str.maketrans(
    _WIDE | {ord(wide): plain for wide, plain in zip("．，－＋／％＄−–", ".,-+/%$--", strict=True)}
)
_THIN_SPACE = re.compile(r"(?<=[0-9])(?:[\u00a0\u2009\u202f]|\\[,!;:]|\{,\})(?=[0-9]{3}(?![0-9]))")
_FRAC = re.compile(r"([0-9]?)\s?\\[dt]?frac\s?\{\s?([-0-9.,]++)\s?\}\s?\{\s?([0-9.,]++)\s?\}")

_UNSIGNED = r"(?:[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3}(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+"
_NUMERAL = re.compile(
    rf"""
    (?<![A-Za-z0-9_])
    (?P<minus> (?<![)\]}}%.]) -)?
    (?: \\?[$€£¥₹]\s? (?P<inner_minus>-)? )?
    (?: (?P<whole>[0-9]+)[ ](?=[0-9]+/[0-9]) )?
    (?P<upper>{_UNSIGNED})
    (?: [eE](?P<exponent>[-+]?[0-9]{{1,3}})(?![0-9])
      | \s?(?:×|x|\*|\\times|\\cdot)\s?10\s?\^\s?\{{?(?P<power>-?[0-9]{{1,3}})(?![0-9])\}}? )?
    (?: \s?/\s?(?P<lower>{_UNSIGNED}) )?
    """,
    re.VERBOSE,
)


def numerals(text: str) -> list[str]:
    r"""The numerals in `text`, in order; wide digits, thin spaces and LaTeX made plain.

    >>> numerals(r"From 7-8 of ２0 eggs at $1,250.50 (−5%), \frac{3}{4} of H2O, 1/0")
    ['7', '8', '20', '$1,250.50', '-5', '3/4']
    """
    text = _FRAC.sub(_slashed, _THIN_SPACE.sub("", text.translate(_PLAIN)))
    return [match[0] for match in _NUMERAL.finditer(text) if _value(match) is not None]


def value_of(numeral: str) -> Fraction | None:
    r"""The value of a text that is one numeral; None if it is not.

    >>> value_of("-$1,250.50"), value_of("1 1/2"), value_of("2e-2"), value_of("1,00,000")
    (Fraction(-2501, 2), Fraction(3, 2), Fraction(1, 50), Fraction(100000, 1))
    >>> value_of(r"6.02 \times 10^{3}"), value_of("x2"), value_of("1/0"), value_of("9" * 100)
    (Fraction(6020, 1), None, None, None)
    """
    match = _NUMERAL.fullmatch(numeral)
    return _value(match) if match else None


def stated_number(text: str) -> str | None:
    """The numeral that a declared answer states: after its last "=" if any, else the first.

    >>> stated_number("18 eggs in 3 days"), stated_number("2 * 6 = 12 miles"), stated_number("no")
    ('18', '12', None)
    """
    found = numerals(text.rpartition("=")[2]) or numerals(text)
    return found[0] if found else None


def last_number(text: str) -> str | None:
    """The last numeral in `text`, None if there is none."""
    found = numerals(text)
    return found[-1] if found else None


def _slashed(match: re.Match[str]) -> str:
    return f"{match[1]}{' ' if match[1] else ''}{match[2]}/{match[3]}"


def _value(match: re.Match[str]) -> Fraction | None:
    if len(match[0]) > LONGEST:
        return None
    value = _fraction(match["upper"])
    exponent = match["exponent"] or match["power"]
    if exponent:
        value *= Fraction(10) ** int(exponent)
    if match["lower"]:
        lower = _fraction(match["lower"])
        if lower == 0:
            return None
        value /= lower
    value += int(match["whole"] or 0)
    return -value if (match["minus"] or match["inner_minus"]) else value


def _fraction(digits: str) -> Fraction:
    return Fraction(digits.replace(",", ""))
