import sys
from importlib.metadata import requires, version

import pytest

from pipelines.health import environment
from pipelines.health.environment import check_environment, parse_requirement, within


def test_this_environment_is_sound() -> None:
    checks = list(check_environment())
    assert {check.status for check in checks} == {"ok"}
    subjects = [check.subject for check in checks]
    assert subjects[:2] == ["Python", "packages"]
    assert f"duckdb {version('duckdb')}" in checks[1].finding


def test_every_requirement_of_pairwright_is_understood() -> None:
    from packaging.requirements import Requirement  # not ours: only a second opinion

    for line in requires("pairwright") or ():
        ours, theirs = parse_requirement(line), Requirement(line)
        assert ours is not None
        assert ours.package == theirs.name
        assert (ours.extra is not None) == ("extra" in str(theirs.marker or ""))
        for number in ("0.1", "2.0", "3.8.8", "3.9.0", "3.12", "26.0.1", "999"):
            assert within(number, ours.bounds) == (number in theirs.specifier), (line, number)


def test_a_package_below_its_floor_is_a_fault_and_a_missing_extra_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needed = ["duckdb>=999", "no-such-package>=1", "nor-this; extra == 'more'"]
    monkeypatch.setattr(environment, "requires", lambda _: needed)
    packages, extra = list(check_environment())[1:]
    assert (packages.status, packages.help) == ("fault", "pip install --upgrade pairwright")
    assert packages.finding == (
        f"duckdb {version('duckdb')} is not >=999; no-such-package is missing"
    )
    assert (extra.status, extra.finding) == ("ok", "not installed: nor-this")
    assert extra.help == 'pip install "pairwright[more]"'


def test_an_old_python_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "PYTHON", (sys.version_info[0] + 1, 0))
    assert next(check_environment()).status == "fault"
