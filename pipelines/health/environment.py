"""The installation: Python, and the packages against the bounds that pairwright declares."""

import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import NamedTuple

from pipelines.health.check import Check, fault, ok, warning

PYTHON = (3, 11)


class Requirement(NamedTuple):
    """One package that pairwright needs, always or for an extra."""

    package: str
    bounds: str
    """As in "<3,>=2.0"; "" for any version."""
    extra: str | None


def check_environment() -> Iterator[Check]:
    """Python, the packages that are always needed, and a line for each extra."""
    shown = platform.python_version()
    if sys.version_info < PYTHON:
        yield fault("Python", shown, f"pairwright needs {'.'.join(map(str, PYTHON))} or newer")
    else:
        yield ok("Python", f"{shown} on {platform.system()} {platform.machine()}")
    try:
        needed = [parse_requirement(line) for line in requires("pairwright") or ()]
    except PackageNotFoundError:
        yield warning("packages", "pairwright is not installed", "pip install pairwright")
        return
    applying = [one for one in needed if one is not None]
    yield _packages([one for one in applying if one.extra is None])
    for extra in sorted({one.extra for one in applying if one.extra}):
        yield _extra(extra, [one for one in applying if one.extra == extra])


def parse_requirement(line: str) -> Requirement | None:
    """A requirement as package metadata have it; None for one of another system.

    >>> parse_requirement("duckdb<3,>=2.0")
    Requirement(package='duckdb', bounds='<3,>=2.0', extra=None)
    >>> parse_requirement("math-verify[antlr4-13-2]>=0.8; extra == 'math'")
    Requirement(package='math-verify', bounds='>=0.8', extra='math')
    >>> parse_requirement("tzdata; sys_platform == 'win32'")
    """
    named, _, marker = line.partition(";")
    system = re.search(r"sys_platform\s*(==|!=)\s*['\"](\w+)['\"]", marker)
    if system and (sys.platform == system[2]) != (system[1] == "=="):
        return None
    match = re.fullmatch(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*\(?([^)]*)\)?", named.strip())
    extra = re.search(r"extra\s*==\s*['\"]([^'\"]+)['\"]", marker)
    return Requirement(match[1], match[2].strip(), extra[1] if extra else None) if match else None


def within(found: str, bounds: str) -> bool:
    """Whether a version lies in bounds; pre-release and local marks are passed over.

    >>> within("2.0.0", "<3,>=2.0"), within("1.9", ">=2"), within("3.8.8", ">=3.8.8,<3.9")
    (True, False, True)
    """
    for bound in filter(None, bounds.split(",")):
        match = re.fullmatch(r"\s*(>=|<=|==|!=|>|<|~=)\s*([0-9.]+).*", bound)
        if match and not _holds(release(found), match[1], release(match[2])):
            return False
    return True


def release(text: str) -> tuple[int, ...]:
    """The numbers of a version, without zeros at the end.

    >>> release("3.11.0rc1"), release("2.0")
    ((3, 11), (2,))
    """
    match = re.match(r"[0-9]+(\.[0-9]+)*", text)
    numbers = [int(number) for number in match[0].split(".")] if match else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _holds(found: tuple[int, ...], sign: str, bound: tuple[int, ...]) -> bool:
    return {
        ">=": found >= bound, "~=": found >= bound, "<=": found <= bound, ">": found > bound,
        "<": found < bound, "==": found == bound, "!=": found != bound,
    }[sign]  # fmt: skip


def _packages(needed: list[Requirement]) -> Check:
    faults = [wrong for one in needed if (wrong := _wrong(one))]
    if faults:
        return fault("packages", "; ".join(faults), "pip install --upgrade pairwright")
    shown = ", ".join(f"{one.package} {version(one.package)}" for one in needed)
    return ok("packages", shown)


def _extra(extra: str, needed: list[Requirement]) -> Check:
    install = f'pip install "pairwright[{extra}]"'
    subject = f"extra {extra}"
    faults = {one.package: wrong for one in needed if (wrong := _wrong(one))}
    missing = [one.package for one in needed if _installed(one.package) is None]
    if missing:
        return ok(subject, f"not installed: {', '.join(missing)}", install)
    if faults:
        return warning(subject, "; ".join(faults.values()), install)
    return ok(subject, ", ".join(f"{one.package} {version(one.package)}" for one in needed))


def _wrong(one: Requirement) -> str | None:
    """What is wrong with a package, in words; None for nothing."""
    found = _installed(one.package)
    if found is None:
        return f"{one.package} is missing"
    return None if within(found, one.bounds) else f"{one.package} {found} is not {one.bounds}"


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
