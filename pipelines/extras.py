"""Extras: packages that only some parts need, and how to come by them."""

from importlib.util import find_spec


def missing(extra: str, *packages: str) -> str | None:
    """What to do where a package of an extra is not installed; None where all are.

    >>> missing("risks", "json"), missing("risks", "json", "no_such_package")
    (None, 'no_such_package is not installed: pip install "pairwright[risks]"')
    """
    absent = next((package for package in packages if find_spec(package) is None), None)
    return absent and f'{absent} is not installed: pip install "pairwright[{extra}]"'
