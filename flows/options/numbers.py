"""Numbers given on the command line, as types of `argparse`."""

import argparse


def whole(given: str, least: int = 0) -> int:
    """A whole number that is not negative. Raises ArgumentTypeError.

    >>> whole("0")
    0
    """
    number = int(given) if given.isascii() and given.isdecimal() else least - 1
    if number < least:
        raise argparse.ArgumentTypeError(f"a number of at least {least} is wanted, not {given}")
    return number


def positive(given: str) -> int:
    """A whole number of at least 1. Raises ArgumentTypeError."""
    return whole(given, 1)
