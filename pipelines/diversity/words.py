"""Numbers in words, as an instruction has them."""

_WORDS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]


def number_word(number: int) -> str:
    """A number in words, up to twelve.

    >>> number_word(4), number_word(16)
    ('four', '16')
    """
    return _WORDS[number] if number < len(_WORDS) else str(number)
