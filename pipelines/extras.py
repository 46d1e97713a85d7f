"""Extras: packages that only some parts need, and how to come by them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec


def missing(extra: str, *packages: str) -> str | None:
    """What to do where a package of an extra is not installed; None where all are.

    >>> missing("risks", "json"), missing("risks", "json", "no_such_package")
    (None, 'no_such_package is not installed: pip install "pairwright[risks]"')
    """
    absent = next((package for package in packages if find_spec(package) is None), None)
    return absent and f'{absent} is not installed: pip install "pairwright[{extra}]"'


@contextmanager
def without(package: str) -> Iterator[None]:
    """What is imported meanwhile does without `package`, as where that is not installed.

    Some packages import another wherever they find it, for users who hand them its objects. One
    that is imported already is found.

    >>> with without("this"):
    ...     import this
    Traceback (most recent call last):
    ModuleNotFoundError: import of this halted; None in sys.modules
    """
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[package]
